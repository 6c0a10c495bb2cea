/* SHA-256 in hexadecimal, of texts that are short and few: of the ids of sessions. */
#ifndef TRANSLATE_SHA256_H
#define TRANSLATE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEXADECIMAL 64

void sha256_hexadecimal(const uint8_t *bytes, size_t length, char digits[SHA256_HEXADECIMAL]);

#endif
