/* What is wrong with a text that should be a record: what Python's decoder stumbles over first, and where. */
#include <string.h>

#include "read.h"

/* A text on the way to its first fault, and which objects and lists are open there. */
struct scan {
    struct cursor cursor;
    uint8_t open[NESTING_MAX];
    int depth;
    bool wants_value; /* whether one has to come next in what was opened */
};

static bool comes(struct cursor *cursor, uint8_t byte)
{
    return cursor->at < cursor->end && *cursor->at == byte;
}

static bool is_digit(const struct cursor *cursor, int ahead)
{
    return cursor->end - cursor->at > ahead && cursor->at[ahead] >= '0' && cursor->at[ahead] <= '9';
}

static void pass_digits(struct cursor *cursor)
{
    while (is_digit(cursor, 0))
        cursor->at++;
}

/* -- values ----------------------------------------------------------------------------------------------------- */

/* Pass over four digits; where the text ends with them, Python sees no escape. */
static bool pass_code(struct cursor *cursor)
{
    bool is_code = cursor->end - cursor->at > 4;
    for (int digit = 0; is_code && digit < 4; digit++)
        is_code = is_hexadecimal(*cursor->at++);
    return is_code;
}

/* Pass over what follows a backslash. */
static enum fault pass_escape(struct cursor *cursor)
{
    const uint8_t *letter = cursor->at++;
    bool has_code = *letter == 'u';
    if (has_code ? pass_code(cursor) : memchr("\"\\/bfnrt", *letter, 8) != NULL)
        return FAULT_NONE;
    cursor->at = has_code ? letter : letter - 1;
    return has_code ? FAULT_UNICODE : FAULT_ESCAPE;
}

static enum fault pass_text(struct cursor *cursor)
{
    const uint8_t *quote = cursor->at++;
    enum fault fault = FAULT_NONE;
    while (fault == FAULT_NONE && cursor->at < cursor->end) {
        if (*cursor->at < ' ')
            return FAULT_CONTROL;
        uint8_t byte = *cursor->at++;
        if (byte == '"')
            return FAULT_NONE;
        if (byte == '\\' && cursor->at < cursor->end)
            fault = pass_escape(cursor);
    }
    if (fault != FAULT_NONE)
        return fault;
    cursor->at = quote;
    return FAULT_CUT;
}

/* Pass over a number as far as it is one; what follows is held against what may follow a value. */
static bool pass_number(struct cursor *cursor)
{
    struct cursor to = *cursor;
    to.at += comes(&to, '-');
    if (!is_digit(&to, 0))
        return false;
    if (comes(&to, '0'))
        to.at++;
    else
        pass_digits(&to);
    if (comes(&to, '.') && is_digit(&to, 1)) {
        to.at++;
        pass_digits(&to);
    }
    cursor->at = to.at;
    if (comes(&to, 'e') || comes(&to, 'E')) {
        to.at++;
        to.at += comes(&to, '-') || comes(&to, '+');
        if (is_digit(&to, 0)) {
            pass_digits(&to);
            cursor->at = to.at;
        }
    }
    return true;
}

/* Pass over a value that is neither an object nor a list. */
static enum fault pass_scalar(struct cursor *cursor)
{
    static const char *const words[] = {"true", "false", "null", "NaN", "Infinity", "-Infinity"};
    if (comes(cursor, '"'))
        return pass_text(cursor);
    for (size_t number = 0; number < sizeof words / sizeof *words; number++) {
        size_t length = strlen(words[number]);
        if ((size_t)(cursor->end - cursor->at) >= length && memcmp(cursor->at, words[number], length) == 0) {
            cursor->at += length;
            return FAULT_NONE;
        }
    }
    return pass_number(cursor) ? FAULT_NONE : FAULT_VALUE;
}

/* -- what lies between ------------------------------------------------------------------------------------------ */

static enum fault pass_name(struct cursor *cursor)
{
    if (!comes(cursor, '"'))
        return FAULT_NAME;
    enum fault fault = pass_text(cursor);
    if (fault != FAULT_NONE)
        return fault;
    if (!take(cursor, ':'))
        return FAULT_COLON;
    skip_blanks(cursor);
    return FAULT_NONE;
}

static uint8_t closing(const struct scan *scan)
{
    return scan->open[scan->depth - 1] == '{' ? '}' : ']';
}

/* Pass over what stands between a value and the next one. */
static enum fault pass_between(struct scan *scan)
{
    if (!take(&scan->cursor, ','))
        return FAULT_COMMA;
    skip_blanks(&scan->cursor);
    if (comes(&scan->cursor, closing(scan)))
        return FAULT_UNDECIDED; /* versions of Python tell this at different places */
    return closing(scan) == '}' ? pass_name(&scan->cursor) : FAULT_NONE;
}

