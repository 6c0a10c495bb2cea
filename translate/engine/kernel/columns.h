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
};

/* Whether rows have entries, of which the offsets tell. */
bool column_is_nested(const struct column *column);
bool column_is_set(const struct column *column, int64_t row);
bool column_set_whole(struct column *column, int64_t row, int64_t value);
bool column_set_view(struct column *column, int64_t row, struct view view);
/* Open a row of a map or a list, unless it is open; what is added next belongs to it. */
bool column_open(struct column *column, int64_t row);
bool column_add(struct column *column, const struct view *key, struct view value);
int64_t column_entries(const struct column *column);
/* Tell where the rows before one begin, as far as that was not told. */
bool column_tell_offsets(struct column *column, int64_t rows);
/* Forget the last row, with its entries. */
void column_forget(struct column *column, int64_t row);

/* Give the view of a text that lies in the heap from `start` on to its end. */
struct view heap_view(const struct buffer *heap, size_t start);
/* Give the text that a view shows. */
const uint8_t *view_bytes(const struct view *view, const struct buffer *heap);

/* Begin a table of columns of texts. */
bool table_begin(struct table *table, int32_t columns, const char *const *names, int64_t rows);
/* Hand a table over: a stream of one array, which owns all that the table had; false if memory is short. */
bool table_hand_over(struct table *table, struct ArrowArrayStream *stream);
void table_free(struct table *table);

#endif
