#include "texts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFER_MAX (INT32_MAX / 2) /* no text begins beyond, so that 32 bits hold every offset */

bool texts_begin(struct texts *texts, int64_t rows)
{
    memset(texts, 0, sizeof *texts);
    texts->rows = rows;
    texts->views = calloc((size_t)rows + 1, sizeof *texts->views);
    texts->valid = calloc((size_t)rows / 8 + 1, 1);
    return texts->views != NULL && texts->valid != NULL;
}

void texts_free(struct texts *texts)
{
    free(texts->views);
    free(texts->valid);
    free(texts->bytes.at);
    for (int64_t number = 0; number < texts->full; number++)
        free(texts->buffers[number]);
    free(texts->buffers);
    free(texts->sizes);
    memset(texts, 0, sizeof *texts);
}

/* Set a full buffer aside. */
static bool set_aside(struct texts *texts)
{
    size_t count = (size_t)texts->full + 1;
    void **buffers = realloc(texts->buffers, count * sizeof *buffers);
    if (buffers != NULL)
        texts->buffers = buffers;
    int64_t *sizes = realloc(texts->sizes, count * sizeof *sizes);
    if (sizes != NULL)
        texts->sizes = sizes;
    if (buffers == NULL || sizes == NULL)
        return false;
    texts->buffers[texts->full] = texts->bytes.at;
    texts->sizes[texts->full] = (int64_t)texts->bytes.used;
    texts->full++;
    texts->bytes = (struct bytes){0};
    texts->begun = 0;
    return true;
}

bool texts_end_one(struct texts *texts)
{
    size_t length = texts->bytes.used - texts->begun;
    const uint8_t *at = texts->bytes.at + texts->begun;
    struct view *view = &texts->views[texts->ended];
    if (length > INT32_MAX)
        return false;
    view->length = (int32_t)length;
    if (length <= VIEW_INSIDE) {
        if (length > 0)
            memcpy(view->head, at, length);
        texts->bytes.used = texts->begun;
    } else {
        memcpy(view->head, at, sizeof view->head);
        view->buffer = (int32_t)texts->full;
        view->offset = (int32_t)texts->begun;
    }
    texts->valid[texts->ended >> 3] |= (uint8_t)(1 << (texts->ended & 7));
    texts->ended++;
    texts->begun = texts->bytes.used;
    return texts->begun < BUFFER_MAX || set_aside(texts);
}

void texts_end_null(struct texts *texts)
{
    texts->bytes.used = texts->begun;
    texts->ended++;
    texts->nulls++;
}

bool texts_last(const struct texts *texts, struct span *text)
{
    int64_t row = texts->ended - 1;
    const struct view *view = &texts->views[row];
    const uint8_t *at = view->head;
    if (!bit_is_set(texts->valid, row))
        return false;
    if (view->length > VIEW_INSIDE) {
        const uint8_t *buffer = view->buffer < texts->full ? texts->buffers[view->buffer] : texts->bytes.at;
        at = buffer + view->offset;
    }
    *text = (struct span){at, (size_t)view->length};
    return true;
}

/* What a column's array holds until its taker lets go of it. */
struct held {
    struct texts texts;
    const void **pointers;
};

/* What the stream holds until it is let go of; `held` is empty once the frame is given. */
struct handed {
    int64_t count;
    int64_t rows;
    struct held **held;
};

struct children {
    struct ArrowArray **pointers;
    struct ArrowArray *arrays;
    const void *no_buffer;
};

struct named {
    struct ArrowSchema **pointers;
    struct ArrowSchema *schemas;
    char (*names)[24];
};

static void free_held(struct held *held)
{
    texts_free(&held->texts);
    free(held->pointers);
    free(held);
}

static void release_column(struct ArrowArray *array)
{
    free_held(array->private_data);
    array->release = NULL;
}

static void release_frame(struct ArrowArray *array)
{
    struct children *children = array->private_data;
    for (int64_t number = 0; number < array->n_children; number++)
        if (children->arrays[number].release != NULL) /* a taker may have moved it away */
            children->arrays[number].release(&children->arrays[number]);
    free(children->pointers);
    free(children->arrays);
    free(children);
    array->release = NULL;
}

