/* Texts by number: each is kept once, below another one, so that a path is the number of its last segment. */
#include <stdlib.h>

#include "words.h"

enum { FIRST_SLOTS = 256 };

/* Give fewer than eight bytes as a number, the last one as its lowest, in which most names differ: slots are chosen by the lowest
 * bits, into which a product takes nothing from higher ones. Which bytes it holds twice is told by how many there are. */
static uint64_t few_at(const uint8_t *text, size_t length)
{
    if (length >= 4)
        return (uint64_t)four_at(text) << 32 | __builtin_bswap32(four_at(text + length - 4));
    return length == 0 ? 0 : (uint64_t)text[0] << 16 | (uint64_t)text[length / 2] << 8 | text[length - 1];
}

static uint64_t hash_of(const struct words *words, uint32_t above, const uint8_t *text, size_t length)
{
    uint64_t hash = mixed(words->seed + above, length);
    if (length < 8)
        return mixed(hash, few_at(text, length));
    for (size_t at = 0; at + 8 < length; at += 8)
        hash = mixed(hash, eight_at(text + at));
    return mixed(hash, __builtin_bswap64(eight_at(text + length - 8)));
}

static bool spread(struct words *words, uint32_t slots)
{
    uint32_t *made = calloc(slots, sizeof *made);
    if (made == NULL)
        return false;
    free(words->slots);
    words->slots = made;
    words->mask = slots - 1;
    for (uint32_t number = FIRST_WORD; number < words_count(words); number++) {
        uint32_t at = (uint32_t)word_at(words, number)->hash & words->mask;
        while (made[at] != NO_WORD)
            at = (at + 1) & words->mask;
        made[at] = number;
    }
    return true;
}

bool words_begin(struct words *words, uint64_t seed)
{
    memset(words, 0, sizeof *words);
    words->seed = seed;
    return buffer_reach(&words->words, FIRST_WORD * sizeof(struct word)) && spread(words, FIRST_SLOTS);
}

void words_free(struct words *words)
{
    buffer_free(&words->heap);
    buffer_free(&words->words);
    free(words->slots);
    words->slots = NULL;
}

/* Give the slot that a text lies in, or would. */
static uint32_t slot_of(const struct words *words, uint32_t above, const uint8_t *text, size_t length, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & words->mask;
    for (; words->slots[at] != NO_WORD; at = (at + 1) & words->mask) {
        const struct word *word = word_at(words, words->slots[at]);
        if (word->hash == hash && word->above == above && word->length == length &&
            (length == 0 || memcmp(words->heap.data + word->start, text, length) == 0))
            break;
    }
    return at;
}

uint32_t word_known(const struct words *words, uint32_t above, const uint8_t *text, size_t length)
{
    return words->slots[slot_of(words, above, text, length, hash_of(words, above, text, length))];
}

uint32_t word_of(struct words *words, uint32_t above, const uint8_t *text, size_t length)
{
    uint64_t hash = hash_of(words, above, text, length);
    uint32_t at = slot_of(words, above, text, length, hash), number = words_count(words);
    if (words->slots[at] != NO_WORD)
        return words->slots[at];
    struct word word = {hash, above, (uint32_t)words->heap.length, (uint32_t)length};
    if (!buffer_append(&words->heap, text, length) || !buffer_append(&words->words, &word, sizeof word))
        return NO_WORD;
    words->slots[at] = number;
    return number * 2 < words->mask || spread(words, (words->mask + 1) * 4) ? number : NO_WORD;
}
