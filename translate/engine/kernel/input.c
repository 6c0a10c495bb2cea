#include "input.h"

#include <stdlib.h>
#include <string.h>

static struct texts_given texts_of(const struct ArrowArray *array, int64_t before)
{
    return (struct texts_given){
        .valid = array->buffers[0],
        .views = array->buffers[1],
        .buffers = (const uint8_t *const *)array->buffers + 2,
        .first = before + array->offset,
    };
}

static bool is_a(const struct ArrowSchema *schema, const char *format)
{
    return strcmp(schema->format, format) == 0;
}

/* A map is a list of entries, each a struct of a key and a value, where a struct's offset holds for its members too. */
static void take_map(struct given *column, const struct ArrowSchema *schema, const struct ArrowArray *array)
{
    if (schema->n_children != 1 || schema->children[0]->n_children != 2)
        return;
    const struct ArrowSchema *entry = schema->children[0];
    const struct ArrowArray *entries = array->children[0];
    if (!is_a(entry->children[0], "vu") || !is_a(entry->children[1], "vu"))
        return;
    column->kind = KIND_MAP;
    column->keys = texts_of(entries->children[0], entries->offset);
    column->texts = texts_of(entries->children[1], entries->offset);
}

static void take_column(struct given *column, const struct ArrowSchema *schema, const struct ArrowArray *array,
                        int64_t before)
{
    column->kind = KIND_NONE;
    if (array->n_buffers > 0)
        column->valid = array->buffers[0];
    if (array->n_buffers > 1)
        column->values = array->buffers[1];
    column->first = before + array->offset;
    if (is_a(schema, "vu")) {
        column->kind = KIND_TEXT;
        column->texts = texts_of(array, before);
    } else if (is_a(schema, "l")) {
        column->kind = KIND_WHOLE;
    } else if (is_a(schema, "b")) {
        column->kind = KIND_FLAG;
    } else if (is_a(schema, "+m")) {
        take_map(column, schema, array);
    }
}

bool frame_take(struct frame *frame, struct ArrowArrayStream *stream)
{
    memset(frame, 0, sizeof *frame);
    if (stream->get_schema(stream, &frame->schema) != 0 || stream->get_next(stream, &frame->array) != 0)
        return false;
    frame->columns = frame->schema.n_children;
    frame->column = calloc((size_t)frame->columns + 1, sizeof *frame->column);
    if (frame->column == NULL)
        return false;
    if (frame->array.release == NULL) /* no array: a frame without rows */
        return true;
    frame->rows = frame->array.length;
    for (int64_t number = 0; number < frame->columns; number++)
        take_column(&frame->column[number], frame->schema.children[number], frame->array.children[number],
                    frame->array.offset);
    return true;
}

void frame_let_go(struct frame *frame)
{
    free(frame->column);
    if (frame->array.release != NULL)
        frame->array.release(&frame->array);
    if (frame->schema.release != NULL)
        frame->schema.release(&frame->schema);
}
