#include "columns.h"

#include <stdlib.h>
#include <string.h>

/* -- rows ------------------------------------------------------------------------------------------------------- */

bool column_is_nested(const struct column *column)
{
    return column->type == TYPE_MAP || column->type == TYPE_LIST;
}

bool column_is_set(const struct column *column, int64_t row)
{
    return (size_t)row < column->validity.length && column->validity.data[row] != 0;
}

enum { STRIDE = 512 };

/* Make a buffer of a column reach a row, and some more at once; at first there is room for as many rows as are expected. */
static bool reach_row(const struct column *column, struct buffer *buffer, int64_t row, size_t size)
{
    size_t needed = ((size_t)row + 1) * size, expected = (size_t)column->rows_expected * size;
    if (needed <= buffer->length)
        return true;
    if (buffer->capacity == 0 && expected > 0 && !buffer_reserve(buffer, expected))
        return false;
    return buffer_reach(buffer, ((size_t)row / STRIDE + 1) * STRIDE * size);
}

static bool mark(struct column *column, int64_t row)
{
    if (!reach_row(column, &column->validity, row, 1))
        return false;
    column->set += !column->validity.data[row];
    column->validity.data[row] = 1;
    return true;
}

bool column_set_whole(struct column *column, int64_t row, int64_t value)
{
    if (!mark(column, row) || !reach_row(column, &column->values, row, sizeof value))
        return false;
    memcpy(column->values.data + (size_t)row * sizeof value, &value, sizeof value);
    return true;
}

bool column_set_view(struct column *column, int64_t row, struct view view)
{
    if (!mark(column, row) || !reach_row(column, &column->values, row, sizeof view))
        return false;
    memcpy(column->values.data + (size_t)row * sizeof view, &view, sizeof view);
    return true;
}

int64_t column_entries(const struct column *column)
{
    return (int64_t)(column->values.length / sizeof(struct view));
}

bool column_tell_offsets(struct column *column, int64_t rows)
{
    int32_t entries = (int32_t)column_entries(column);
    for (; column->rows < rows; column->rows++) {
        if (!buffer_append(&column->offsets, &entries, sizeof entries))
            return false;
    }
    return true;
}

bool column_open(struct column *column, int64_t row)
{
    return column_is_set(column, row) || (column_tell_offsets(column, row + 1) && mark(column, row));
}

bool column_add(struct column *column, const struct view *key, struct view value)
{
    if (key != NULL && !buffer_append(&column->keys, key, sizeof *key))
        return false;
    return buffer_append(&column->values, &value, sizeof value);
}

static void shorten(struct buffer *buffer, size_t length)
{
    if (buffer->length > length) {
        memset(buffer->data + length, 0, buffer->length - length);
        buffer->length = length;
    }
}

static void forget_entries(struct column *column, int64_t row)
{
    int32_t entries;
    memcpy(&entries, column->offsets.data + (size_t)row * sizeof entries, sizeof entries);
    shorten(&column->values, (size_t)entries * sizeof(struct view));
    shorten(&column->keys, (size_t)entries * sizeof(struct view));
    shorten(&column->offsets, (size_t)row * sizeof entries);
    column->rows = row;
}

void column_forget(struct column *column, int64_t row)
{
    if (column_is_nested(column) && column->rows > row) {
        forget_entries(column, row); /* a row that is not set has an offset too, if a later one was */
    }
    if (!column_is_set(column, row))
        return;
    shorten(&column->validity, (size_t)row);
    column->set--;
    if (!column_is_nested(column))
        shorten(&column->values, (size_t)row * (column->type == TYPE_TEXT ? sizeof(struct view) : sizeof(int64_t)));
}

struct view heap_view(const struct buffer *heap, size_t start)
{
    struct view view = {0, {{0}}};
    size_t length = heap->length - start;
    view.length = (int32_t)length;
    if (length <= sizeof view.text.inside) {
        if (length > 0)
            copy(view.text.inside, heap->data + start, length);
    } else {
        memcpy(view.text.outside.prefix, heap->data + start, sizeof view.text.outside.prefix);
        view.text.outside.offset = (int32_t)start;
    }
    return view;
}

const uint8_t *view_bytes(const struct view *view, const struct buffer *heap)
{
    bool is_inside = view->length <= (int32_t)sizeof view->text.inside;
    return is_inside ? view->text.inside : heap->data + view->text.outside.offset;
}

bool table_begin(struct table *table, int32_t columns, const char *const *names, int64_t rows)
{
    memset(table, 0, sizeof *table);
    table->columns = calloc((size_t)columns, sizeof *table->columns);
    if (table->columns == NULL)
        return false;
    table->n_columns = columns;
    table->rows = rows;
    for (int32_t number = 0; number < columns; number++) {
        table->columns[number].name = names[number];
        table->columns[number].rows_expected = rows;
    }
    return true;
}

void table_free(struct table *table)
{
    for (int32_t number = 0; number < table->n_columns; number++) {
        struct column *column = &table->columns[number];
        buffer_free(&column->validity);
        buffer_free(&column->values);
        buffer_free(&column->keys);
        buffer_free(&column->offsets);
    }
    free(table->columns);
    table->columns = NULL;
    table->n_columns = 0;
    buffer_free(&table->heap);
    buffer_free(&table->zeros);
}