/* Open an object or a list, and go on to its first value, unless it is empty. */
static enum fault open_nested(struct scan *scan)
{
    if (scan->depth == NESTING_MAX)
        return FAULT_UNDECIDED;
    scan->open[scan->depth++] = *scan->cursor.at++;
    skip_blanks(&scan->cursor);
    scan->wants_value = !comes(&scan->cursor, closing(scan));
    return scan->wants_value && closing(scan) == '}' ? pass_name(&scan->cursor) : FAULT_NONE;
}

/* Pass over a value, or go as far as its first fault. */
static enum fault find_fault(struct cursor *cursor)
{
    struct scan scan = {.cursor = *cursor, .depth = 0};
    enum fault fault = FAULT_NONE;
    do {
        bool opens = comes(&scan.cursor, '{') || comes(&scan.cursor, '[');
        scan.wants_value = false;
        fault = opens ? open_nested(&scan) : pass_scalar(&scan.cursor);
        while (fault == FAULT_NONE && !scan.wants_value && scan.depth > 0 && take(&scan.cursor, closing(&scan)))
            scan.depth--;
        if (fault == FAULT_NONE && !scan.wants_value && scan.depth > 0)
            fault = pass_between(&scan);
    } while (fault == FAULT_NONE && scan.depth > 0);
    cursor->at = scan.cursor.at;
    return fault;
}

/* -- what is left of a line ------------------------------------------------------------------------------------- */

/* Tell whether a byte surely is neither a blank to Python nor the beginning of one. */
static bool is_visible(const struct cursor *cursor)
{
    return cursor->at < cursor->end && *cursor->at > ' ' && *cursor->at < 0x7F;
}

/* Tell whether nothing but blanks is left; undecided where these may be letters that Python takes for such. */
static enum fault cut_or(enum fault fault, struct cursor rest)
{
    while (rest.at < rest.end && (*rest.at == ' ' || (*rest.at >= '\t' && *rest.at <= '\r') || (*rest.at >= 0x1C && *rest.at < ' ')))
        rest.at++;
    return rest.at == rest.end ? FAULT_CUT : *rest.at < 0x80 ? fault : FAULT_UNDECIDED;
}

/* Find the first member of a line's first object: its key with the colon; false if what begins there may only to Python be one. */
static bool first_member(struct cursor line, struct cursor *member)
{
    *member = cursor_over(line.at, 0);
    if (!take(&line, '{'))
        return is_visible(&line);
    skip_blanks(&line);
    const uint8_t *quote = line.at;
    if (!comes(&line, '"'))
        return is_visible(&line);
    for (line.at++; line.at < line.end && *line.at != '"'; line.at++)
        line.at += *line.at == '\\' && line.end - line.at > 1;
    if (line.at == line.end)
        return true;
    line.at++;
    if (!take(&line, ':'))
        return is_visible(&line);
    *member = cursor_over(quote, (size_t)(line.at - quote));
    return true;
}

/* Find the next object that begins with a line's first member; the line's end if there is none, NULL if only Python can tell. */
static const uint8_t *next_like(struct cursor line, const uint8_t *behind)
{
    struct cursor member;
    if (!first_member(line, &member))
        return NULL;
    ptrdiff_t length = member.end - member.at;
    for (const uint8_t *at = behind; length > 0 && (at = memchr(at, '{', (size_t)(line.end - at))) != NULL; at++) {
        struct cursor inside = cursor_over(at + 1, (size_t)(line.end - at - 1));
        skip_blanks(&inside);
        if (inside.at < inside.end && !is_visible(&inside))
            return NULL;
        if (inside.end - inside.at >= length && memcmp(inside.at, member.at, (size_t)length) == 0)
            return at;
    }
    return line.end;
}

enum fault judge(const struct program *program, struct cursor line, struct cursor *cursor, const uint8_t **place)
{
    const uint8_t *start = cursor->at;
    struct cursor scan = *cursor;
    bool opens_object = comes(&scan, '{'), opens_list = comes(&scan, '['), is_request = program->request >= 0;
    bool is_seen = is_visible(&scan) && (!is_request || opens_object || opens_list);
    enum fault fault = is_seen ? find_fault(&scan) : FAULT_UNDECIDED;
    cursor->at = cursor->end;
    *place = scan.at;
    if (fault == FAULT_UNDECIDED || fault == FAULT_CUT)
        return fault;
    if (fault == FAULT_NONE) {
        cursor->at = is_request ? cursor->end : scan.at;
        return is_request || opens_object ? FAULT_UNDECIDED : opens_list ? FAULT_LIST : FAULT_PLAIN;
    }
    fault = cut_or(fault, scan);
    const uint8_t *next = is_request || fault == FAULT_CUT ? line.end : next_like(line, start + 1);
    if (next == NULL || fault == FAULT_UNDECIDED)
        return FAULT_UNDECIDED;
    cursor->at = next;
    return fault;
}
