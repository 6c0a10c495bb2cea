/* Bytes that grow, and how texts and whole numbers are spelled into them. */
#ifndef TRANSLATE_SPELLING_H
#define TRANSLATE_SPELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "input.h"

struct bytes {
    uint8_t *at;
    size_t used;
    size_t room;
};

/* Every function that writes tells whether there was memory for it. */
bool bytes_grow(struct bytes *bytes, size_t more);
bool write_quoted(struct bytes *bytes, struct span text); /* as JSON, its quotes around it */
bool write_whole(struct bytes *bytes, int64_t number);

static inline bool bytes_need(struct bytes *bytes, size_t more)
{
    return bytes->room - bytes->used >= more || bytes_grow(bytes, more);
}

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

static inline bool write_bytes(struct bytes *bytes, struct span text)
{
    if (!bytes_need(bytes, text.length))
        return false;
    copy(bytes->at + bytes->used, text.at, text.length);
    bytes->used += text.length;
    return true;
}

static inline bool write_byte(struct bytes *bytes, uint8_t byte)
{
    if (!bytes_need(bytes, 1))
        return false;
    bytes->at[bytes->used++] = byte;
    return true;
}

#endif
