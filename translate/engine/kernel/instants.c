/* Times as texts, in the forms in which nearly all of them are written; of others nothing is said. */
#include "instants.h"

#include "columns.h"
#include "exported.h"
#include "input.h"

enum { ISO_SECONDS = 19, SECONDS_DIGITS = 9, DECIMALS = 3, MINUTE_MS = 60000 };

static bool two_digits(const uint8_t *at, int most, int *number)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *number = (at[0] - '0') * 10 + (at[1] - '0');
    return *number <= most;
}

/* Read digits behind a point as thousandths, of which those behind the third tell only that they are there; give how many
 * bytes that takes, 0 where no point stands there, or no digit behind it. */
static size_t read_fraction(const uint8_t *at, size_t length, struct instant *instant)
{
    int64_t thousandths = 0;
    size_t digit = 1;
    if (length < 2 || at[0] != '.')
        return 0;
    for (; digit < length && at[digit] >= '0' && at[digit] <= '9'; digit++) {
        thousandths = digit <= DECIMALS ? thousandths * 10 + (at[digit] - '0') : thousandths;
        instant->is_finer |= digit > DECIMALS && at[digit] != '0';
    }
    for (size_t missing = digit; missing <= DECIMALS; missing++)
        thousandths *= 10;
    instant->milliseconds += thousandths;
    return digit > 1 ? digit : 0;
}

