/* Memory that grows: bytes whose beginning may move, so that what lies in them is told by offsets. */
#ifndef TRANSLATE_MEMORY_H
#define TRANSLATE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
    uint8_t *data;
    size_t length;
    size_t capacity;
};

/* Make room for more bytes behind what is there; false if there is none, or it would be over 2 GB. */
bool buffer_reserve(struct buffer *buffer, size_t more);
static inline bool buffer_need(struct buffer *buffer, size_t more)
{
    return buffer->capacity - buffer->length >= more || buffer_reserve(buffer, more);
}

/* Make it at least so long; what is new is zero. */
bool buffer_reach(struct buffer *buffer, size_t length);

/* Give back the room that is left, unless it is little. */
void buffer_fit(struct buffer *buffer);

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

static inline uint64_t eight_at(const uint8_t *at)
{
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    return eight;
}

static inline uint32_t four_at(const uint8_t *at)
{
    uint32_t four;
    memcpy(&four, at, sizeof four);
    return four;
}

static inline bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (!buffer_need(buffer, length))
        return false;
    if (length > 0) {
        copy(buffer->data + buffer->length, bytes, length);
        buffer->length += length;
    }
    return true;
}

void buffer_free(struct buffer *buffer);

#endif
