#include "json.h"

#include <string.h>

/* -- where things end ------------------------------------------------------------------------------------------- */

void pass_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && is_blank(*cursor->at)) {
        cursor->is_loose = true;
        cursor->at++;
    }
}

/* Pass over what follows a backslash. */
static bool skip_escape(struct cursor *cursor)
{
    if (cursor->at >= cursor->end)
        return false;
    switch (*cursor->at++) {
    case '"': case '\\': case 'b': case 'f': case 'n': case 'r': case 't':
        return true;
    case '/':
        cursor->is_loose = true;
        return true;
    case 'u':
        cursor->is_loose = true;
        break;
    default:
        return false;
    }
    for (int digit = 0; digit < 4; digit++) {
        if (cursor->at >= cursor->end || !is_hexadecimal(*cursor->at++))
            return false;
    }
    return true;
}

bool read_text_on(struct cursor *cursor, struct value *value)
{
    while (cursor->at < cursor->end && *cursor->at == '\\') {
        value->escaped = true;
        cursor->at++;
        if (!skip_escape(cursor))
            return false;
        cursor->at += plain_bytes(cursor->at, (size_t)(cursor->end - cursor->at));
    }
    value->length = (size_t)(cursor->at - value->start);
    return cursor->at < cursor->end && *cursor->at++ == '"';
}

static size_t skip_figures(struct cursor *cursor)
{
    const uint8_t *start = cursor->at;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9')
        cursor->at++;
    return (size_t)(cursor->at - start);
}

static bool read_number(struct cursor *cursor, struct value *value)
{
    value->kind = KIND_NUMBER;
    value->start = cursor->at;
    if (*cursor->at == '-')
        cursor->at++;
    bool starts_with_zero = cursor->at < cursor->end && *cursor->at == '0';
    size_t figures = skip_figures(cursor);
    if (figures == 0 || (starts_with_zero && figures > 1))
        return false;
    if (cursor->at < cursor->end && *cursor->at == '.') {
        cursor->at++;
        if (skip_figures(cursor) == 0)
            return false;
    }
    if (cursor->at < cursor->end && (*cursor->at | 0x20) == 'e') {
        cursor->at++;
        if (cursor->at < cursor->end && (*cursor->at == '-' || *cursor->at == '+'))
            cursor->at++;
        if (skip_figures(cursor) == 0)
            return false;
    }
    value->length = (size_t)(cursor->at - value->start);
    return true;
}

static bool read_word(struct cursor *cursor, struct value *value, const char *word, enum kind kind)
{
    size_t length = strlen(word);
    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0)
        return false;
    *value = (struct value){kind, false, cursor->at, length};
    cursor->at += length;
    return true;
}

static bool skip_members(struct cursor *cursor, int depth)
{
    struct value key, inner;
    if (take(cursor, '}'))
        return true;
    do {
        if (!read_key(cursor, &key) || !read_value(cursor, &inner, depth))
            return false;
    } while (take(cursor, ','));
    return take(cursor, '}');
}

static bool skip_elements(struct cursor *cursor, int depth)
{
    struct value inner;
    if (take(cursor, ']'))
        return true;
    do {
        if (!read_value(cursor, &inner, depth))
            return false;
    } while (take(cursor, ','));
    return take(cursor, ']');
}

static bool read_nested(struct cursor *cursor, struct value *value, int depth)
{
    const uint8_t *start = cursor->at;
    bool is_object = *cursor->at++ == '{';
    if (depth <= 0 || !(is_object ? skip_members(cursor, depth - 1) : skip_elements(cursor, depth - 1)))
        return false;
    *value = (struct value){is_object ? KIND_OBJECT : KIND_ARRAY, false, start, (size_t)(cursor->at - start)};
    return true;
}

bool read_any(struct cursor *cursor, struct value *value, int depth)
{
    skip_blanks(cursor);
    if (cursor->at >= cursor->end)
        return false;
    value->escaped = false;
    switch (*cursor->at) {
    case '"':
        cursor->at++;
        return read_text(cursor, value);
    case '{':
    case '[':
        return read_nested(cursor, value, depth);
    case 't':
        return read_word(cursor, value, "true", KIND_TRUE);
    case 'f':
        return read_word(cursor, value, "false", KIND_FALSE);
    case 'n':
        return read_word(cursor, value, "null", KIND_NULL);
    case '-':
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        return read_number(cursor, value);
    default:
        return false;
    }
}

/* -- what a text says ------------------------------------------------------------------------------------------- */

static unsigned four_digits(const uint8_t *at)
{
    unsigned code = 0;
    for (int digit = 0; digit < 4; digit++) {
        unsigned byte = at[digit];
        code = code * 16 + (byte <= '9' ? byte - '0' : (byte | 0x20u) - 'a' + 10);
    }
    return code;
}

