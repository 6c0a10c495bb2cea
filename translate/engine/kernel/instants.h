/* Times as texts. */
#ifndef TRANSLATE_INSTANTS_H
#define TRANSLATE_INSTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

static const int64_t FIRST_MILLISECOND = -62135596800000; /* of the year 1 */
static const int64_t LAST_MILLISECOND = 253402300799999;  /* of the year 9999 */

struct instant {
    int64_t milliseconds;
    bool has_zone;
    bool is_finer; /* than milliseconds: floored */
};

/* Read a time in the usual form of ISO 8601: `2016-04-07T10:00:00.000Z`, the fraction of up to three digits. */
bool read_iso8601(const uint8_t *at, size_t length, int64_t *milliseconds);
/* Read one with a `T` or a blank before the hour, any fraction, and any zone or none; of a year from 1 to 9999. */
bool read_any_iso8601(const uint8_t *at, size_t length, struct instant *instant);

/* Write a time of a year from 1 to 9999 in the usual form, with three decimals. */
bool append_iso8601(struct buffer *out, int64_t milliseconds);

#endif
