/* Texts by number, each below another one: so are paths. */
#ifndef TRANSLATE_WORDS_H
#define TRANSLATE_WORDS_H

#include "memory.h"

struct word {
    uint64_t hash;
    uint32_t above;
    uint32_t start;
    uint32_t length;
};

struct words {
    struct buffer heap;
    struct buffer words;
    uint32_t *slots;
    uint32_t mask;
    uint64_t seed; /* no archive can know it, and so none can make its texts meet */
};

enum { NO_WORD = 0, FIRST_WORD = 5 };

bool words_begin(struct words *words, uint64_t seed);
void words_free(struct words *words);
/* Count them, with the numbers that no text has: the next one gets that. */
static inline uint32_t words_count(const struct words *words)
{
    return (uint32_t)(words->words.length / sizeof(struct word));
}

/* Give the number of a text below another one, of a word or of 1 to 4; NO_WORD if memory is short. */
uint32_t word_of(struct words *words, uint32_t above, const uint8_t *text, size_t length);
/* Give the number that it has; NO_WORD if it has none. */
uint32_t word_known(const struct words *words, uint32_t above, const uint8_t *text, size_t length);
static inline const struct word *word_at(const struct words *words, uint32_t number)
{
    return (const struct word *)(const void *)words->words.data + number;
}

static inline uint64_t mixed(uint64_t hash, uint64_t more)
{
    hash = (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

#endif
