/* Where a long text spells one of many short ones: it is looked at only every few places, and there nearly always passed over, by a
 * hash of the bytes that stand there, which are none of any of the short ones. */
#include "exported.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BEGIN_MOST = 8, BITS_LEAST = 13, BITS_MOST = 27, BITS_A_TEXT = 32, WINDOW_MOST = 4, STRIDE_MOST = 8 };

struct search {
    const uint8_t *texts; /* one after the other */
    const int64_t *ends;
    int32_t count;
    int32_t begin; /* bytes that are hashed of a text's beginning if it has no 8: 4, 2 or 1, none of the texts is shorter */
    int32_t window; /* bytes that are hashed where it is looked */
    int32_t stride; /* places from one look to the next: one of them falls into the first windows of a text, wherever it stands */
    int32_t bits;
    uint8_t *begins;   /* whether a text begins so, by the hash of its beginning */
    uint8_t *windows;  /* whether one of the first windows of a text is such, by their hashes */
    int32_t *numbers;  /* of the texts, by the hash of all of it; -1 is nobody's */
    int64_t *lengths;  /* that texts have, the longest first */
    int32_t lengths_count;
};

static uint64_t mixed(uint64_t value)
{
    value *= 0x9E3779B97F4A7C15U;
    return value ^ value >> 32;
}

static uint64_t begin_of(const uint8_t *text, int32_t begin)
{
    uint64_t eight = 0;
    if (begin == 8)
        memcpy(&eight, text, 8);
    else if (begin == 4)
        memcpy(&eight, text, 4);
    else if (begin == 2)
        memcpy(&eight, text, 2);
    else
        eight = *text;
    return eight * 0x9E3779B97F4A7C15U;
}

static uint64_t hash_of(const uint8_t *text, int64_t length)
{
    uint64_t hash = (uint64_t)length;
    for (; length >= 8; text += 8, length -= 8)
        hash = mixed(hash ^ begin_of(text, 8));
    for (; length > 0; text++, length--)
        hash = mixed(hash ^ *text);
    return mixed(hash);
}

static int64_t start_of(const struct search *search, int32_t number)
{
    return number == 0 ? 0 : search->ends[number - 1];
}

/* Give the slot where a text's number is, or where it would be. */
static uint64_t slot_of(const struct search *search, const uint8_t *text, int64_t length)
{
    uint64_t mask = ((uint64_t)1 << search->bits) - 1;
    uint64_t slot = hash_of(text, length) & mask;
    for (;; slot = (slot + 1) & mask) {
        int32_t number = search->numbers[slot];
        if (number < 0)
            return slot;
        int64_t start = start_of(search, number);
        if (search->ends[number] - start == length && memcmp(search->texts + start, text, (size_t)length) == 0)
            return slot;
    }
}

static int longest_first(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a < b) - (a > b);
}

static void note(const struct search *search, uint8_t *table, const uint8_t *bytes, int32_t count)
{
    uint64_t hash = begin_of(bytes, count) >> (64 - search->bits);
    table[hash / 8] |= (uint8_t)(1 << hash % 8);
}

static bool is_noted(const struct search *search, const uint8_t *table, const uint8_t *bytes, int32_t count)
{
    uint64_t hash = begin_of(bytes, count) >> (64 - search->bits);
    return table[hash / 8] >> hash % 8 & 1;
}

static void fill(struct search *search)
{
    for (int32_t number = 0; number < search->count; number++) {
        const uint8_t *text = search->texts + start_of(search, number);
        search->lengths[number] = search->ends[number] - start_of(search, number);
        note(search, search->begins, text, search->lengths[number] >= BEGIN_MOST ? BEGIN_MOST : search->begin);
        for (int32_t place = 0; place < search->stride; place++)
            note(search, search->windows, text + place, search->window);
        uint64_t slot = slot_of(search, text, search->lengths[number]);
        if (search->numbers[slot] < 0)
            search->numbers[slot] = number;
    }
    qsort(search->lengths, (size_t)search->count, sizeof *search->lengths, longest_first);
    for (int32_t number = 0; number < search->count; number++) {
        if (number == 0 || search->lengths[number] != search->lengths[search->lengths_count - 1])
            search->lengths[search->lengths_count++] = search->lengths[number];
    }
}

EXPORTED void translate_search_end(struct search *search)
{
    if (search != NULL) {
        free(search->begins);
        free(search->windows);
        free(search->numbers);
        free(search->lengths);
        free(search);
    }
}

