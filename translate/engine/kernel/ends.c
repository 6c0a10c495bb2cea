/* Where records end, by their brackets alone: so that a line that is too long to be held can be cut between them. */
#include "exported.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Where a text that comes in pieces stands. */
struct place {
    int64_t depth;
    int32_t in_text;
    int32_t after_backslash;
};

/* Pass over a JSON text up to its closing quote; where the piece ends before that, it goes on in the next one. */
static const uint8_t *pass_text(const uint8_t *at, const uint8_t *end, struct place *place)
{
    while (at < end) {
        if (place->after_backslash) {
            place->after_backslash = 0;
            at++;
            continue;
        }
        while (at < end && *at != '"' && *at != '\\')
            at++;
        if (at == end)
            break;
        if (*at++ == '"') {
            place->in_text = 0;
            break;
        }
        place->after_backslash = 1;
    }
    return at;
}

/* Follow a bracket; tell whether a record ends with it. What closes where nothing is open is nothing. */
static bool follow(struct place *place, uint8_t byte)
{
    if (byte == '{' || byte == '[')
        place->depth++;
    else if ((byte == '}' || byte == ']') && place->depth > 0)
        return --place->depth == 0;
    return false;
}

/* Follow the next piece of a text; give how many of its bytes come before the last end of a record in it, or before the
 * first one, where the piece is then left; 0 where none ends. */
EXPORTED int64_t translate_record_end(const uint8_t *piece, int64_t length, int32_t only_first, struct place *place)
{
    const uint8_t *at = piece, *end = piece + length;
    int64_t found = 0;
    while (at < end) {
        if (place->in_text) {
            at = pass_text(at, end, place);
            continue;
        }
        uint8_t byte = *at++;
        if (byte == '"') {
            place->in_text = 1;
        } else if (follow(place, byte)) {
            found = at - piece;
            if (only_first)
                break;
        }
    }
    return found;
}
