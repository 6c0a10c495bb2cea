/* Memory that grows: bytes whose beginning may move, so that what lies in them is told by offsets. */
#ifndef TRANSLATE_MEMORY_H
#define TRANSLATE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_free(struct buffer *buffer);

#endif
