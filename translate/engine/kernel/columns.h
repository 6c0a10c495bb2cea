/* Columns that are built row by row, and handed over as Arrow arrays. */
#ifndef TRANSLATE_COLUMNS_H
#define TRANSLATE_COLUMNS_H

#include "arrow.h"
#include "memory.h"

enum type { TYPE_TEXT, TYPE_WHOLE, TYPE_MAP, TYPE_LIST };

/* A column; a row that nothing is set in is null. Of maps `values` and `keys` are the entries, of lists `values`. */
struct column {
    const char *name;
    enum type type;
    struct buffer validity; /* a byte a row until it is handed over */
    struct buffer values;
    struct buffer keys;
    struct buffer offsets;
    int64_t rows; /* up to which offsets are told */
    int64_t set;  /* how many rows are set */
    int64_t rows_expected;
};

struct table {
    struct column *columns;
    int32_t n_columns;
    int64_t rows;
    struct buffer heap;  /* what the texts say */
    struct buffer zeros; /* the values of columns that nothing was set in */
    struct ArrowArray lent; /* what was read, where views of a column of texts may show it as it lies there: then its only column
                             * is one of texts, whose buffers come after the heap */
    int32_t lent_to;        /* the number of that column */
};

/* Whether rows have entries, of which the offsets tell. */
bool column_is_nested(const struct column *column);

static inline bool column_is_set(const struct column *column, int64_t row)
{
    return (size_t)row < column->validity.length && column->validity.data[row] != 0;
}

/* Make a buffer of a column reach a row, and some more at once. */
bool column_reach(const struct column *column, struct buffer *buffer, int64_t row, size_t size);

static inline bool column_need(const struct column *column, struct buffer *buffer, int64_t row, size_t size)
{
    return ((size_t)row + 1) * size <= buffer->length || column_reach(column, buffer, row, size);
}

static inline bool column_mark(struct column *column, int64_t row)
{
    if (!column_need(column, &column->validity, row, 1))
        return false;
    column->set += !column->validity.data[row];
    column->validity.data[row] = 1;
    return true;
}

static inline bool column_set(struct column *column, int64_t row, const void *value, size_t size)
{
    if (!column_mark(column, row) || !column_need(column, &column->values, row, size))
        return false;
    memcpy(column->values.data + (size_t)row * size, value, size);
    return true;
}

static inline bool column_set_whole(struct column *column, int64_t row, int64_t value)
{
    return column_set(column, row, &value, sizeof value);
}

static inline bool column_set_view(struct column *column, int64_t row, struct view view)
{
    return column_set(column, row, &view, sizeof view);
}

/* Open a row of a map or a list, unless it is open; what is added next belongs to it. */
bool column_open(struct column *column, int64_t row);
static inline bool column_add(struct column *column, const struct view *key, struct view value)
{
    if (key != NULL && !buffer_append(&column->keys, key, sizeof *key))
        return false;
    return buffer_append(&column->values, &value, sizeof value);
}

int64_t column_entries(const struct column *column);
/* Tell where the rows before one begin, as far as that was not told. */
bool column_tell_offsets(struct column *column, int64_t rows);
/* Forget the last row, with its entries. */
void column_forget(struct column *column, int64_t row);

/* Two halves of a word, as they lie in memory. */
static inline uint64_t halves(uint32_t first, uint32_t second)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return (uint64_t)first << 32 | second;
#else
    return (uint64_t)second << 32 | first;
#endif
}

/* Give the view of a text that lies in the heap. It is put together as two words: one that was stored in smaller pieces is
 * waited for when it is read. */
static inline struct view view_of(const struct buffer *heap, size_t start, size_t length)
{
    static const uint8_t kept[2 * VIEW_INSIDE] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    uint8_t inside[VIEW_INSIDE] = {0};
    const uint8_t *at = inside;
    if (heap->capacity - start >= VIEW_INSIDE)
        at = heap->data + start;
    else if (length > 0)
        memcpy(inside, heap->data + start, length);
    uint32_t prefix = four_at(at);
    uint64_t words[2] = {0, halves(0, (uint32_t)start)};
    if (length <= VIEW_INSIDE) {
        const uint8_t *mask = kept + VIEW_INSIDE - length;
        prefix &= four_at(mask);
        words[1] = eight_at(at + sizeof prefix) & eight_at(mask + sizeof prefix);
    }
    words[0] = halves((uint32_t)length, prefix);
    struct view view;
    memcpy(&view, words, sizeof view);
    return view;
}

/* Give the view of a text that lies in the heap from `start` on to its end. */
static inline struct view heap_view(const struct buffer *heap, size_t start)
{
    return view_of(heap, start, heap->length - start);
}

/* Give the text that a view shows. */
static inline const uint8_t *view_bytes(const struct view *view, const struct buffer *heap)
{
    bool is_inside = view->length <= (int32_t)sizeof view->text.inside;
    return is_inside ? view->text.inside : heap->data + view->text.outside.offset;
}

/* Begin a table of columns of texts. */
bool table_begin(struct table *table, int32_t columns, const char *const *names, int64_t rows);
/* Hand a table over: a stream of one array, which owns all that the table had; false if memory is short. */
bool table_hand_over(struct table *table, struct ArrowArrayStream *stream);
void table_free(struct table *table);

#endif
