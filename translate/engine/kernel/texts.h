/* Columns of texts on their way out, as string views that polars takes over without a copy. */
#ifndef TRANSLATE_TEXTS_H
#define TRANSLATE_TEXTS_H

#include "spelling.h"

/* One column: a text is written at the end of `bytes`, and then ended. */
struct texts {
    struct view *views;
    uint8_t *valid;
    int64_t rows;
    int64_t nulls;
    int64_t ended; /* how many texts there are yet */
    struct bytes bytes;
    size_t begun;   /* where the text that is being written begins */
    void **buffers; /* those that are full */
    int64_t *sizes;
    int64_t full;
};

bool texts_begin(struct texts *texts, int64_t rows);
bool texts_end_one(struct texts *texts);
void texts_end_null(struct texts *texts); /* what was written since the last one is no text */
bool texts_last(const struct texts *texts, struct span *text); /* of the row that was ended last; tell if it has one */
void texts_free(struct texts *texts);

/* Give columns away as a stream of one array; they are polars' from then on, or freed if there is no memory. */
bool texts_hand_over(struct texts *columns, int64_t count, struct ArrowArrayStream *stream);

#endif
