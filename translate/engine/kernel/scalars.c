/* Single values: strictly as their places want them. What is anything else is for Python to decide. */
#include <string.h>

#include "instants.h"
#include "read.h"
#include "sha256.h"

static const int64_t SECONDS_BELOW = 100000000000; /* so many milliseconds would lie before March of 1973 */
enum { WHOLE_DIGITS = 18, SHORT_SESSION = 20 }; /* so many digits are surely within 64 bits */

/* -- putting ---------------------------------------------------------------------------------------------------- */

bool is_set(const struct reader *reader, int32_t column)
{
    return column_is_set(&reader->table.columns[column], reader->row);
}

bool put_bytes(struct reader *reader, int32_t column, const uint8_t *bytes, size_t length)
{
    size_t start = reader->table.heap.length;
    return buffer_append(&reader->table.heap, bytes, length) &&
           column_set_view(&reader->table.columns[column], reader->row, heap_view(&reader->table.heap, start));
}

bool put_text(struct reader *reader, int32_t column, const struct value *text)
{
    size_t start = reader->table.heap.length;
    return append_text(&reader->table.heap, text) &&
           column_set_view(&reader->table.columns[column], reader->row, heap_view(&reader->table.heap, start));
}

bool put_canonical(struct reader *reader, int32_t column, const struct value *value)
{
    size_t start = reader->table.heap.length;
    return append_canonical(&reader->table.heap, value) &&
           column_set_view(&reader->table.columns[column], reader->row, heap_view(&reader->table.heap, start));
}

bool put_note(struct reader *reader, struct span beginning, const struct view *key)
{
    struct buffer *heap = &reader->table.heap;
    struct column *notes = &reader->table.columns[COLUMN_NOTES];
    size_t start = heap->length;
    if (!buffer_append(heap, text_at(reader->program, beginning), (size_t)beginning.length))
        return false;
    if (key != NULL) {
        if (!buffer_reserve(heap, (size_t)key->length * 6 + 2)) {
            return false; /* else the key's bytes, which lie in the heap, would move */
        }
        struct span end = reader->program->note_end;
        if (!append_quoted(heap, view_bytes(key, heap), (size_t)key->length) ||
            !buffer_append(heap, text_at(reader->program, end), (size_t)end.length)) {
            return false;
        }
    }
    return column_open(notes, reader->row) && column_add(notes, NULL, heap_view(heap, start));
}

/* -- whole numbers ---------------------------------------------------------------------------------------------- */

/* Read plain digits that surely are a whole number of 64 bits. */
static bool read_whole(const uint8_t *bytes, size_t length, int64_t *number)
{
    bool negative = length > 0 && bytes[0] == '-';
    size_t digits = length - negative;
    if (digits == 0 || digits > WHOLE_DIGITS || (bytes[negative] == '0' && (digits > 1 || negative)))
        return false;
    int64_t sum = 0;
    for (size_t at = negative; at < length; at++) {
        if (bytes[at] < '0' || bytes[at] > '9')
            return false;
        sum = sum * 10 + (bytes[at] - '0');
    }
    *number = negative ? -sum : sum;
    return true;
}

static bool put_whole(struct reader *reader, int32_t column, const struct value *value)
{
    int64_t number;
    if (!read_whole(value->start, value->length, &number))
        return false;
    struct column *to = &reader->table.columns[column];
    return to->type == TYPE_WHOLE ? column_set_whole(to, reader->row, number)
                                  : put_bytes(reader, column, value->start, value->length);
}

/* -- times ------------------------------------------------------------------------------------------------------ */

bool read_instant(const struct leaf *leaf, const struct value *value, int64_t *milliseconds)
{
    bool in_seconds = leaf->unit == UNIT_SECONDS || leaf->unit == UNIT_SECONDS_OR_ISO8601;
    bool as_text = leaf->unit == UNIT_MILLISECONDS_TEXT;
    if (value->kind != (as_text ? KIND_TEXT : KIND_NUMBER) || !read_whole(value->start, value->length, milliseconds))
        return false;
    if (leaf->unit == UNIT_SECONDS_OR_MILLISECONDS)
        in_seconds = *milliseconds > -SECONDS_BELOW && *milliseconds < SECONDS_BELOW;
    if (in_seconds) {
        if (*milliseconds > LAST_MILLISECOND || *milliseconds < FIRST_MILLISECOND)
            return false;
        *milliseconds *= 1000;
    }
    return (leaf->flags & LEAF_REQUIRED) || (*milliseconds >= FIRST_MILLISECOND && *milliseconds <= LAST_MILLISECOND);
}

