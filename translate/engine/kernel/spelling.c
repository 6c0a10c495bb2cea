#include "spelling.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define EVERY_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)
#define ESCAPED_LENGTH 6 /* \u001f */
#define WHOLE_LENGTH 20  /* -9223372036854775808 */

static bool is_escaped(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

/* Tell whether one of eight bytes is escaped: nothing is subtracted across bytes unless one of them is. */
static bool one_is_escaped(uint64_t word)
{
    uint64_t quote = word ^ EVERY_BYTE * '"';
    uint64_t backslash = word ^ EVERY_BYTE * '\\';
    uint64_t control = (word - EVERY_BYTE * 0x20) & ~word;
    quote = (quote - EVERY_BYTE) & ~quote;
    backslash = (backslash - EVERY_BYTE) & ~backslash;
    return ((control | quote | backslash) & HIGH_BITS) != 0;
}

static size_t plain_bytes_one_by_one(const uint8_t *at, size_t length)
{
    size_t number = 0;
    while (number < length && !is_escaped(at[number]))
        number++;
    return number;
}

/* Two words that overlap hold every byte of a short text. */
static size_t plain_bytes_of_short(const uint8_t *at, size_t length)
{
    uint64_t first, last;
    if (length >= 8) {
        memcpy(&first, at, 8);
        memcpy(&last, at + length - 8, 8);
        if (!one_is_escaped(first) && !one_is_escaped(last))
            return length;
    } else if (length >= 4) {
        uint32_t low, high;
        memcpy(&low, at, 4);
        memcpy(&high, at + length - 4, 4);
        if (!one_is_escaped((uint64_t)high << 32 | low))
            return length;
    }
    return plain_bytes_one_by_one(at, length);
}

#if defined(__SSE2__)
static unsigned escaped_of_sixteen(const uint8_t *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)));
}

static size_t plain_bytes_of_long(const uint8_t *at, size_t length)
{
    size_t number = 0;
    for (; number + 16 <= length; number += 16) {
        unsigned escaped = escaped_of_sixteen(at + number);
        if (escaped != 0)
            return number + (size_t)__builtin_ctz(escaped);
    }
    unsigned escaped = escaped_of_sixteen(at + length - 16); /* it overlaps bytes that are plain */
    return escaped == 0 ? length : length - 16 + (size_t)__builtin_ctz(escaped);
}
#else
static size_t plain_bytes_of_long(const uint8_t *at, size_t length)
{
    size_t number = 0;
    for (; number + 8 <= length; number += 8) {
        uint64_t word;
        memcpy(&word, at + number, 8);
        if (one_is_escaped(word))
            break;
    }
    return number + plain_bytes_one_by_one(at + number, length - number);
}
#endif

/* Count the bytes before the first one that JSON escapes. */
static size_t plain_bytes(const uint8_t *at, size_t length)
{
    return length >= 16 ? plain_bytes_of_long(at, length) : plain_bytes_of_short(at, length);
}

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

bool write_quoted(struct buffer *buffer, struct span text)
{
    if (!buffer_need(buffer, text.length + 2))
        return false;
    buffer->data[buffer->length++] = '"';
    for (;;) {
        size_t plain = plain_bytes(text.at, text.length);
        copy(buffer->data + buffer->length, text.at, plain);
        buffer->length += plain;
        if (plain == text.length)
            break;
        text = (struct span){text.at + plain + 1, text.length - plain - 1};
        if (!buffer_need(buffer, ESCAPED_LENGTH + text.length + 1))
            return false;
        buffer->length += escape(buffer->data + buffer->length, text.at[-1]);
    }
    buffer->data[buffer->length++] = '"';
    return true;
}

bool write_whole(struct buffer *buffer, int64_t number)
{
    uint8_t digits[WHOLE_LENGTH];
    uint8_t *at = digits + WHOLE_LENGTH;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        *--at = (uint8_t)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0)
        *--at = '-';
    return write_bytes(buffer, (struct span){at, (size_t)(digits + WHOLE_LENGTH - at)});
}
