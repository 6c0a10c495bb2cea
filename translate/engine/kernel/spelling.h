/* Bytes that grow, and how texts and whole numbers are spelled into them. */
#ifndef TRANSLATE_SPELLING_H
#define TRANSLATE_SPELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "input.h"
#include "memory.h"

/* Every function that writes tells whether there was memory for it. */
bool write_quoted(struct buffer *buffer, struct span text); /* as JSON, its quotes around it */
bool write_whole(struct buffer *buffer, int64_t number);

/* Copy without a call what is short, and read no byte beyond. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length > 32) {
        memcpy(to, from, length);
    } else if (length >= 16) {
        memcpy(to, from, 16);
        memcpy(to + length - 16, from + length - 16, 16);
    } else if (length >= 8) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else {
        for (size_t number = 0; number < length; number++)
            to[number] = from[number];
    }
}

static inline bool write_bytes(struct buffer *buffer, struct span text)
{
    if (!buffer_need(buffer, text.length))
        return false;
    copy(buffer->data + buffer->length, text.at, text.length);
    buffer->length += text.length;
    return true;
}

static inline bool write_byte(struct buffer *buffer, uint8_t byte)
{
    if (!buffer_need(buffer, 1))
        return false;
    buffer->data[buffer->length++] = byte;
    return true;
}

#endif