static size_t put_utf8(uint8_t *to, unsigned code)
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xC0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xE0 | code >> 12);
        to[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        to[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | code >> 18);
    to[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    to[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    to[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

/* Write the character of a `\u` escape, whose digits come next; false for half of a surrogate pair. */
static bool put_escaped(uint8_t **to, struct cursor *from)
{
    unsigned code = four_digits(from->at);
    from->at += 4;
    if (code >= 0xD800 && code < 0xE000) {
        if (code >= 0xDC00 || from->end - from->at < 6 || from->at[0] != '\\' || from->at[1] != 'u')
            return false;
        unsigned low = four_digits(from->at + 2);
        if (low < 0xDC00 || low >= 0xE000)
            return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        from->at += 6;
    }
    *to += put_utf8(*to, code);
    return true;
}

static uint8_t control_of(uint8_t letter)
{
    switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return letter;
    }
}

bool append_unescaped(struct buffer *out, const struct value *text)
{
    if (!buffer_reserve(out, text->length))
        return false;
    uint8_t *to = out->data + out->length;
    struct cursor from = cursor_over(text->start, text->length);
    while (from.at < from.end) {
        const uint8_t *slash = memchr(from.at, '\\', (size_t)(from.end - from.at));
        size_t plain = (size_t)((slash == NULL ? from.end : slash) - from.at);
        memcpy(to, from.at, plain);
        to += plain;
        from.at += plain;
        if (slash == NULL)
            break;
        uint8_t letter = from.at[1];
        from.at += 2;
        if (letter != 'u') {
            *to++ = control_of(letter);
        } else if (!put_escaped(&to, &from)) {
            return false;
        }
    }
    out->length = (size_t)(to - out->data);
    return true;
}

/* -- written back ----------------------------------------------------------------------------------------------- */

/* Append a text as compact JSON spells it: as it stands, unless it holds escapes, of which there are several spellings. */
static bool append_requoted(struct buffer *out, const struct value *text)
{
    if (!text->escaped)
        return buffer_append(out, text->start - 1, text->length + 2);
    struct buffer plain = {NULL, 0, 0};
    bool done = append_text(&plain, text) && append_quoted(out, plain.data, plain.length);
    buffer_free(&plain);
    return done;
}

static bool copy_value(struct buffer *out, struct cursor *from, int depth);

static bool copy_members(struct buffer *out, struct cursor *from, int depth)
{
    struct value key;
    for (bool first = true; !take(from, '}'); first = false) {
        if (!first && !(take(from, ',') && buffer_append(out, ",", 1)))
            return false;
        if (!read_key(from, &key) || !append_requoted(out, &key) || !buffer_append(out, ":", 1))
            return false;
        if (!copy_value(out, from, depth))
            return false;
    }
    return buffer_append(out, "}", 1);
}

static bool copy_elements(struct buffer *out, struct cursor *from, int depth)
{
    for (bool first = true; !take(from, ']'); first = false) {
        if (!first && !(take(from, ',') && buffer_append(out, ",", 1)))
            return false;
        if (!copy_value(out, from, depth))
            return false;
    }
    return buffer_append(out, "]", 1);
}

/* Write what comes next, which was read before and found to be JSON, as compact JSON with canonical numbers. */
static bool copy_value(struct buffer *out, struct cursor *from, int depth)
{
    skip_blanks(from);
    if (from->at >= from->end || depth < 0)
        return false;
    if (*from->at == '{' || *from->at == '[') {
        bool is_object = *from->at == '{';
        return buffer_append(out, from->at++, 1) &&
               (is_object ? copy_members(out, from, depth - 1) : copy_elements(out, from, depth - 1));
    }
    struct value value;
    if (!read_value(from, &value, 0))
        return false;
    if (value.kind == KIND_TEXT)
        return append_requoted(out, &value);
    if (value.kind == KIND_NUMBER)
        return append_digits(out, value.start, value.length) != DIGITS_UNDECIDED;
    return buffer_append(out, value.start, value.length);
}

bool append_canonical(struct buffer *out, const struct value *value)
{
    if (value->kind == KIND_TEXT)
        return append_requoted(out, value);
    struct cursor from = cursor_over(value->start, value->length);
    return copy_value(out, &from, NESTING_MAX);
}

/* Tell whether a text's escapes are those that it is quoted with. */
static bool is_escaped_alike(const struct value *text)
{
    const uint8_t *at = text->start, *end = text->start + text->length;
    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if (at[1] == '/' || at[1] == 'u')
            return false;
        at += 2;
    }
    return true;
}

bool append_as_it_stood(struct buffer *out, const struct value *value)
{
    if (!value->escaped)
        return buffer_append(out, value->start, value->length);
    struct cursor from = cursor_over(value->start, value->length);
    const uint8_t *kept = from.at; /* from here on it is copied as one piece */
    while (from.at < from.end) {
        const uint8_t *piece_end = from.at;
        struct value text = {KIND_NONE, false, NULL, 0};
        if (*from.at == '"') {
            from.at++;
            if (!read_text(&from, &text))
                return false;
            if (!text.escaped || is_escaped_alike(&text))
                continue;
        } else if (*from.at > ' ') {
            from.at++;
            continue;
        } else {
            skip_blanks(&from);
        }
        if (!buffer_append(out, kept, (size_t)(piece_end - kept)) || (text.escaped && !append_requoted(out, &text)))
            return false;
        kept = from.at;
    }
    return buffer_append(out, kept, (size_t)(from.at - kept));
}
