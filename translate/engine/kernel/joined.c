/* Texts of rows as the bytes of a file: one behind the other, each with the end of its line; and how many lines such bytes are. */
#include "exported.h"
#include "input.h"
#include "memory.h"

enum { LANES = 64, ROUNDS_MAX = 255 };

static int64_t bytes_of(const struct texts_given *texts, int64_t rows)
{
    int64_t bytes = 0;
    for (int64_t row = 0; row < rows; row++)
        bytes += text_is_there(texts, row) ? (int64_t)text_at(texts, row).length + 1 : 0;
    return bytes;
}

static bool join(const struct given *column, int64_t rows, struct buffer *made)
{
    const struct texts_given *texts = &column->texts;
    if (column->kind != KIND_TEXT || !buffer_reserve(made, (size_t)bytes_of(texts, rows)))
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
EXPORTED int translate_joined(struct ArrowArrayStream *given, struct buffer *made)
{
    struct frame frame;
    *made = (struct buffer){NULL, 0, 0};
    bool done = frame_take(&frame, given) && (frame.rows == 0 || join(&frame.column[0], frame.rows, made));
    frame_let_go(&frame);
    if (!done)
        buffer_free(made);
    return done ? 0 : 1;
}

EXPORTED void translate_free(struct buffer *lines)
{
    buffer_free(lines);
}

/* Count the line breaks in a text, many side by side. */
EXPORTED int64_t translate_line_breaks(const uint8_t *text, int64_t end)
{
    int64_t count = 0, at = 0;
    while (end - at >= LANES) {
        uint8_t found[LANES] = {0};
        for (int round = 0; round < ROUNDS_MAX && end - at >= LANES; round++, at += LANES) {
            for (int lane = 0; lane < LANES; lane++)
                found[lane] += text[at + lane] == '\n';
        }
        for (int lane = 0; lane < LANES; lane++)
            count += found[lane];
    }
    for (; at < end; at++)
        count += text[at] == '\n';
    return count;
}