/* Make a search for texts ready, which stay the caller's and none of which is empty; NULL where memory is short. */
EXPORTED struct search *translate_search(const uint8_t *texts, const int64_t *ends, int32_t count)
{
    struct search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return NULL;
    *search = (struct search){.texts = texts, .ends = ends, .count = count, .begin = BEGIN_MOST, .bits = BITS_LEAST};
    int64_t shortest = WINDOW_MOST + STRIDE_MOST - 1;
    for (int32_t number = 0; number < count; number++) {
        int64_t length = ends[number] - start_of(search, number);
        shortest = length < shortest ? length : shortest;
    }
    while (search->begin > shortest)
        search->begin /= 2;
    search->window = search->begin < WINDOW_MOST ? search->begin : WINDOW_MOST;
    search->stride = (int32_t)shortest - search->window + 1;
    while (search->bits < BITS_MOST && (int64_t)1 << search->bits < (int64_t)count * BITS_A_TEXT)
        search->bits++;
    uint64_t slots = (uint64_t)1 << search->bits;
    search->begins = calloc(slots / 8, 1);
    search->windows = calloc(slots / 8, 1);
    search->numbers = malloc(slots * sizeof *search->numbers);
    search->lengths = calloc((size_t)count + 1, sizeof *search->lengths);
    if (search->begins == NULL || search->windows == NULL || search->numbers == NULL || search->lengths == NULL) {
        translate_search_end(search);
        return NULL;
    }
    memset(search->numbers, 0xFF, slots * sizeof *search->numbers);
    fill(search);
    return search;
}

static bool is_of_word(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* Tell whether what stands from `at` to `end` is a part of a longer word. */
static bool is_within_word(const uint8_t *text, int64_t length, int64_t at, int64_t end)
{
    return (at > 0 && is_of_word(text[at - 1]) && is_of_word(text[at]))
        || (end < length && is_of_word(text[end - 1]) && is_of_word(text[end]));
}

static bool begins_at(const struct search *search, const uint8_t *text, int64_t length, int64_t at)
{
    return (at + BEGIN_MOST <= length && is_noted(search, search->begins, text + at, BEGIN_MOST))
        || (search->begin < BEGIN_MOST && at + search->begin <= length && is_noted(search, search->begins, text + at, search->begin));
}

/* Give the number of the longest text that stands at a place; -1 where none does. */
static int32_t standing_at(const struct search *search, const uint8_t *text, int64_t length, int64_t at, int64_t words)
{
    if (!begins_at(search, text, length, at))
        return -1;
    for (int32_t number = 0; number < search->lengths_count; number++) {
        int64_t end = at + search->lengths[number];
        if (end > length || (search->lengths[number] < words && is_within_word(text, length, at, end)))
            continue;
        int32_t found = search->numbers[slot_of(search, text + at, search->lengths[number])];
        if (found >= 0)
            return found;
    }
    return -1;
}

/* Pass over the places from `at` on at whose looks no text can stand: nearly all of a long text is spent here. */
static int64_t passed_over(const struct search *search, const uint8_t *text, int64_t length, int64_t at)
{
    int64_t stride = search->stride, look = at + stride - 1, last = length - search->window;
    if (search->window == WINDOW_MOST) {
        const uint8_t *windows = search->windows;
        int32_t shift = 64 - search->bits;
        for (; look <= last; look += stride) {
            uint64_t hash = begin_of(text + look, WINDOW_MOST) >> shift;
            if (windows[hash / 8] >> hash % 8 & 1)
                break;
        }
    } else {
        while (look <= last && !is_noted(search, search->windows, text + look, search->window))
            look += stride;
    }
    return look - stride + 1;
}

/* Give the first place from `at` on where one of the texts stands, the longest if several do, and which; -1 where none does.
   Those with fewer bytes than `words` stand nowhere within a longer word. */
EXPORTED int64_t translate_search_next(const struct search *search, const uint8_t *text, int64_t length, int64_t at, int64_t words, int32_t *which)
{
    for (int64_t stride = search->stride; at < length; at += stride) {
        at = passed_over(search, text, length, at);
        for (int64_t place = at; place < at + stride; place++) {
            *which = standing_at(search, text, length, place, words);
            if (*which >= 0)
                return place;
        }
    }
    return -1;
}
