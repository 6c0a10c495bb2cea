/* JSON as RFC 8259 has it, read exactly: where a value ends, what a text says, which number digits are.
 *
 * A cursor never moves beyond its end. What is valid UTF-8 on the way in is valid on the way out. */
#ifndef TRANSLATE_JSON_H
#define TRANSLATE_JSON_H

#include "plain.h"

enum { NESTING_MAX = 100 }; /* what is nested deeper is for Python to judge */

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool is_loose; /* whether blanks were passed, or escapes of which there are several spellings */
};

static inline struct cursor cursor_over(const uint8_t *bytes, size_t length)
{
    return (struct cursor){bytes, bytes + length, false};
}

enum kind { KIND_NONE, KIND_TEXT, KIND_NUMBER, KIND_TRUE, KIND_FALSE, KIND_NULL, KIND_OBJECT, KIND_ARRAY };

/* A value as it stands: its whole spelling; of a text what lies between the quotes. */
struct value {
    enum kind kind;
    bool escaped; /* a text that holds backslashes; an event that is loose, as a cursor is */
    const uint8_t *start;
    size_t length;
};

static inline bool is_hexadecimal(uint8_t byte)
{
    uint8_t letter = byte | 0x20;
    return (byte >= '0' && byte <= '9') || (letter >= 'a' && letter <= 'f');
}

static inline bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

void pass_blanks(struct cursor *cursor);
static inline void skip_blanks(struct cursor *cursor)
{
    if (cursor->at < cursor->end && is_blank(*cursor->at))
        pass_blanks(cursor);
}

/* Take one byte if it comes next, after blanks. */
static inline bool take(struct cursor *cursor, uint8_t byte)
{
    skip_blanks(cursor);
    bool comes = cursor->at < cursor->end && *cursor->at == byte;
    cursor->at += comes;
    return comes;
}

/* Read the rest of a text in which a backslash, or what ends it wrongly, comes next. */
bool read_text_on(struct cursor *cursor, struct value *value);

/* Read a text; the cursor stands behind the opening quote. */
static inline bool read_text(struct cursor *cursor, struct value *value)
{
    const uint8_t *start = cursor->at, *at = start + plain_bytes(start, (size_t)(cursor->end - start));
    *value = (struct value){KIND_TEXT, false, start, (size_t)(at - start)};
    bool ends = at < cursor->end && *at == '"';
    cursor->at = at + ends;
    return ends || read_text_on(cursor, value);
}

/* Read a value whole; false if it is no JSON, or nested deeper than `depth` allows. */
bool read_any(struct cursor *cursor, struct value *value, int depth);
static inline bool read_value(struct cursor *cursor, struct value *value, int depth)
{
    if (cursor->at == cursor->end || *cursor->at != '"')
        return read_any(cursor, value, depth);
    cursor->at++;
    return read_text(cursor, value);
}

/* Read a member's key and the colon; the cursor stands before the key, or before blanks. */
static inline bool read_key(struct cursor *cursor, struct value *key)
{
    return take(cursor, '"') && read_text(cursor, key) && take(cursor, ':');
}

/* Append what a text says; false if it holds half of a surrogate pair, or memory is short. */
bool append_unescaped(struct buffer *out, const struct value *text);
static inline bool append_text(struct buffer *out, const struct value *text)
{
    return text->escaped ? append_unescaped(out, text) : buffer_append(out, text->start, text->length);
}

/* Append a value as compact JSON, its numbers by their canonical digits. */
bool append_canonical(struct buffer *out, const struct value *value);
/* Append an object or a list, found to be JSON, as compact JSON, its numbers as they are spelled. */
bool append_as_it_stood(struct buffer *out, const struct value *value);

enum digits { DIGITS_EXACT, DIGITS_ROUNDED, DIGITS_UNDECIDED };

/* Append a number's canonical digits, those of the shortest text of its double; a whole number keeps all of its own. */
enum digits append_digits(struct buffer *out, const uint8_t *literal, size_t length);

#endif
