/* Texts of rows as the bytes of a file: one behind the other, each with the end of its line. */
#include "exported.h"
#include "input.h"
#include "memory.h"

#include <stdlib.h>

static bool join(const struct given *column, int64_t rows, struct buffer *made)
{
    const struct texts_given *texts = &column->texts;
    if (column->kind != KIND_TEXT)
        return false;
    for (int64_t row = 0; row < rows; row++) {
        if (!text_is_there(texts, row))
            continue;
        struct span text = text_at(texts, row);
        if (!buffer_append(made, text.at, text.length) || !buffer_append(made, "\n", 1))
            return false;
    }
    return true;
}

/* Give the lines of a column of texts, to be let go of by `translate_free`; 0, or 1 where memory is short or they are over 2 GB. */
EXPORTED int translate_joined(struct ArrowArrayStream *given, uint8_t **lines, int64_t *length)
{
    struct frame frame;
    struct buffer made = {NULL, 0, 0};
    bool done = frame_take(&frame, given) && (frame.rows == 0 || join(&frame.column[0], frame.rows, &made));
    frame_let_go(&frame);
    if (!done)
        buffer_free(&made);
    *lines = made.data;
    *length = (int64_t)made.length;
    return done ? 0 : 1;
}

EXPORTED void translate_free(uint8_t *lines)
{
    free(lines);
}
