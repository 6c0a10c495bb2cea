/* A text in UTF-8 as a column of its lines; lines that are no UTF-8 are empty, and it is told where they lie. */
#include "columns.h"
#include "exported.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define HIGH_BITS UINT64_C(0x8080808080808080)
enum { NO_MEMORY = 12 };
enum { TEXT, BEGIN, END, COLUMNS };

/* -- UTF-8 ------------------------------------------------------------------------------------------------------ */

/* Pass over what is ASCII, as far as that goes in one stride. */
static const uint8_t *pass_ascii(const uint8_t *at, const uint8_t *end)
{
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        unsigned high = (unsigned)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)at));
        if (high != 0)
            return at + __builtin_ctz(high);
    }
#endif
    for (uint64_t word; end - at >= 8; at += 8) {
        memcpy(&word, at, 8);
        if ((word & HIGH_BITS) != 0)
            break;
    }
    while (at < end && *at < 0x80)
        at++;
    return at;
}

static bool is_continued(const uint8_t *at, size_t bytes)
{
    for (size_t number = 0; number < bytes; number++)
        if ((at[number] & 0xC0) != 0x80)
            return false;
    return true;
}

/* Give how many bytes the letter has that begins here, which is not ASCII; 0 if it is none. */
static size_t letter_bytes(const uint8_t *at, const uint8_t *end)
{
    uint8_t first = at[0];
    size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || (size_t)(end - at) < bytes || !is_continued(at + 1, bytes - 1))
        return 0;
    bool is_too_long = (first == 0xE0 && at[1] < 0xA0) || (first == 0xF0 && at[1] < 0x90);
    bool is_surrogate = first == 0xED && at[1] > 0x9F, is_beyond = first == 0xF4 && at[1] > 0x8F;
    return is_too_long || is_surrogate || is_beyond ? 0 : bytes;
}

/* Pass over what is UTF-8. */
static const uint8_t *pass_utf8(const uint8_t *at, const uint8_t *end)
{
    while ((at = pass_ascii(at, end)) < end) {
        size_t bytes = letter_bytes(at, end);
        if (bytes == 0)
            break;
        at += bytes;
    }
    return at;
}

/* -- lines ------------------------------------------------------------------------------------------------------ */

/* Set a row for each line of the heap, without what ends it: a line break, and what may stand before one. Up to `sound` it is UTF-8. */
static bool split(struct table *table, const uint8_t *sound)
{
    const uint8_t *text = table->heap.data;
    for (size_t at = 0, length = table->heap.length; at < length; table->rows++) {
        const uint8_t *found = memchr(text + at, '\n', length - at);
        size_t end = found == NULL ? length : (size_t)(found - text);
        size_t shown = end > at && text[end - 1] == '\r' ? end - 1 : end;
        bool is_text = text + end <= sound;
        if (!column_set_view(&table->columns[TEXT], table->rows, view_of(&table->heap, at, is_text ? shown - at : 0)))
            return false;
        if (!is_text && (!column_set_whole(&table->columns[BEGIN], table->rows, (int64_t)at) ||
                         !column_set_whole(&table->columns[END], table->rows, (int64_t)end)))
            return false;
        if (!is_text)
            sound = pass_utf8(text + end, text + length);
        at = end + 1;
    }
    return true;
}

/* Give the lines of a text as a column `text`, and if not all of them are UTF-8, where the others begin and end. 0, or 12 if memory is short. */
EXPORTED int translate_split(const uint8_t *text, int64_t length, struct ArrowArrayStream *made)
{
    static const char *const names[COLUMNS] = {"text", "begin", "end"};
    int64_t sound = pass_utf8(text, text + length) - text;
    struct table table;
    bool well = table_begin(&table, sound == length ? 1 : COLUMNS, names, 0);
    for (int32_t column = BEGIN; well && column < table.n_columns; column++)
        table.columns[column].type = TYPE_WHOLE;
    well = well && buffer_append(&table.heap, text, (size_t)length) && split(&table, table.heap.data + sound) &&
           table_hand_over(&table, made);
    table_free(&table);
    return well ? 0 : NO_MEMORY;
}
