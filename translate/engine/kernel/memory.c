#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 256 };
static const size_t LARGEST = INT32_MAX; /* Arrow's views and offsets reach no further */

bool buffer_reserve(struct buffer *buffer, size_t more)
{
    if (more <= buffer->capacity - buffer->length) {
        return true;
    }
    if (more > LARGEST - buffer->length) {
        return false;
    }
    size_t wanted = buffer->capacity * 2 + SMALLEST;
    if (wanted < buffer->length + more) {
        wanted = buffer->length + more;
    }
    if (wanted > LARGEST) {
        wanted = LARGEST;
    }
    uint8_t *data = realloc(buffer->data, wanted);
    if (data == NULL) {
        return false;
    }
    buffer->data = data;
    buffer->capacity = wanted;
    return true;
}

bool buffer_reach(struct buffer *buffer, size_t length)
{
    if (length > buffer->length) {
        if (!buffer_reserve(buffer, length - buffer->length)) {
            return false;
        }
        memset(buffer->data + buffer->length, 0, length - buffer->length);
        buffer->length = length;
    }
    return true;
}

void buffer_fit(struct buffer *buffer)
{
    if (buffer->capacity - buffer->length <= buffer->length / 8) {
        return;
    }
    if (buffer->length == 0) {
        buffer_free(buffer);
        return;
    }
    uint8_t *data = realloc(buffer->data, buffer->length);
    if (data != NULL) {
        buffer->data = data;
        buffer->capacity = buffer->length;
    }
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){NULL, 0, 0};
}
