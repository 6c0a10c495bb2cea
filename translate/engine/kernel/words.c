/* Texts by number: each is kept once, below another one, so that a path is the number of its last segment. */
#include <stdlib.h>

#include "words.h"

enum { FIRST_SLOTS = 256 };

static uint64_t hash_of(const struct words *words, uint32_t above, const uint8_t *text, size_t length)
{
    uint64_t hash = mixed(words->seed + above, length);
    for (; length >= 8; text += 8, length -= 8)
        hash = mixed(hash, eight_at(text));
    uint64_t rest = 0;
    for (size_t number = 0; number < length; number++)
        rest = rest << 8 | text[number];
    return mixed(hash, rest);
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
