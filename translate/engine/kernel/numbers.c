/* The canonical digits of a number: those of the shortest text of its double, never with an exponent. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

enum {
    SURE_DIGITS = 15,    /* so many significant digits any double gives back as they were */
    SHORT_LITERAL = 300, /* nothing so short, and no power of ten below it, leaves the range of doubles */
    MANY_DIGITS = 17,
    LONGEST_LITERAL = 1000,
    EXPONENT_MAX = 100000000
};

/* A number taken apart: significant digits without zeros around them, and the power of ten of the first one. */
struct decimal {
    bool negative;
    int count;
    int power;
    char digits[LONGEST_LITERAL];
};

/* Read an exponent; of one that no number of this length can make up for, only that it is large. */
static int exponent_of(const uint8_t *figures, size_t length)
{
    bool negative = figures[0] == '-';
    int sum = 0;
    for (size_t at = figures[0] == '-' || figures[0] == '+'; at < length && sum < EXPONENT_MAX; at++)
        sum = sum * 10 + (figures[at] - '0');
    return negative ? -sum : sum;
}

static void take_apart(struct decimal *decimal, const uint8_t *literal, size_t length)
{
    bool seen_point = false;
    int power = -1;
    int exponent = 0;
    decimal->negative = literal[0] == '-';
    decimal->count = 0;
    for (size_t at = decimal->negative; at < length; at++) {
        if (literal[at] == '.') {
            seen_point = true;
        } else if ((literal[at] | 0x20) == 'e') {
            exponent = exponent_of(literal + at + 1, length - at - 1);
            break;
        } else {
            power += (decimal->count > 0 || literal[at] != '0') ? !seen_point : -(int)seen_point;
            if (decimal->count > 0 || literal[at] != '0')
                decimal->digits[decimal->count++] = (char)literal[at];
        }
    }
    while (decimal->count > 0 && decimal->digits[decimal->count - 1] == '0')
        decimal->count--;
    decimal->power = power + exponent;
}

static bool same(const struct decimal *one, const struct decimal *other)
{
    return one->count == other->count && memcmp(one->digits, other->digits, (size_t)one->count) == 0 &&
           (one->count == 0 || one->power == other->power);
}

static bool append_zeros(struct buffer *out, int count)
{
    if (count <= 0)
        return true;
    if (!buffer_reserve(out, (size_t)count))
        return false;
    memset(out->data + out->length, '0', (size_t)count);
    out->length += (size_t)count;
    return true;
}

/* Write digits without an exponent. */
static bool append_plainly(struct buffer *out, const struct decimal *decimal)
{
    if (decimal->count == 0)
        return buffer_append(out, "0", 1);
    if (decimal->negative && !buffer_append(out, "-", 1))
        return false;
    int whole = decimal->power + 1;
    if (whole <= 0) {
        return buffer_append(out, "0.", 2) && append_zeros(out, -whole) &&
               buffer_append(out, decimal->digits, (size_t)decimal->count);
    }
    int before = whole < decimal->count ? whole : decimal->count;
    if (!buffer_append(out, decimal->digits, (size_t)before) || !append_zeros(out, whole - before))
        return false;
    return before == decimal->count || (buffer_append(out, ".", 1) &&
           buffer_append(out, decimal->digits + before, (size_t)(decimal->count - before)));
}

/* Find the shortest digits that give the double back; false where the closest of a length may not be among them. */
static bool shortest(struct decimal *decimal, double number)
{
    int exponent;
    char text[40];
    bool is_tiny = fabs(number) < DBL_MIN; /* of these some have less than fifteen digits, and all gaps are of one size */
    for (int digits = is_tiny ? 1 : SURE_DIGITS; digits <= MANY_DIGITS; digits++) {
        if (!is_tiny && digits > SURE_DIGITS && fabs(frexp(number, &exponent)) == 0.5) {
            return false; /* the gaps around a power of two are of two sizes */
        }
        int length = snprintf(text, sizeof text, "%.*e", digits - 1, number);
        if (length < 0 || (size_t)length >= sizeof text || (digits > 1 && text[1 + (text[0] == '-')] != '.')) {
            return false; /* the last: whoever called set a locale that has commas there */
        }
        if (strtod(text, NULL) == number) {
            take_apart(decimal, (const uint8_t *)text, (size_t)length);
            return true;
        }
    }
    return false;
}

static enum digits append_by_double(struct buffer *out, const uint8_t *literal, size_t length)
{
    char text[LONGEST_LITERAL];
    if (length >= sizeof text)
        return DIGITS_UNDECIDED;
    memcpy(text, literal, length);
    text[length] = 0;
    char *end;
    double number = strtod(text, &end);
    struct decimal given, held;
    if (end != text + length || !isfinite(number) || number == 0)
        return DIGITS_UNDECIDED;
    take_apart(&given, literal, length);
    if (!shortest(&held, number) || !append_plainly(out, &held))
        return DIGITS_UNDECIDED;
    return same(&given, &held) ? DIGITS_EXACT : DIGITS_ROUNDED;
}

enum digits append_digits(struct buffer *out, const uint8_t *literal, size_t length)
{
    const uint8_t *point = memchr(literal, '.', length);
    bool has_exponent = memchr(literal, 'e', length) != NULL || memchr(literal, 'E', length) != NULL;
    if (point == NULL && !has_exponent) {
        bool is_zero = length == 2 && literal[0] == '-' && literal[1] == '0';
        return buffer_append(out, literal + is_zero, length - is_zero) ? DIGITS_EXACT : DIGITS_UNDECIDED;
    }
    struct decimal decimal;
    if (length < SHORT_LITERAL) {
        take_apart(&decimal, literal, length);
        bool is_near = decimal.count == 0 || (decimal.power > -SHORT_LITERAL && decimal.power < SHORT_LITERAL);
        if (decimal.count <= SURE_DIGITS && is_near)
            return append_plainly(out, &decimal) ? DIGITS_EXACT : DIGITS_UNDECIDED;
    }
    return append_by_double(out, literal, length);
}
