/* Whether a long text spells one of some short ones: most spell none, so that nearly every place is passed over by a hash. */
#include "exported.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LEAST = 4, HASH_BITS = 13, HASHES = 1 << HASH_BITS };

/* A text to look for, of four bytes or more. */
struct wanted {
    const uint8_t *text;
    int64_t length;
};

static uint32_t hash_of(const uint8_t *text)
{
    uint32_t four;
    memcpy(&four, text, sizeof four);
    return four * 2654435761U >> (32 - HASH_BITS);
}

static bool stands_at(const uint8_t *at, const uint8_t *end, const struct wanted *wanted, int32_t count)
{
    for (int32_t number = 0; number < count; number++) {
        const struct wanted *one = &wanted[number];
        if (one->length <= end - at && memcmp(at, one->text, (size_t)one->length) == 0)
            return true;
    }
    return false;
}

/* Tell whether a text spells one of some. */
EXPORTED int32_t translate_spells_one(const uint8_t *text, int64_t length, const struct wanted *wanted, int32_t count)
{
    uint8_t begins[HASHES] = {0};
    for (int32_t number = 0; number < count; number++) {
        begins[hash_of(wanted[number].text)] = 1;
    }
    for (int64_t at = 0; at + LEAST <= length; at++) {
        if (begins[hash_of(text + at)] && stands_at(text + at, text + length, wanted, count))
            return 1;
    }
    return 0;
}
