/* SHA-1, by the processor's own instructions where it has them. */
#ifndef TRANSLATE_SHA_H
#define TRANSLATE_SHA_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_LENGTH 20

/* Takes blocks of 64 bytes into a state of five words. */
typedef void sha1_blocks(uint32_t state[5], const uint8_t *at, size_t blocks);

sha1_blocks *sha1_best(void); /* asks the processor: once for many texts */
sha1_blocks sha1_plain;
void sha1(sha1_blocks *take, const uint8_t *at, size_t length, uint8_t digest[SHA1_LENGTH]);

#endif