static void release_nothing(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void release_schema(struct ArrowSchema *schema)
{
    struct named *named = schema->private_data;
    free(named->pointers);
    free(named->schemas);
    free(named->names);
    free(named);
    schema->release = NULL;
}

/* Columns are called by their numbers. */
static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *schema)
{
    const struct handed *handed = stream->private_data;
    size_t count = (size_t)handed->count;
    struct named *named = calloc(1, sizeof *named);
    if (named == NULL)
        return ENOMEM;
    named->pointers = calloc(count + 1, sizeof *named->pointers);
    named->schemas = calloc(count + 1, sizeof *named->schemas);
    named->names = calloc(count + 1, sizeof *named->names);
    memset(schema, 0, sizeof *schema);
    schema->private_data = named;
    if (named->pointers == NULL || named->schemas == NULL || named->names == NULL) {
        release_schema(schema);
        return ENOMEM;
    }
    for (size_t number = 0; number < count; number++) {
        snprintf(named->names[number], sizeof named->names[number], "%zu", number);
        named->schemas[number] = (struct ArrowSchema){
            .format = "vu",
            .name = named->names[number],
            .flags = ARROW_FLAG_NULLABLE,
            .release = release_nothing,
        };
        named->pointers[number] = &named->schemas[number];
    }
    schema->format = "+s";
    schema->name = "";
    schema->n_children = handed->count;
    schema->children = named->pointers;
    schema->release = release_schema;
    return 0;
}

static struct ArrowArray array_of(struct held *held)
{
    return (struct ArrowArray){
        .length = held->texts.rows,
        .null_count = held->texts.nulls,
        .n_buffers = held->texts.full + 3,
        .buffers = held->pointers,
        .release = release_column,
        .private_data = held,
    };
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *array)
{
    struct handed *handed = stream->private_data;
    size_t count = (size_t)handed->count;
    memset(array, 0, sizeof *array);
    if (handed->held == NULL)
        return 0;
    struct children *children = calloc(1, sizeof *children);
    struct ArrowArray **pointers = calloc(count + 1, sizeof *pointers);
    struct ArrowArray *arrays = calloc(count + 1, sizeof *arrays);
    if (children == NULL || pointers == NULL || arrays == NULL) {
        free(children);
        free(pointers);
        free(arrays);
        return ENOMEM;
    }
    for (size_t number = 0; number < count; number++) {
        arrays[number] = array_of(handed->held[number]);
        pointers[number] = &arrays[number];
    }
    free(handed->held);
    handed->held = NULL;
    *children = (struct children){pointers, arrays, NULL};
    *array = (struct ArrowArray){
        .length = handed->rows,
        .n_buffers = 1,
        .n_children = handed->count,
        .buffers = &children->no_buffer,
        .children = pointers,
        .release = release_frame,
        .private_data = children,
    };
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "no memory";
}

static void release_stream(struct ArrowArrayStream *stream)
{
    struct handed *handed = stream->private_data;
    for (int64_t number = 0; handed->held != NULL && number < handed->count; number++)
        free_held(handed->held[number]);
    free(handed->held);
    free(handed);
    stream->release = NULL;
}

/* Set a column's buffers in a row as Arrow lists them: validity, views, texts, and how many bytes each of these has. */
static struct held *hold(struct texts *texts)
{
    struct held *held = calloc(1, sizeof *held);
    if (held == NULL)
        return NULL;
    if (!bytes_need(&texts->bytes, 1) || !set_aside(texts) || /* also an empty buffer lies somewhere */
        (held->pointers = calloc((size_t)texts->full + 3, sizeof *held->pointers)) == NULL) {
        free(held);
        return NULL;
    }
    held->pointers[0] = texts->nulls == 0 ? NULL : texts->valid;
    held->pointers[1] = texts->views;
    for (int64_t number = 0; number < texts->full; number++)
        held->pointers[2 + number] = texts->buffers[number];
    held->pointers[2 + texts->full] = texts->sizes;
    held->texts = *texts;
    memset(texts, 0, sizeof *texts);
    return held;
}

bool texts_hand_over(struct texts *columns, int64_t count, struct ArrowArrayStream *stream)
{
    struct handed *handed = calloc(1, sizeof *handed);
    struct held **held = calloc((size_t)count + 1, sizeof *held);
    if (handed == NULL || held == NULL) {
        free(handed);
        free(held);
        return false;
    }
    *handed = (struct handed){.count = count, .rows = columns[0].rows, .held = held};
    *stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, handed};
    for (int64_t number = 0; number < count; number++) {
        held[number] = hold(&columns[number]);
        if (held[number] == NULL) {
            handed->count = number;
            release_stream(stream);
            return false;
        }
    }
    return true;
}
