#include "sha.h"

#include <string.h>

#define BLOCK 64

static uint32_t rotated(uint32_t word, int by)
{
    return word << by | word >> (32 - by);
}

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Sixteen words go round; each round names the five words of the state in another order, so that none is moved. */
#define WORD(t)                                                                                                        \
    (words[(t) & 15] = rotated(words[((t) + 13) & 15] ^ words[((t) + 8) & 15] ^ words[((t) + 2) & 15] ^ words[(t) & 15], 1))
#define FIRST(t) (words[t] = big_endian(at + 4 * (t)))
#define CHOICE(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define PARITY(b, c, d) ((b) ^ (c) ^ (d))
#define MAJORITY(b, c, d) (((b) & (c)) | ((d) & ((b) | (c))))
#define ROUND(a, b, c, d, e, mixed, constant, word)                                                                    \
    e += rotated(a, 5) + mixed(b, c, d) + constant + (word);                                                           \
    b = rotated(b, 30);
#define FIVE(mixed, constant, word, t)                                                                                 \
    ROUND(a, b, c, d, e, mixed, constant, word(t))                                                                     \
    ROUND(e, a, b, c, d, mixed, constant, word((t) + 1))                                                               \
    ROUND(d, e, a, b, c, mixed, constant, word((t) + 2))                                                               \
    ROUND(c, d, e, a, b, mixed, constant, word((t) + 3))                                                               \
    ROUND(b, c, d, e, a, mixed, constant, word((t) + 4))
#define TWENTY(mixed, constant, t)                                                                                     \
    FIVE(mixed, constant, WORD, t)                                                                                     \
    FIVE(mixed, constant, WORD, (t) + 5)                                                                               \
    FIVE(mixed, constant, WORD, (t) + 10)                                                                              \
    FIVE(mixed, constant, WORD, (t) + 15)

