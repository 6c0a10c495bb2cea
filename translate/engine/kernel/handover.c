/* A table as Arrow arrays: whoever takes them over calls back when they are not needed any more, on any thread. */
#include <stdlib.h>
#include <string.h>

#include "columns.h"

enum { BUFFERS_MAX = 4, NODES_OF_MAP = 4, BESIDE_TEXTS = 3 }; /* the latter are the buffers that do not hold what texts say */

/* What all arrays of a table share; the last one that is released frees it. */
struct owner {
    struct table table;
    int32_t references;
    int64_t *sizes; /* of the texts' buffers: the heap, then what is lent */
    struct ArrowArray *arrays;
    struct ArrowArray **children;
    const void **buffers;
    int32_t used_arrays;
    int32_t used_children;
    int32_t used_buffers;
};

static const uint8_t nothing[16];

static void let_go(struct owner *owner)
{
    if (__atomic_sub_fetch(&owner->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    table_free(&owner->table);
    free(owner->arrays);
    free(owner->children);
    free(owner->buffers);
    free(owner->sizes);
    free(owner);
}

static void release_array(struct ArrowArray *array)
{
    for (int64_t number = 0; number < array->n_children; number++) {
        struct ArrowArray *child = array->children[number];
        if (child->release != NULL)
            child->release(child);
    }
    struct owner *owner = array->private_data;
    array->release = NULL;
    let_go(owner);
}

/* -- arrays ----------------------------------------------------------------------------------------------------- */

/* Put a byte a row into a bit a row, in place. */
static const void *pack(struct buffer *validity, int64_t rows, int64_t set)
{
    if (set == rows)
        return NULL;
    for (int64_t row = 0; row < rows; row += 8) {
        uint8_t bits = 0;
        for (int64_t bit = 0; bit < 8 && row + bit < rows; bit++)
            bits |= (uint8_t)(validity->data[row + bit] << bit);
        validity->data[row / 8] = bits;
    }
    return validity->data;
}

static struct ArrowArray *add_array(struct owner *owner, int64_t length, int64_t nulls, int n_buffers, int n_children)
{
    struct ArrowArray *array = &owner->arrays[owner->used_arrays++];
    memset(array, 0, sizeof *array);
    array->length = length;
    array->null_count = nulls;
    array->n_buffers = n_buffers;
    array->buffers = &owner->buffers[owner->used_buffers];
    array->n_children = n_children;
    array->children = n_children > 0 ? &owner->children[owner->used_children] : NULL;
    array->release = release_array;
    array->private_data = owner;
    owner->used_buffers += n_buffers;
    owner->used_children += n_children;
    owner->references++;
    return array;
}

static const void *bytes_of(const struct buffer *buffer)
{
    return buffer->data == NULL ? nothing : buffer->data;
}

/* Count the buffers that texts are lent from. */
static int lent_buffers(const struct table *table)
{
    return table->lent.release == NULL ? 0 : (int)table->lent.children[0]->n_buffers - BESIDE_TEXTS;
}

static struct ArrowArray *add_views(struct owner *owner, int64_t length, int64_t nulls, const void *validity, const struct buffer *views, int lent)
{
    struct ArrowArray *array = add_array(owner, length, nulls, BUFFERS_MAX + lent, 0);
    array->buffers[0] = validity;
    array->buffers[1] = views->length == 0 ? bytes_of(&owner->table.zeros) : views->data;
    array->buffers[2] = bytes_of(&owner->table.heap);
    for (int number = 0; number < lent; number++)
        array->buffers[3 + number] = owner->table.lent.children[0]->buffers[2 + number];
    array->buffers[3 + lent] = owner->sizes;
    return array;
}

static struct ArrowArray *add_nested(struct owner *owner, struct column *column, int64_t rows, const void *validity)
{
    int64_t entries = column_entries(column);
    struct ArrowArray *array = add_array(owner, rows, rows - column->set, 2, 1);
    array->buffers[0] = validity;
    array->buffers[1] = bytes_of(&column->offsets);
    if (column->type == TYPE_LIST) {
        array->children[0] = add_views(owner, entries, 0, NULL, &column->values, 0);
        return array;
    }
    struct ArrowArray *pairs = add_array(owner, entries, 0, 1, 2);
    pairs->buffers[0] = NULL;
    array->children[0] = pairs;
    pairs->children[0] = add_views(owner, entries, 0, NULL, &column->keys, 0);
    pairs->children[1] = add_views(owner, entries, 0, NULL, &column->values, 0);
    return array;
}

static struct ArrowArray *add_column(struct owner *owner, struct column *column)
{
    int64_t rows = owner->table.rows;
    const void *validity = column->set == 0 ? bytes_of(&owner->table.zeros) : pack(&column->validity, rows, column->set);
    if (column->type == TYPE_TEXT) {
        bool is_lent = column == &owner->table.columns[owner->table.lent_to];
        return add_views(owner, rows, rows - column->set, validity, &column->values, is_lent ? lent_buffers(&owner->table) : 0);
    }
    if (column_is_nested(column))
        return add_nested(owner, column, rows, validity);
    struct ArrowArray *array = add_array(owner, rows, rows - column->set, 2, 0);
    array->buffers[0] = validity;
    array->buffers[1] = bytes_of(column->set == 0 ? &owner->table.zeros : &column->values);
    return array;
}

/* Make every buffer as long as the rows ask for. */
static bool fill_up(struct table *table)
{
    size_t rows = (size_t)table->rows, bytes = (rows + 1) * sizeof(struct view);
    for (int32_t number = 0; number < table->n_columns; number++) {
        struct column *column = &table->columns[number];
        bool is_nested = column_is_nested(column);
        if (is_nested && !column_tell_offsets(column, table->rows + 1))
            return false;
        if (column->set == 0) {
            column->values.length = 0; /* what was set may have been forgotten */
            continue;
        }
        if (!buffer_reach(&column->validity, rows + 8) || (!is_nested && !buffer_reach(&column->values, bytes)))
            return false;
    }
    return buffer_reach(&table->zeros, bytes);
}

/* Keep no more than what is handed over: as many tables wait as batches are on their way. */
static void fit(struct table *table)
{
    for (int32_t number = 0; number < table->n_columns; number++) {
        struct column *column = &table->columns[number];
        buffer_fit(&column->validity);
        buffer_fit(&column->values);
        buffer_fit(&column->keys);
        buffer_fit(&column->offsets);
    }
    buffer_fit(&table->heap);
}

/* -- schemas ---------------------------------------------------------------------------------------------------- */

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t number = 0; number < schema->n_children; number++) {
        if (schema->children[number]->release != NULL)
            schema->children[number]->release(schema->children[number]);
        free(schema->children[number]);
    }
    free(schema->children);
    free((void *)schema->name);
    schema->release = NULL;
}

