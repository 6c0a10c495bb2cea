#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 256, KEPT_MIN = 1 << 20, KEPT_MAX = 1 << 24, KEPT = 8 };
static const size_t LARGEST = INT32_MAX; /* Arrow's views and offsets reach no further */

/* Large memory that was let go of, for whoever needs some next. The C library would give it back to the system, and each
 * of its pages, asked for anew, costs more than what is done with it. */
#if defined(__SANITIZE_ADDRESS__)
static const bool KEEPS = false; /* so that none is used that was let go of */
#else
static const bool KEEPS = true;
#endif
static struct {
    bool is_taken; /* by the thread that looks at it */
    struct buffer buffer[KEPT];
} kept;

static void take_kept(void)
{
    while (__atomic_test_and_set(&kept.is_taken, __ATOMIC_ACQUIRE))
        ;
}

static void leave_kept(void)
{
    __atomic_clear(&kept.is_taken, __ATOMIC_RELEASE);
}

/* Give the smallest that is kept and large enough, or an empty one. */
static struct buffer kept_of(size_t capacity)
{
    struct buffer none = {NULL, 0, 0}, *found = &none;
    take_kept();
    for (struct buffer *each = kept.buffer; each < kept.buffer + KEPT; each++)
        if (each->capacity >= capacity && (found->data == NULL || each->capacity < found->capacity))
            found = each;
    struct buffer given = *found;
    *found = none;
    leave_kept();
    return given;
}

/* Keep memory where there is room for it; give what has to go. */
static uint8_t *keep(struct buffer buffer)
{
    struct buffer *smallest = &buffer;
    take_kept();
    for (struct buffer *each = kept.buffer; each < kept.buffer + KEPT; each++)
        if (each->capacity < smallest->capacity)
            smallest = each;
    struct buffer gone = *smallest;
    *smallest = buffer;
    leave_kept();
    return gone.data;
}

static bool is_kept(size_t capacity)
{
    return KEEPS && capacity >= KEPT_MIN && capacity <= KEPT_MAX;
}

bool buffer_is_kept(const struct buffer *buffer)
{
    return is_kept(buffer->capacity);
}

/* Move to memory that is kept, if there is any. */
static bool move_to_kept(struct buffer *buffer, size_t capacity)
{
    struct buffer other = is_kept(capacity) ? kept_of(capacity) : (struct buffer){NULL, 0, 0};
    if (other.data == NULL)
        return false;
    if (buffer->length > 0)
        memcpy(other.data, buffer->data, buffer->length);
    other.length = buffer->length;
    buffer_free(buffer);
    *buffer = other;
    return true;
}

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
    if (move_to_kept(buffer, wanted)) {
        return true;
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
    free(buffer_is_kept(buffer) ? keep(*buffer) : buffer->data);
    *buffer = (struct buffer){NULL, 0, 0};
}