void sha1_plain(uint32_t state[5], const uint8_t *at, size_t blocks)
{
    uint32_t words[16];
    for (; blocks > 0; blocks--, at += BLOCK) {
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
        FIVE(CHOICE, 0x5a827999, FIRST, 0)
        FIVE(CHOICE, 0x5a827999, FIRST, 5)
        FIVE(CHOICE, 0x5a827999, FIRST, 10)
        ROUND(a, b, c, d, e, CHOICE, 0x5a827999, FIRST(15))
        ROUND(e, a, b, c, d, CHOICE, 0x5a827999, WORD(16))
        ROUND(d, e, a, b, c, CHOICE, 0x5a827999, WORD(17))
        ROUND(c, d, e, a, b, CHOICE, 0x5a827999, WORD(18))
        ROUND(b, c, d, e, a, CHOICE, 0x5a827999, WORD(19))
        TWENTY(PARITY, 0x6ed9eba1, 20)
        TWENTY(MAJORITY, 0x8f1bbcdc, 40)
        TWENTY(PARITY, 0xca62c1d6, 60)
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

/* Four rounds, and the words of sixteen rounds later on their way; `sum` holds e for them, `next` for those to come. */
#define FOUR(sum, next, kind, now, before, after, later)                                                               \
    sum = _mm_sha1nexte_epu32(sum, now);                                                                               \
    next = abcd;                                                                                                       \
    after = _mm_sha1msg2_epu32(after, now);                                                                            \
    abcd = _mm_sha1rnds4_epu32(abcd, sum, kind);                                                                       \
    before = _mm_sha1msg1_epu32(before, now);                                                                          \
    later = _mm_xor_si128(later, now);

__attribute__((target("sha,sse4.1,ssse3"))) static void sha1_by_instructions(uint32_t state[5], const uint8_t *at,
                                                                              size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0x1b);
    __m128i e0 = _mm_set_epi32((int)state[4], 0, 0, 0), e1;
    for (; blocks > 0; blocks--, at += BLOCK) {
        const __m128i *words = (const __m128i *)(const void *)at;
        __m128i abcd_before = abcd, e_before = e0;
        __m128i w0 = _mm_shuffle_epi8(_mm_loadu_si128(words), swap);
        __m128i w1 = _mm_shuffle_epi8(_mm_loadu_si128(words + 1), swap);
        __m128i w2 = _mm_shuffle_epi8(_mm_loadu_si128(words + 2), swap);
        __m128i w3 = _mm_shuffle_epi8(_mm_loadu_si128(words + 3), swap);

        e0 = _mm_add_epi32(e0, w0); /* rounds 0 to 3 */
        e1 = abcd;
        abcd = _mm_sha1rnds4_epu32(abcd, e0, 0);
        e1 = _mm_sha1nexte_epu32(e1, w1); /* 4 to 7 */
        e0 = abcd;
        abcd = _mm_sha1rnds4_epu32(abcd, e1, 0);
        w0 = _mm_sha1msg1_epu32(w0, w1);
        e0 = _mm_sha1nexte_epu32(e0, w2); /* 8 to 11 */
        e1 = abcd;
        abcd = _mm_sha1rnds4_epu32(abcd, e0, 0);
        w1 = _mm_sha1msg1_epu32(w1, w2);
        w0 = _mm_xor_si128(w0, w2);

        FOUR(e1, e0, 0, w3, w2, w0, w1) /* 12 to 15 */
        FOUR(e0, e1, 0, w0, w3, w1, w2)
        FOUR(e1, e0, 1, w1, w0, w2, w3) /* 20 to 23 */
        FOUR(e0, e1, 1, w2, w1, w3, w0)
        FOUR(e1, e0, 1, w3, w2, w0, w1)
        FOUR(e0, e1, 1, w0, w3, w1, w2)
        FOUR(e1, e0, 1, w1, w0, w2, w3)
        FOUR(e0, e1, 2, w2, w1, w3, w0) /* 40 to 43 */
        FOUR(e1, e0, 2, w3, w2, w0, w1)
        FOUR(e0, e1, 2, w0, w3, w1, w2)
        FOUR(e1, e0, 2, w1, w0, w2, w3)
        FOUR(e0, e1, 2, w2, w1, w3, w0)
        FOUR(e1, e0, 3, w3, w2, w0, w1) /* 60 to 63 */
        FOUR(e0, e1, 3, w0, w3, w1, w2)
        FOUR(e1, e0, 3, w1, w0, w2, w3)
        FOUR(e0, e1, 3, w2, w1, w3, w0)
        FOUR(e1, e0, 3, w3, w2, w0, w1) /* 76 to 79 */

        e0 = _mm_sha1nexte_epu32(e0, e_before);
        abcd = _mm_add_epi32(abcd, abcd_before);
    }
    _mm_storeu_si128((__m128i *)(void *)state, _mm_shuffle_epi32(abcd, 0x1b));
    state[4] = (uint32_t)_mm_extract_epi32(e0, 3);
}

sha1_blocks *sha1_best(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0)
        return sha1_plain;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & bit_SHA) == 0)
        return sha1_plain;
    return sha1_by_instructions;
}
#else
sha1_blocks *sha1_best(void)
{
    return sha1_plain;
}
#endif

void sha1(sha1_blocks *take, const uint8_t *at, size_t length, uint8_t digest[SHA1_LENGTH])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t last[2 * BLOCK] = {0};
    size_t whole = length / BLOCK, rest = length % BLOCK;
    size_t end = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    take(state, at, whole);
    memcpy(last, at + whole * BLOCK, rest);
    last[rest] = 0x80;
    for (size_t number = 0; number < 8; number++)
        last[end - 1 - number] = (uint8_t)((uint64_t)length * 8 >> 8 * number);
    take(state, last, end / BLOCK);
    for (size_t number = 0; number < SHA1_LENGTH; number++)
        digest[number] = (uint8_t)(state[number / 4] >> (24 - 8 * (number % 4)));
}
