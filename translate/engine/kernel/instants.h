/* Times as texts. */
#ifndef TRANSLATE_INSTANTS_H
#define TRANSLATE_INSTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read a time in the usual form of ISO 8601: `2016-04-07T10:00:00.000Z`, the fraction of up to three digits. */
bool read_iso8601(const uint8_t *at, size_t length, int64_t *milliseconds);

#endif
