/* Bytes that grow, and how texts and whole numbers are spelled into them. */
#ifndef TRANSLATE_SPELLING_H
#define TRANSLATE_SPELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "input.h"
#include "memory.h"
#include "plain.h"

/* Every function that writes tells whether there was memory for it. */
bool write_whole(struct buffer *buffer, int64_t number);

static inline bool write_quoted(struct buffer *buffer, struct span text)
{
    return append_quoted(buffer, text.at, text.length);
}

static inline bool write_bytes(struct buffer *buffer, struct span text)
{
    return buffer_append(buffer, text.at, text.length);
}

static inline bool write_byte(struct buffer *buffer, uint8_t byte)
{
    if (!buffer_need(buffer, 1))
        return false;
    buffer->data[buffer->length++] = byte;
    return true;
}

/* Put a comma unless this is the first part of its object or list: then the bracket is the last byte. */
static inline bool write_comma(struct buffer *out)
{
    uint8_t last = out->length > 0 ? out->data[out->length - 1] : ',';
    return last == '{' || last == '[' || write_byte(out, ',');
}

#endif
