#include "columns.h"

#include <stdlib.h>
#include <string.h>

/* -- rows ------------------------------------------------------------------------------------------------------- */

bool column_is_nested(const struct column *column)
{
    return column->type == TYPE_MAP || column->type == TYPE_LIST;
}

enum { STRIDE = 512 };

/* At first there is room for as many rows as are expected. */
bool column_reach(const struct column *column, struct buffer *buffer, int64_t row, size_t size)
{
    size_t expected = (size_t)column->rows_expected * size;
    if (buffer->capacity == 0 && expected > 0 && !buffer_reserve(buffer, expected))
        return false;
    return buffer_reach(buffer, ((size_t)row / STRIDE + 1) * STRIDE * size);
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
    return column_is_set(column, row) || (column_tell_offsets(column, row + 1) && column_mark(column, row));
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
    if (table->lent.release != NULL)
        table->lent.release(&table->lent);
}