/* Give how many days after 1 January 1970 a day is, by eras of 400 years that begin in March. */
static int64_t days_until(int year, int month, int day)
{
    int64_t years = year - (month <= 2), era = years / 400, of_era = years % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool read_day(const uint8_t *at, int64_t *days)
{
    static const int most[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century, year, month, day;
    if (at[4] != '-' || at[7] != '-' || !two_digits(at, 99, &century) || !two_digits(at + 2, 99, &year) ||
        !two_digits(at + 5, 12, &month) || !two_digits(at + 8, 31, &day)) {
        return false;
    }
    year += century * 100;
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    *days = days_until(year, month, day);
    return year > 0 && month > 0 && day > 0 && day <= most[month] + (month == 2 && is_leap);
}

/* Read a day and a time of it, with one sign between them. */
static bool read_clock(const uint8_t *at, size_t length, int64_t *milliseconds)
{
    int64_t days;
    int hour, minute, second;
    if (length < ISO_SECONDS || at[13] != ':' || at[16] != ':' || !read_day(at, &days) || !two_digits(at + 11, 23, &hour) ||
        !two_digits(at + 14, 59, &minute) || !two_digits(at + 17, 59, &second)) {
        return false;
    }
    *milliseconds = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000;
    return true;
}

/* Read what tells the zone behind a time: nothing, `Z`, or hours and perhaps minutes ahead of UTC or behind it. */
static bool read_zone(const uint8_t *at, size_t length, struct instant *instant)
{
    int hours, minutes = 0;
    instant->has_zone = length > 0;
    if (length == 0 || (length == 1 && at[0] == 'Z'))
        return true;
    bool has_colon = length == 6 && at[3] == ':';
    if ((at[0] != '+' && at[0] != '-') || (length != 3 && length != 5 && !has_colon) || !two_digits(at + 1, 23, &hours) ||
        (length > 3 && !two_digits(at + length - 2, 59, &minutes))) {
        return false;
    }
    instant->milliseconds -= (at[0] == '-' ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
    return true;
}

bool read_iso8601(const uint8_t *at, size_t length, int64_t *milliseconds)
{
    struct instant instant = {0};
    if (length <= ISO_SECONDS || length > ISO_SECONDS + DECIMALS + 2 || at[length - 1] != 'Z' || at[10] != 'T' ||
        !read_clock(at, length, &instant.milliseconds)) {
        return false;
    }
    size_t fraction = read_fraction(at + ISO_SECONDS, length - ISO_SECONDS, &instant);
    *milliseconds = instant.milliseconds;
    return ISO_SECONDS + fraction + 1 == length;
}

bool read_any_iso8601(const uint8_t *at, size_t length, struct instant *instant)
{
    *instant = (struct instant){0};
    if (length < ISO_SECONDS || (at[10] != ' ' && at[10] != 'T') || !read_clock(at, length, &instant->milliseconds))
        return false;
    size_t zone = ISO_SECONDS + read_fraction(at + ISO_SECONDS, length - ISO_SECONDS, instant);
    return read_zone(at + zone, length - zone, instant) && instant->milliseconds >= FIRST_MILLISECOND &&
           instant->milliseconds <= LAST_MILLISECOND;
}

/* Read seconds since 1970 with up to three decimals, so few that a double holds their millionths. */
static bool read_seconds(const uint8_t *at, size_t length, int64_t *milliseconds)
{
    size_t digits = 0;
    struct instant instant = {0};
    for (; digits < length && at[digits] >= '0' && at[digits] <= '9' && digits <= SECONDS_DIGITS; digits++)
        instant.milliseconds = instant.milliseconds * 10 + (at[digits] - '0');
    bool well = digits > 0 && digits <= SECONDS_DIGITS + 1 && instant.milliseconds < 9000000000 && (digits == 1 || at[0] != '0') &&
                length <= digits + 1 + DECIMALS;
    instant.milliseconds *= 1000;
    well = well && digits + read_fraction(at + digits, length - digits, &instant) == length;
    *milliseconds = instant.milliseconds;
    return well;
}

/* Read the times in a frame's only column of texts as milliseconds since 1970; those in another form are null. Give 0, or
 * another number where there was no memory. */
EXPORTED int translate_instants(struct ArrowArrayStream *given, int32_t in_seconds, struct ArrowArrayStream *made)
{
    static const char *const name = "instants";
    struct frame frame;
    struct table table = {0};
    bool well = frame_take(&frame, given) && (frame.rows == 0 || frame.column[0].kind == KIND_TEXT) &&
                table_begin(&table, 1, &name, frame.rows);
    if (well)
        table.columns[0].type = TYPE_WHOLE;
    for (int64_t row = 0; well && row < frame.rows; row++) {
        int64_t milliseconds;
        if (row + ROWS_AHEAD < frame.rows)
            fetch_text(&frame.column[0].texts, row + ROWS_AHEAD);
        if (!is_there(&frame.column[0], row))
            continue;
        struct span text = text_at(&frame.column[0].texts, row);
        bool is_time = in_seconds ? read_seconds(text.at, text.length, &milliseconds)
                                  : read_iso8601(text.at, text.length, &milliseconds);
        well = !is_time || column_set_whole(&table.columns[0], row, milliseconds);
    }
    well = well && table_hand_over(&table, made);
    table_free(&table);
    frame_let_go(&frame);
    return well ? 0 : 1;
}

/* -- as texts ---------------------------------------------------------------------------------------------------- */

enum { DAY_MS = 86400000 };

static void put_two(uint8_t *at, uint32_t number)
{
    at[0] = (uint8_t)('0' + number / 10);
    at[1] = (uint8_t)('0' + number % 10);
}

bool append_iso8601(struct buffer *out, int64_t milliseconds)
{
    int64_t whole_days = milliseconds / DAY_MS - (milliseconds % DAY_MS < 0);
    uint32_t rest = (uint32_t)(milliseconds - whole_days * DAY_MS), days = (uint32_t)(whole_days + 719468);
    uint32_t era = days / 146097, of_era = days % 146097;
    uint32_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * years + years / 4 - years / 100), since_march = (5 * of_year + 2) / 153;
    uint32_t month = since_march < 10 ? since_march + 3 : since_march - 9, year = era * 400 + years + (month <= 2);
    uint8_t text[] = "0000-00-00T00:00:00.000Z";
    put_two(text, year / 100);
    put_two(text + 2, year % 100);
    put_two(text + 5, month);
    put_two(text + 8, of_year - (153 * since_march + 2) / 5 + 1);
    put_two(text + 11, rest / 3600000);
    put_two(text + 14, rest / 60000 % 60);
    put_two(text + 17, rest / 1000 % 60);
    put_two(text + 20, rest % 1000 / 10);
    text[22] = (uint8_t)('0' + rest % 10);
    return buffer_append(out, text, sizeof text - 1);
}

/* Write a frame's only column, of milliseconds since 1970 within the years from 1 to 9999, as texts. Give 0, or another
 * number where there was no memory. */
EXPORTED int translate_spelled_instants(struct ArrowArrayStream *given, struct ArrowArrayStream *made)
{
    static const char *const name = "instants";
    struct frame frame;
    struct table table = {0};
    bool well = frame_take(&frame, given) && (frame.rows == 0 || frame.column[0].kind == KIND_WHOLE) &&
                table_begin(&table, 1, &name, frame.rows);
    for (int64_t row = 0; well && row < frame.rows; row++) {
        size_t start = table.heap.length;
        well = !is_there(&frame.column[0], row) ||
               (append_iso8601(&table.heap, whole_at(&frame.column[0], row)) &&
                column_set_view(&table.columns[0], row, heap_view(&table.heap, start)));
    }
    well = well && table_hand_over(&table, made);
    table_free(&table);
    frame_let_go(&frame);
    return well ? 0 : 1;
}
