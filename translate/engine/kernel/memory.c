#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 256, POOLED_MIN_BITS = 12, POOLED_MAX_BITS = 24, SIZES = (POOLED_MAX_BITS - POOLED_MIN_BITS + 1) * 8, SIZES_TRIED = 4 };
static const size_t LARGEST = INT32_MAX; /* Arrow's views and offsets reach no further */
static const size_t POOLED_MAX = (size_t)1 << POOLED_MAX_BITS;
static const size_t FREE_MAX = (size_t)36 << 20; /* of the batches on their way: less is mapped anew, page by page, for each of them */

/* Memory that was let go of, for whoever needs as much next. Left to the C library, each batch would leave holes that the
 * next one does not fit into, or pages that cost more to get anew than what is done with them. It comes in eight sizes to
 * each power of two. */
#if defined(__SANITIZE_ADDRESS__)
static const bool IS_POOLED = false; /* so that none is used that was let go of */
#else
static const bool IS_POOLED = true;
#endif
struct block {
    struct block *next;
};
static struct {
    bool is_taken; /* by the thread that looks at it */
    size_t free_bytes;
    struct block *blocks[SIZES];
    uint64_t asked; /* how often memory was asked for */
    uint64_t asked_last[SIZES];
} pool;

static void take_pool(void)
{
    while (__atomic_test_and_set(&pool.is_taken, __ATOMIC_ACQUIRE))
        ;
}

static void leave_pool(void)
{
    __atomic_clear(&pool.is_taken, __ATOMIC_RELEASE);
}

static bool is_pooled(size_t capacity)
{
    return IS_POOLED && capacity >= (size_t)1 << POOLED_MIN_BITS && capacity <= POOLED_MAX;
}

/* Give the number of the smallest size that is large enough. */
static int size_of(size_t wanted)
{
    size_t last = wanted - 1;
    int bits = 63 - __builtin_clzll(last), eighth = (int)(last >> (bits - 3)) - 8;
    return (bits - POOLED_MIN_BITS + 1) * 8 + eighth;
}

static size_t capacity_of(int size)
{
    return (size_t)(size % 8 + 9) << (size / 8 + POOLED_MIN_BITS - 4);
}

/* Give the first block of a size. */
static struct block *first_of(int size)
{
    struct block *block = pool.blocks[size];
    if (block != NULL) {
        pool.blocks[size] = block->next;
        pool.free_bytes -= capacity_of(size);
    }
    return block;
}

/* Take memory of that size, or of one of the next ones, which is better than pages that are new. */
static struct block *take_block(int *size, int sizes_tried)
{
    pool.asked_last[*size] = ++pool.asked;
    for (int larger = *size; larger < *size + sizes_tried && larger < SIZES; larger++) {
        struct block *block = first_of(larger);
        if (block == NULL)
            continue;
        pool.asked_last[larger] = pool.asked;
        *size = larger;
        return block;
    }
    return NULL;
}

/* Keep a block, and give those that are too much then: of sizes that nobody asked for longest. */
static struct block *keep(struct block *block, int size)
{
    struct block *too_much = NULL;
    block->next = pool.blocks[size];
    pool.blocks[size] = block;
    pool.free_bytes += capacity_of(size);
    while (pool.free_bytes > FREE_MAX) {
        int oldest = size;
        for (int other = 0; other < SIZES; other++)
            if (pool.blocks[other] != NULL && pool.asked_last[other] < pool.asked_last[oldest])
                oldest = other;
        block = first_of(oldest);
        block->next = too_much;
        too_much = block;
    }
    return too_much;
}

static uint8_t *take(size_t *capacity, int sizes_tried)
{
    if (!is_pooled(*capacity))
        return malloc(*capacity);
    int size = size_of(*capacity);
    take_pool();
    struct block *block = take_block(&size, sizes_tried);
    leave_pool();
    *capacity = capacity_of(size);
    return block != NULL ? (uint8_t *)block : malloc(*capacity);
}

static void let_go(uint8_t *data, size_t capacity)
{
    if (!is_pooled(capacity)) {
        free(data);
        return;
    }
    take_pool();
    struct block *too_much = keep((void *)data, size_of(capacity));
    leave_pool();
    for (struct block *next; too_much != NULL; too_much = next) {
        next = too_much->next;
        free(too_much);
    }
}

static bool move(struct buffer *buffer, size_t capacity, int sizes_tried)
{
    bool is_left_to_c = !is_pooled(capacity) && !is_pooled(buffer->capacity);
    uint8_t *data = is_left_to_c ? realloc(buffer->data, capacity) : take(&capacity, sizes_tried);
    if (data == NULL)
        return false;
    if (!is_left_to_c && buffer->data != NULL) {
        memcpy(data, buffer->data, buffer->length);
        let_go(buffer->data, buffer->capacity);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool buffer_reserve(struct buffer *buffer, size_t more)
{
    if (more <= buffer->capacity - buffer->length)
        return true;
    if (more > LARGEST - buffer->length)
        return false;
    size_t wanted = buffer->capacity * 2 + SMALLEST;
    if (wanted < buffer->length + more)
        wanted = buffer->length + more;
    return move(buffer, wanted < LARGEST ? wanted : LARGEST, SIZES_TRIED);
}

bool buffer_reach(struct buffer *buffer, size_t length)
{
    if (length > buffer->length) {
        if (!buffer_reserve(buffer, length - buffer->length))
            return false;
        memset(buffer->data + buffer->length, 0, length - buffer->length);
        buffer->length = length;
    }
    return true;
}

void buffer_fit(struct buffer *buffer)
{
    if (buffer->length == 0)
        buffer_free(buffer);
    else if (buffer->capacity - buffer->length > buffer->length / 2)
        (void)move(buffer, buffer->length, 1);
}

void buffer_free(struct buffer *buffer)
{
    if (buffer->data != NULL)
        let_go(buffer->data, buffer->capacity);
    *buffer = (struct buffer){NULL, 0, 0};
}