/* Read seconds with one to three decimals, the last of which is no zero: what such a place spells itself. */
static bool is_exact_fraction(const struct leaf *leaf, const struct value *value)
{
    const uint8_t *point = leaf->unit == UNIT_SECONDS_OR_ISO8601 && value->kind == KIND_NUMBER
                               ? memchr(value->start, '.', value->length) : NULL;
    if (point == NULL)
        return false;
    struct value whole = *value;
    whole.length = (size_t)(point - value->start);
    size_t decimals = value->length - whole.length - 1;
    int64_t milliseconds;
    if (decimals > 3 || value->start[0] == '-' || value->start[value->length - 1] == '0')
        return false;
    for (size_t at = whole.length + 1; at < value->length; at++) {
        if (value->start[at] < '0' || value->start[at] > '9')
            return false;
    }
    return read_instant(leaf, &whole, &milliseconds);
}

static bool take_iso8601(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    int64_t usual;
    struct instant instant;
    if (value->kind != KIND_TEXT || value->escaped)
        return false;
    if (read_iso8601(value->start, value->length, &usual))
        return put_text(reader, leaf->column, value);
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    return read_any_iso8601(value->start, value->length, &instant) && append_iso8601(heap, instant.milliseconds) &&
           column_set_view(&reader->table.columns[leaf->column], reader->row, heap_view(heap, start)) &&
           (instant.has_zone || put_note(reader, leaf->retyped, NULL)) &&
           (!instant.is_finer || put_note(reader, leaf->floored, NULL));
}

static bool take_time(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    int64_t milliseconds;
    if (leaf->unit == UNIT_ISO8601)
        return take_iso8601(reader, leaf, value);
    if (is_exact_fraction(leaf, value))
        return put_bytes(reader, leaf->column, value->start, value->length);
    struct column *to = &reader->table.columns[leaf->column];
    if (leaf->unit == UNIT_SECONDS_OR_MILLISECONDS || (leaf->unit == UNIT_MILLISECONDS && to->type == TYPE_WHOLE)) {
        return to->type == TYPE_WHOLE && read_instant(leaf, value, &milliseconds) && column_set_whole(to, reader->row, milliseconds);
    }
    return read_instant(leaf, value, &milliseconds) && put_whole(reader, leaf->column, value);
}

/* -- numbers ---------------------------------------------------------------------------------------------------- */

/* Put the digits of a number that a double holds as it is. */
static bool put_number(struct reader *reader, int32_t column, const struct value *value)
{
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    bool has_point = memchr(value->start, '.', value->length) != NULL;
    if (append_digits(heap, value->start, value->length) != DIGITS_EXACT || (!has_point && heap->length - start > 15))
        return false;
    return column_set_view(&reader->table.columns[column], reader->row, heap_view(heap, start));
}

/* -- texts ------------------------------------------------------------------------------------------------------ */

static bool take_text(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    if (value->kind == KIND_TEXT)
        return put_text(reader, leaf->column, value);
    return value->kind == KIND_NUMBER && !(leaf->flags & LEAF_OTHER) && put_canonical(reader, leaf->column, value) &&
           put_note(reader, leaf->retyped, NULL);
}

/* Tell whether a text is a JSON list in the hub's own spelling. */
static enum taken take_list_text(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    struct buffer *scratch = &reader->scratch;
    scratch->length = 0;
    if (value->kind != KIND_TEXT)
        return FREE;
    if (!append_text(scratch, value))
        return UNDECIDED;
    size_t length = scratch->length;
    struct buffer spelled = {NULL, 0, 0};
    struct cursor cursor = cursor_over(scratch->data, length);
    struct value list;
    bool is_list = length > 0 && read_value(&cursor, &list, NESTING_MAX) && list.kind == KIND_ARRAY && cursor.at == cursor.end;
    bool is_decided = !is_list || append_canonical(&spelled, &list);
    bool is_same = is_list && spelled.length == length && memcmp(spelled.data, scratch->data, length) == 0;
    buffer_free(&spelled);
    if (!is_decided || !is_list)
        return UNDECIDED;
    return !is_same ? FREE : put_text(reader, leaf->column, value) ? TAKEN : UNDECIDED;
}

/* -- by their ways ---------------------------------------------------------------------------------------------- */

bool take_scalar(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    switch (leaf->way) {
    case WAY_TEXT:
        return take_text(reader, leaf, value);
    case WAY_WHOLE:
        return value->kind == KIND_NUMBER && put_whole(reader, leaf->column, value);
    case WAY_NUMBER:
        return value->kind == KIND_NUMBER && put_number(reader, leaf->column, value);
    case WAY_JSON:
        return (!(leaf->flags & LEAF_LIST) || value->kind == KIND_ARRAY) && put_canonical(reader, leaf->column, value);
    case WAY_TIME:
        return take_time(reader, leaf, value);
    case WAY_STAMP:
        return put_note(reader, leaf->beyond, NULL);
    default:
        return false;
    }
}

