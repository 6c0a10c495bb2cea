/* Times as texts. */
#ifndef TRANSLATE_INSTANTS_H
#define TRANSLATE_INSTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

/* Read a time in the usual form of ISO 8601: `2016-04-07T10:00:00.000Z`, the fraction of up to three digits. */
bool read_iso8601(const uint8_t *at, size_t length, int64_t *milliseconds);
/* Read one without a zone, with a `T` or a blank before the hour; of six decimals the last three are zeros. */
bool read_without_zone(const uint8_t *at, size_t length, int64_t *milliseconds);

/* Write a time of a year from 1 to 9999 in the usual form, with three decimals. */
bool append_iso8601(struct buffer *out, int64_t milliseconds);

#endif
