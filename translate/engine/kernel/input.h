/* A frame that polars hands over: its columns as texts, whole numbers, flags and maps, read where they lie. */
#ifndef TRANSLATE_INPUT_H
#define TRANSLATE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrow.h"

enum kind { KIND_NONE, KIND_TEXT, KIND_WHOLE, KIND_FLAG, KIND_MAP };

/* Bytes that lie somewhere. */
struct span {
    const uint8_t *at;
    size_t length;
};

struct texts_given {
    const uint8_t *valid;
    const struct view *views;
    const uint8_t *const *buffers;
    int64_t first; /* the bit and the view of row 0 */
};

/* One of its columns. */
struct given {
    enum kind kind;
    const uint8_t *valid;
    int64_t first; /* the bit and the value of row 0 */
    const void *values;
    struct texts_given texts; /* of a text: itself; of a map: its values */
    struct texts_given keys;
};

struct frame {
    struct ArrowSchema schema;
    struct ArrowArray array;
    int64_t rows;
    int64_t columns;
    struct given *column;
};

/* Take what a stream holds, which is one array or none; to be let go of in any case. */
bool frame_take(struct frame *frame, struct ArrowArrayStream *stream);
void frame_let_go(struct frame *frame);

static inline bool bit_is_set(const uint8_t *bits, int64_t number)
{
    return bits == NULL || (bits[number >> 3] >> (number & 7) & 1);
}

static inline bool is_there(const struct given *column, int64_t row)
{
    return bit_is_set(column->valid, column->first + row);
}

static inline bool text_is_there(const struct texts_given *texts, int64_t row)
{
    return bit_is_set(texts->valid, texts->first + row);
}

static inline struct span text_at(const struct texts_given *texts, int64_t row)
{
    const struct view *view = &texts->views[texts->first + row];
    const uint8_t *at = view->text.inside;
    if (view->length > VIEW_INSIDE)
        at = texts->buffers[view->text.outside.buffer] + view->text.outside.offset;
    return (struct span){at, (size_t)view->length};
}

enum { ROWS_AHEAD = 16 };

/* Have a text brought near that is read soon, as it lies far from those of the rows before; what says where an absent one lies
 * may say anything. */
static inline void fetch_text(const struct texts_given *texts, int64_t row)
{
    if (text_is_there(texts, row))
        __builtin_prefetch(text_at(texts, row).at);
}

/* Give the text of a column's row, and have the view of a later one brought near: there are more columns than a processor
 * follows by itself. */
static inline struct span text_of_row(const struct given *column, int64_t row)
{
    uintptr_t view = (uintptr_t)&column->texts.views[column->texts.first + row];
    __builtin_prefetch((const void *)(view + ROWS_AHEAD * sizeof(struct view)));
    return text_at(&column->texts, row);
}

static inline int64_t whole_at(const struct given *column, int64_t row)
{
    return ((const int64_t *)column->values)[column->first + row];
}

static inline bool flag_at(const struct given *column, int64_t row)
{
    return bit_is_set(column->values, column->first + row);
}

/* Give the number of the first entry of a row's map, and the one after its last. */
static inline int64_t entries_from(const struct given *column, int64_t row)
{
    return ((const int32_t *)column->values)[column->first + row];
}

static inline int64_t entries_to(const struct given *column, int64_t row)
{
    return ((const int32_t *)column->values)[column->first + row + 1];
}

#endif