static enum taken take_if(bool is_such, bool done)
{
    return !is_such ? FREE : done ? TAKEN : UNDECIDED;
}

static enum taken take_constant(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    struct span wanted = leaf->constant;
    const uint8_t *text = text_at(reader->program, wanted);
    bool same = value->length == (size_t)wanted.length && value->kind != KIND_TEXT && memcmp(value->start, text, value->length) == 0;
    bool may_be_spelled_otherwise = (value->kind == KIND_TEXT && *text == '"') || (value->kind == KIND_NUMBER && *text <= '9' && *text != '"');
    if (!same && may_be_spelled_otherwise)
        return UNDECIDED;
    return take_if(same, same && put_bytes(reader, leaf->column, value->start, value->length));
}

static enum taken take_number_preset(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    if (value->kind == KIND_TEXT && (leaf->flags & (LEAF_OTHER | LEAF_NUMBER_TEXT)))
        return UNDECIDED;
    if (value->kind != KIND_NUMBER)
        return FREE;
    return take_if(true, leaf->way == WAY_WHOLE ? put_whole(reader, leaf->column, value) : put_number(reader, leaf->column, value));
}

static enum taken take_time_preset(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    int64_t milliseconds;
    bool is_text = leaf->unit == UNIT_ISO8601 || leaf->unit == UNIT_MILLISECONDS_TEXT;
    if (!is_text && value->kind == KIND_TEXT && (leaf->flags & (LEAF_OTHER | LEAF_NUMBER_TEXT)))
        return UNDECIDED;
    if (value->kind != (is_text ? KIND_TEXT : KIND_NUMBER))
        return FREE;
    bool is_usual = leaf->unit != UNIT_ISO8601 || (!value->escaped && read_iso8601(value->start, value->length, &milliseconds));
    return take_if(true, is_usual && take_time(reader, leaf, value));
}

/* Take a full session id, if the short one was made of it. */
static enum taken take_long_session(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    int32_t column = reader->program->session_column;
    char digits[SHA256_HEXADECIMAL];
    if (value->kind != KIND_TEXT || column < 0 || !is_set(reader, column))
        return FREE;
    struct buffer *scratch = &reader->scratch;
    scratch->length = 0;
    if (!append_text(scratch, value) || !buffer_reserve(scratch, 1))
        return UNDECIDED;
    sha256_hexadecimal(scratch->data, scratch->length, digits);
    const struct view *session = (const struct view *)(const void *)reader->table.columns[column].values.data + reader->row;
    bool is_made_of_it = session->length == SHORT_SESSION &&
                         memcmp(view_bytes(session, &reader->table.heap), digits, SHORT_SESSION) == 0;
    return take_if(is_made_of_it, is_made_of_it && put_text(reader, leaf->column, value));
}

static enum taken take_text_preset(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    int64_t number;
    if (leaf->flags & LEAF_LIST)
        return take_list_text(reader, leaf, value);
    if (leaf->flags & LEAF_LONG_SESSION)
        return take_long_session(reader, leaf, value);
    if (value->kind != KIND_TEXT)
        return FREE;
    if ((leaf->flags & LEAF_WHOLE_TEXT) && (value->escaped || !read_whole(value->start, value->length, &number)))
        return UNDECIDED;
    return take_if(true, put_text(reader, leaf->column, value));
}

static enum taken take_json_preset(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    bool is_such = !(leaf->flags & LEAF_LIST) || value->kind == KIND_ARRAY;
    return take_if(is_such, is_such && put_canonical(reader, leaf->column, value));
}

enum taken take_preset(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    if ((leaf->flags & LEAF_OTHER) && is_set(reader, leaf->column))
        return FREE;
    if ((leaf->flags & LEAF_REQUIRED) && leaf->way != WAY_UNDECIDED)
        return take_if(true, take_scalar(reader, leaf, value));
    switch (leaf->way) {
    case WAY_TEXT:
        return take_text_preset(reader, leaf, value);
    case WAY_WHOLE:
    case WAY_NUMBER:
        return take_number_preset(reader, leaf, value);
    case WAY_TIME:
        return take_time_preset(reader, leaf, value);
    case WAY_CONSTANT:
        return take_constant(reader, leaf, value);
    case WAY_JSON:
        return take_json_preset(reader, leaf, value);
    case WAY_STAMP:
        return take_if(true, put_note(reader, leaf->beyond, NULL));
    default:
        return UNDECIDED;
    }
}
