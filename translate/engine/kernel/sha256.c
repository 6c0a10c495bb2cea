#include "sha256.h"

#include <string.h>

enum { BLOCK = 64, WORDS = 8, ROUNDS = 64 };

static const uint32_t CONSTANTS[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t word, int by)
{
    return word >> by | word << (32 - by);
}

static void schedule(uint32_t words[ROUNDS], const uint8_t *block)
{
    for (int at = 0; at < 16; at++) {
        const uint8_t *bytes = block + 4 * at;
        words[at] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    }
    for (int at = 16; at < ROUNDS; at++) {
        uint32_t early = words[at - 15], late = words[at - 2];
        words[at] = words[at - 16] + (rotated(early, 7) ^ rotated(early, 18) ^ early >> 3) + words[at - 7] +
                    (rotated(late, 17) ^ rotated(late, 19) ^ late >> 10);
    }
}

static void take_block(uint32_t state[WORDS], const uint8_t *block)
{
    uint32_t words[ROUNDS], now[WORDS];
    schedule(words, block);
    memcpy(now, state, sizeof now);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t first = now[0], fifth = now[4];
        uint32_t one = now[7] + (rotated(fifth, 6) ^ rotated(fifth, 11) ^ rotated(fifth, 25)) +
                       ((fifth & now[5]) ^ (~fifth & now[6])) + CONSTANTS[round] + words[round];
        uint32_t other = (rotated(first, 2) ^ rotated(first, 13) ^ rotated(first, 22)) +
                         ((first & now[1]) ^ (first & now[2]) ^ (now[1] & now[2]));
        memmove(now + 1, now, sizeof now - sizeof *now);
        now[4] += one;
        now[0] = one + other;
    }
    for (int word = 0; word < WORDS; word++)
        state[word] += now[word];
}

/* Take the rest of a text, a one behind it, and its length in bits. */
static void take_end(uint32_t state[WORDS], const uint8_t *rest, size_t left, size_t length)
{
    uint8_t end[2 * BLOCK] = {0};
    size_t size = left + 9 > BLOCK ? 2 * BLOCK : BLOCK;
    if (left > 0)
        memcpy(end, rest, left);
    end[left] = 0x80;
    for (int byte = 0; byte < 8; byte++)
        end[size - 1 - (size_t)byte] = (uint8_t)((uint64_t)length * 8 >> (8 * byte));
    for (size_t at = 0; at < size; at += BLOCK)
        take_block(state, end + at);
}

void sha256_hexadecimal(const uint8_t *bytes, size_t length, char digits[SHA256_HEXADECIMAL])
{
    static const char figures[] = "0123456789abcdef";
    uint32_t state[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    size_t whole = length / BLOCK * BLOCK;
    for (size_t at = 0; at < whole; at += BLOCK)
        take_block(state, bytes + at);
    take_end(state, bytes + whole, length - whole, length);
    for (int digit = 0; digit < SHA256_HEXADECIMAL; digit++)
        digits[digit] = figures[state[digit / 8] >> (28 - 4 * (digit % 8)) & 15];
}
