#include "spelling.h"

#include "plain.h"

#define EIGHT_PLAIN UINT64_C(0x2020202020202020)
#define ESCAPED_LENGTH 6 /* \u001f */
#define WHOLE_LENGTH 20  /* -9223372036854775808 */

static size_t escape(uint8_t *to, uint8_t byte)
{
    static const char hexadecimal[] = "0123456789abcdef";
    static const char short_forms[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    to[0] = '\\';
    for (const char *form = short_forms; *form != '\0'; form += 2) {
        if ((uint8_t)form[0] == byte) {
            to[1] = (uint8_t)form[1];
            return 2;
        }
    }
    memcpy(to + 1, "u00", 3);
    to[4] = (uint8_t)hexadecimal[byte >> 4];
    to[5] = (uint8_t)hexadecimal[byte & 15];
    return ESCAPED_LENGTH;
}

/* Copy what is plain, to where there is room for all: two words that overlap hold every byte of a short text. */
static size_t copy_plain(uint8_t *to, const uint8_t *at, size_t length)
{
    size_t number = 0;
    for (; number + AT_ONCE <= length; number += AT_ONCE) {
        memcpy(to + number, at + number, AT_ONCE);
        size_t plain = plain_at_once(at + number);
        if (plain < AT_ONCE)
            return number + plain;
    }
    if (length - number >= 8) {
        uint64_t first = eight_at(at + number), last = eight_at(at + length - 8);
        if (!has_special(first, last)) {
            memcpy(to + number, &first, 8);
            memcpy(to + length - 8, &last, 8);
            return length;
        }
    } else if (length - number >= 4) {
        uint32_t first = four_at(at + number), last = four_at(at + length - 4);
        if (!has_special((uint64_t)last << 32 | first, EIGHT_PLAIN)) {
            memcpy(to + number, &first, 4);
            memcpy(to + length - 4, &last, 4);
            return length;
        }
    }
    for (; number < length && !is_special(at[number]); number++)
        to[number] = at[number];
    return number;
}

bool append_quoted(struct buffer *out, const uint8_t *at, size_t length)
{
    if (!buffer_need(out, length + 2))
        return false;
    out->data[out->length++] = '"';
    for (;;) {
        size_t plain = copy_plain(out->data + out->length, at, length);
        out->length += plain;
        if (plain == length)
            break;
        at += plain + 1;
        length -= plain + 1;
        if (!buffer_need(out, ESCAPED_LENGTH + length + 1))
            return false;
        out->length += escape(out->data + out->length, at[-1]);
    }
    out->data[out->length++] = '"';
    return true;
}

bool write_whole(struct buffer *buffer, int64_t number)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
                                "4950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495969798"
                                "99";
    uint8_t digits[WHOLE_LENGTH];
    uint8_t *at = digits + WHOLE_LENGTH;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    for (; rest >= 10; rest /= 100)
        memcpy(at -= 2, pairs + rest % 100 * 2, 2);
    if (rest > 0 || at == digits + WHOLE_LENGTH)
        *--at = (uint8_t)('0' + rest);
    if (number < 0)
        *--at = '-';
    return write_bytes(buffer, (struct span){at, (size_t)(digits + WHOLE_LENGTH - at)});
}