static char *copy_of(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    return copy == NULL ? NULL : strcpy(copy, text);
}

static bool describe(struct ArrowSchema *schema, const char *format, const char *name, int64_t n_children)
{
    memset(schema, 0, sizeof *schema);
    schema->format = format;
    schema->flags = ARROW_FLAG_NULLABLE;
    schema->release = release_schema;
    schema->name = copy_of(name);
    if (n_children > 0)
        schema->children = calloc((size_t)n_children, sizeof *schema->children);
    for (int64_t number = 0; schema->children != NULL && number < n_children; number++) {
        schema->children[number] = calloc(1, sizeof **schema->children);
        schema->n_children += schema->children[number] != NULL;
    }
    return schema->name != NULL && schema->n_children == n_children;
}

static bool describe_column(struct ArrowSchema *schema, const struct column *column)
{
    static const char *const formats[] = {"vu", "l", "+m", "+l"};
    if (!describe(schema, formats[column->type], column->name, column_is_nested(column)))
        return false;
    if (column->type == TYPE_LIST)
        return describe(schema->children[0], "vu", "item", 0);
    if (column->type == TYPE_MAP) {
        struct ArrowSchema *pairs = schema->children[0];
        if (!describe(pairs, "+s", "entries", 2))
            return false;
        pairs->flags = 0;
        return describe(pairs->children[0], "vu", "key", 0) && describe(pairs->children[1], "vu", "value", 0);
    }
    return true;
}

/* -- the stream ------------------------------------------------------------------------------------------------- */

/* A stream of one array: the array until it is taken. */
struct pending {
    struct owner *owner;
    struct ArrowArray array;
    bool taken;
};

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *schema)
{
    struct pending *pending = stream->private_data;
    struct owner *owner = pending->owner;
    bool done = describe(schema, "+s", "", owner->table.n_columns);
    for (int32_t number = 0; done && number < owner->table.n_columns; number++) {
        done = describe_column(schema->children[number], &owner->table.columns[number]);
    }
    if (!done && schema->release != NULL)
        schema->release(schema);
    return done ? 0 : 12;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *array)
{
    struct pending *pending = stream->private_data;
    memset(array, 0, sizeof *array);
    if (!pending->taken) {
        *array = pending->array;
        pending->taken = true;
    }
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "out of memory";
}

static void release_stream(struct ArrowArrayStream *stream)
{
    struct pending *pending = stream->private_data;
    if (!pending->taken)
        pending->array.release(&pending->array);
    let_go(pending->owner);
    free(pending);
    stream->release = NULL;
}

static struct owner *make_owner(struct table *table)
{
    size_t nodes = (size_t)table->n_columns * NODES_OF_MAP + 1, lent = (size_t)lent_buffers(table);
    struct owner *owner = calloc(1, sizeof *owner);
    if (owner == NULL)
        return NULL;
    owner->arrays = calloc(nodes, sizeof *owner->arrays);
    owner->children = calloc(nodes, sizeof *owner->children);
    owner->buffers = calloc(nodes * BUFFERS_MAX + lent, sizeof *owner->buffers);
    owner->sizes = calloc(1 + lent, sizeof *owner->sizes);
    if (owner->arrays == NULL || owner->children == NULL || owner->buffers == NULL || owner->sizes == NULL) {
        free(owner->arrays);
        free(owner->children);
        free(owner->buffers);
        free(owner->sizes);
        free(owner);
        return NULL;
    }
    owner->table = *table;
    owner->sizes[0] = (int64_t)table->heap.length;
    if (lent > 0)
        memcpy(&owner->sizes[1], table->lent.children[0]->buffers[2 + lent], lent * sizeof *owner->sizes);
    memset(table, 0, sizeof *table);
    return owner;
}

bool table_hand_over(struct table *table, struct ArrowArrayStream *stream)
{
    bool is_full = fill_up(table);
    fit(table);
    struct pending *pending = is_full ? calloc(1, sizeof *pending) : NULL;
    struct owner *owner = pending == NULL ? NULL : make_owner(table);
    if (owner == NULL) {
        free(pending);
        return false;
    }
    struct ArrowArray *whole = add_array(owner, owner->table.rows, 0, 1, owner->table.n_columns);
    whole->buffers[0] = NULL;
    for (int32_t number = 0; number < owner->table.n_columns; number++)
        whole->children[number] = add_column(owner, &owner->table.columns[number]);
    pending->owner = owner;
    pending->array = *whole;
    owner->references++;
    *stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, pending};
    return true;
}
