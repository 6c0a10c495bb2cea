/* The bytes of a text that JSON takes as they are. */
#ifndef TRANSLATE_PLAIN_H
#define TRANSLATE_PLAIN_H

#include "memory.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Tell whether a text's byte is a quote, a backslash or a control character. */
static inline bool is_special(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

#if defined(__SSE2__)
enum { AT_ONCE = 16 };

static inline unsigned special_of(__m128i bytes)
{
    __m128i special = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(special);
}

/* Tell whether a byte of two words is special. */
static inline bool has_special(uint64_t one, uint64_t other)
{
    return special_of(_mm_set_epi64x((long long)other, (long long)one)) != 0;
}

/* Count the plain bytes before the first special one of so many. */
static inline size_t plain_at_once(const uint8_t *at)
{
    unsigned special = special_of(_mm_loadu_si128((const __m128i *)(const void *)at));
    return (size_t)__builtin_ctz(special | 1u << AT_ONCE);
}
#else
enum { AT_ONCE = 8 };

/* Nothing is subtracted across bytes unless one of them is special. */
static inline uint64_t special_of(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t quote = eight ^ ones * '"', slash = eight ^ ones * '\\', control = (eight - ones * 0x20) & ~eight;
    return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | control) & ones << 7;
}

static inline bool has_special(uint64_t one, uint64_t other)
{
    return (special_of(one) | special_of(other)) != 0;
}

static inline size_t plain_at_once(const uint8_t *at)
{
    size_t number = 0;
    if (special_of(eight_at(at)) == 0)
        return AT_ONCE;
    while (!is_special(at[number]))
        number++;
    return number;
}
#endif

/* Count the plain bytes before the first special one, or before the end. */
static inline size_t plain_bytes(const uint8_t *at, size_t length)
{
    size_t number = 0;
    for (; number + AT_ONCE <= length; number += AT_ONCE) {
        size_t plain = plain_at_once(at + number);
        if (plain < AT_ONCE)
            return number + plain;
    }
    while (number < length && !is_special(at[number]))
        number++;
    return number;
}

/* Append a text as JSON, its quotes around it. It may lie in the buffer itself, where that has room for six bytes to each of
 * its own, and two: else it moves. */
bool append_quoted(struct buffer *out, const uint8_t *text, size_t length);

#endif
