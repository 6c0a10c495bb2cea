/* Rows that Python said, which read what was left to it: the cells of each, as JSON of one spelling. It is written for this,
 * and so commas are passed over without a look at where they stand. */
#include "read.h"

/* Read a whole number of 64 bits, which is digits alone. */
static bool read_number(struct cursor *cursor, int64_t *number)
{
    struct value value;
    if (!read_value(cursor, &value, 1) || value.kind != KIND_NUMBER)
        return false;
    bool negative = *value.start == '-';
    uint64_t sum = 0;
    for (size_t at = negative; at < value.length; at++)
        sum = sum * 10 + (uint64_t)(value.start[at] - '0');
    *number = (int64_t)(negative ? 0 - sum : sum);
    return true;
}

static bool append_view(struct reader *reader, struct cursor *cursor, struct view *view)
{
    struct buffer *heap = &reader->table.heap;
    struct value text;
    size_t start = heap->length;
    if (!take(cursor, '"') || !read_text(cursor, &text) || !append_text(heap, &text))
        return false;
    *view = heap_view(heap, start);
    return true;
}

static bool take_entries(struct reader *reader, struct column *column, struct cursor *cursor)
{
    bool is_map = column->type == TYPE_MAP;
    if (!take(cursor, is_map ? '{' : '[') || !column_open(column, reader->row))
        return false;
    while (!take(cursor, is_map ? '}' : ']')) {
        struct view key, value;
        if (is_map && (!append_view(reader, cursor, &key) || !take(cursor, ':')))
            return false;
        if (!append_view(reader, cursor, &value) || !column_add(column, is_map ? &key : NULL, value))
            return false;
        take(cursor, ',');
    }
    return true;
}

static bool take_cell(struct reader *reader, struct column *column, struct cursor *cursor)
{
    struct view text;
    int64_t number;
    if (column_is_nested(column))
        return take_entries(reader, column, cursor);
    if (column->type == TYPE_WHOLE)
        return read_number(cursor, &number) && column_set_whole(column, reader->row, number);
    return append_view(reader, cursor, &text) && column_set_view(column, reader->row, text);
}

bool take_said(struct reader *reader, struct cursor *rows)
{
    struct cursor cursor = *rows;
    if (!take(&cursor, '['))
        return false;
    while (!take(&cursor, ']')) {
        int64_t number;
        if (!read_number(&cursor, &number) || number < 0 || number >= reader->table.n_columns || !take(&cursor, ',') ||
            !take_cell(reader, &reader->table.columns[number], &cursor)) {
            return false;
        }
        take(&cursor, ',');
    }
    rows->at = cursor.at;
    return true;
}
