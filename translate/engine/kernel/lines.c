/* Lines of records, as polars hands them over, to a table of hub columns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exported.h"
#include "read.h"

enum { NO_MEMORY = 12, NOT_TEXT = 22 };
enum odd { REFUSED = 1 }; /* as reader/kernel_reader.py says, which has other numbers for what Python read */

static const struct view *view_at(const struct ArrowArray *texts, int64_t number)
{
    return (const struct view *)texts->buffers[1] + texts->offset + number;
}

static struct cursor line_at(const struct ArrowArray *texts, int64_t number)
{
    const struct view *view = view_at(texts, number);
    if (view->length <= VIEW_INSIDE)
        return cursor_over(view->text.inside, (size_t)view->length);
    const uint8_t *bytes = texts->buffers[2 + view->text.outside.buffer];
    bytes += view->text.outside.offset;
    return cursor_over(bytes, (size_t)view->length);
}

static bool is_valid(const struct ArrowArray *texts, int64_t number)
{
    const uint8_t *validity = texts->buffers[0];
    int64_t bit = texts->offset + number;
    return validity == NULL || (validity[bit / 8] >> (bit % 8) & 1);
}

/* -- rows ------------------------------------------------------------------------------------------------------- */

static bool put_whole(struct reader *reader, int32_t column, int64_t number)
{
    return column_set_whole(&reader->table.columns[column], reader->row, number);
}

/* Finish the row of a record: where it stood, and its text if that is not the whole line. */
static bool finish_row(struct reader *reader, int64_t line, int64_t part, struct value raw, bool is_line)
{
    if (!put_whole(reader, COLUMN_LINE, line) || !put_whole(reader, COLUMN_PART, part) ||
        !put_whole(reader, COLUMN_NULLS, reader->nulls) ||
        (!is_line && !put_bytes(reader, COLUMN_TEXT, raw.start, raw.length))) {
        return false;
    }
    reader->row++;
    return true;
}

/* Forget all rows from one on. */
static void go_back(struct reader *reader, int64_t row, size_t heap_length)
{
    for (; reader->row >= row; reader->row--) {
        for (int32_t column = 0; column < reader->table.n_columns; column++)
            column_forget(&reader->table.columns[column], reader->row);
    }
    reader->row = row;
    struct buffer *heap = &reader->table.heap;
    heap->length = heap_length;
}

/* Where the events of a line go, where its text lies, and up to where its letters were counted. */
struct place {
    int64_t line;
    struct cursor text;
    int64_t part;
    const uint8_t *counted;
    long long letters;
};

/* Show an event where it lies in its line: a copy would be as long as nearly all of the line. */
static struct view lent_view(const struct reader *reader, const struct value *event, const struct place *place)
{
    const struct view *line = view_at(reader->table.lent.children[0], place->line);
    struct view view = {.length = (int32_t)event->length};
    memcpy(view.text.outside.prefix, event->start, sizeof view.text.outside.prefix);
    view.text.outside.buffer = 1 + line->text.outside.buffer;
    view.text.outside.offset = line->text.outside.offset + (int32_t)(event->start - place->text.at);
    return view;
}

static bool finish_event(struct reader *reader, const struct value *event, void *told)
{
    struct place *place = told;
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    uintptr_t at = (uintptr_t)event->start, from = (uintptr_t)place->text.at, to = (uintptr_t)place->text.end;
    bool lies_there = !event->escaped && at >= from && at < to && event->length > VIEW_INSIDE;
    if (!lies_there && !append_as_it_stood(heap, event))
        return false;
    struct view view = lies_there ? lent_view(reader, event, place) : heap_view(heap, start);
    return column_set_view(&reader->table.columns[COLUMN_TEXT], reader->row, view) &&
           finish_row(reader, place->line, place->part++, *event, true);
}

/* Read a record, or all events of a request. */
static bool read_next(struct reader *reader, struct cursor line, struct cursor *cursor, struct place *place)
{
    const uint8_t *start = cursor->at;
    if (reader->program->request >= 0)
        return read_request(reader, cursor, finish_event, place);
    if (!read_record(reader, cursor))
        return false;
    struct value raw = {KIND_OBJECT, false, start, (size_t)(cursor->at - start)};
    return finish_row(reader, place->line, place->part++, raw, start == line.at && cursor->at == line.end);
}

/* Do so, or leave everything as it was. */
static bool try_next(struct reader *reader, struct cursor line, struct cursor *cursor, struct place *place)
{
    const struct cursor before = *cursor;
    const struct place first = *place;
    int64_t row = reader->row;
    size_t heap_length = reader->table.heap.length;
    if (read_next(reader, line, cursor, place))
        return true;
    go_back(reader, row, heap_length);
    *cursor = before;
    *place = first;
    return false;
}

/* Read in one pass while that is hoped to do, else the usual way; where only this did, there is no more hope. */
static bool read_hoping(struct reader *reader, struct cursor line, struct cursor *cursor, struct place *place)
{
    bool done = try_next(reader, line, cursor, place);
    if (!done && reader->hopes) {
        reader->hopes = false;
        done = try_next(reader, line, cursor, place);
        reader->hopes = !done;
    }
    return done;
}

/* Say why what stands in a line is refused: where it is no JSON, with the number of the letter. */
static bool give_reason(struct reader *reader, enum fault fault, struct place *place, const uint8_t *at)
{
    const struct reason *reason = &reader->program->reasons[fault - FAULT_CUT];
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    char number[24] = "";
    if (fault >= FAULT_VALUE) {
        while (place->counted < at)
            place->letters += (*place->counted++ & 0xC0) != 0x80;
        while (place->counted > at) { /* the record began within the one that was refused before */
            place->letters -= (*--place->counted & 0xC0) != 0x80;
        }
        snprintf(number, sizeof number, "%lld", place->letters + 1);
    }
    return buffer_append(heap, text_at(reader->program, reason->message), (size_t)reason->message.length) &&
           buffer_append(heap, number, strlen(number)) &&
           column_set_view(&reader->table.columns[COLUMN_MESSAGE], reader->row, heap_view(heap, start)) &&
           put_bytes(reader, COLUMN_CODE, text_at(reader->program, reason->code), (size_t)reason->code.length);
}

static bool refuse(struct reader *reader, struct cursor line, struct cursor piece, struct place *place)
{
    struct value raw = {KIND_NONE, false, piece.at, (size_t)(piece.end - piece.at)};
    reader->nulls = 0;
    return put_whole(reader, COLUMN_ODD, REFUSED) &&
           finish_row(reader, place->line, place->part++, raw, piece.at == line.at && piece.end == line.end);
}

/* Ask Python to read a line, or what is left of one, and take in the rows that it says. */
static bool leave(struct reader *reader, struct cursor line, struct cursor piece, struct place *place)
{
    bool is_line = piece.at == line.at && piece.end == line.end;
    struct said said = {NULL, 0};
    if (reader->read_left(place->line, piece.at, is_line ? -1 : piece.end - piece.at, &said) == 0)
        return false;
    struct cursor rows = cursor_over(said.bytes, (size_t)said.length);
    while (take_said(reader, &rows)) {
        if (!put_whole(reader, COLUMN_LINE, place->line) || !put_whole(reader, COLUMN_PART, place->part++))
            return false;
        reader->row++;
    }
    return rows.at == rows.end;
}

/* Refuse what comes next in a line, or leave it to Python. */
static bool pass_fault(struct reader *reader, struct cursor line, struct cursor *cursor, struct place *place)
{
    struct cursor piece = *cursor;
    const uint8_t *at = line.at;
    enum fault fault = judge(reader->program, line, cursor, &at);
    piece.end = cursor->at;
    if (fault == FAULT_UNDECIDED)
        return leave(reader, line, piece, place);
    return give_reason(reader, fault, place, at) && refuse(reader, line, piece, place);
}

static bool read_line(struct reader *reader, int64_t number, struct cursor line)
{
    struct cursor cursor = line;
    struct place place = {number, line, 0, line.at, 0};
    if (line.at == NULL || line.end - line.at > reader->program->record_bytes)
        return leave(reader, line, line, &place);
    skip_blanks(&cursor);
    while (cursor.at < cursor.end) {
        if (!read_hoping(reader, line, &cursor, &place) && !pass_fault(reader, line, &cursor, &place))
            return false;
        skip_blanks(&cursor);
    }
    return true;
}

enum { BYTES, ROWS, HEAP, VALUES }; /* what is told of a batch: of its lines, and of what they became, at last of each column */

/* Make room for what the lines say, by what others said, if these were not much fewer: so that it is not moved while it grows.
 * At first each is taken to be one record. */
static void expect(struct reader *reader, const struct ArrowArray *texts, int64_t *told)
{
    int64_t bytes = 0;
    for (int64_t number = 0; number < texts->length; number++)
        bytes += view_at(texts, number)->length;
    double share = told[BYTES] > bytes / 4 ? 1.03 * (double)bytes / (double)told[BYTES] : 0;
    told[BYTES] = bytes;
    (void)buffer_reserve(&reader->table.heap, share > 0 ? (size_t)(share * (double)told[HEAP]) : (size_t)bytes);
    for (int32_t number = 0; number < reader->table.n_columns; number++) {
        struct column *column = &reader->table.columns[number];
        size_t entries = (size_t)(share * (double)told[VALUES + number]);
        column->rows_expected = share > 0 ? (int64_t)(share * (double)told[ROWS]) : texts->length;
        if (column_is_nested(column) && entries > 0)
            (void)(buffer_reserve(&column->values, entries) && (column->type == TYPE_LIST || buffer_reserve(&column->keys, entries)));
    }
}

static void tell(const struct reader *reader, int64_t *told)
{
    told[ROWS] = reader->row;
    told[HEAP] = (int64_t)reader->table.heap.length;
    for (int32_t number = 0; number < reader->table.n_columns; number++)
        told[VALUES + number] = (int64_t)reader->table.columns[number].values.length;
}

/* Read lines; `left` are the numbers of some that are for Python whatever they hold, in order, and at last -1. */
static bool read_lines(struct reader *reader, const int64_t *left, int64_t *told)
{
    const struct ArrowArray *texts = reader->table.lent.children[0];
    expect(reader, texts, told);
    for (int64_t number = 0; number < texts->length; number++) {
        bool is_left = number == *left;
        left += is_left;
        struct cursor line = is_valid(texts, number) && !is_left ? line_at(texts, number) : cursor_over(NULL, 0);
        if (!read_line(reader, number, line))
            return false;
    }
    reader->table.rows = reader->row;
    tell(reader, told);
    return true;
}

/* -- the reader ------------------------------------------------------------------------------------------------- */

static bool make_reader(struct reader *reader, const struct program *program, const struct ArrowArray *lines, left_reader *read_left)
{
    memset(reader, 0, sizeof *reader);
    reader->table.lent = *lines;
    reader->program = program;
    reader->read_left = read_left;
    reader->hopes = program->request >= 0;
    reader->table.lent_to = COLUMN_TEXT;
    reader->seen = calloc((size_t)program->n_children + 1, sizeof *reader->seen);
    reader->table.columns = calloc((size_t)program->n_columns, sizeof *reader->table.columns);
    reader->indexes = calloc((size_t)program->n_columns, sizeof *reader->indexes);
    if (reader->seen == NULL || reader->table.columns == NULL || reader->indexes == NULL)
        return false;
    reader->table.n_columns = program->n_columns;
    for (int32_t column = 0; column < program->n_columns; column++) {
        reader->table.columns[column].name = program->texts + program->columns[column].name;
        reader->table.columns[column].type = (enum type)program->columns[column].type;
    }
    return true;
}

static void free_reader(struct reader *reader)
{
    for (int32_t column = 0; reader->indexes != NULL && column < reader->program->n_columns; column++) {
        forget_keys(&reader->indexes[column].keys);
    }
    free(reader->indexes);
    table_free(&reader->table);
    buffer_free(&reader->strays);
    buffer_free(&reader->null_paths);
    buffer_free(&reader->scratch);
    buffer_free(&reader->inner);
    buffer_free(&reader->members);
    buffer_free(&reader->around);
    for (int number = 0; number < OPENED_MAX; number++)
        buffer_free(&reader->opened[number]);
    free(reader->seen);
}

/* Read the lines in a frame's only column, of one batch, into the program's columns. What was told of another batch, or
 * zeros, says how much room they will need; it becomes what there is to tell of this one. */
EXPORTED int translate_read_lines(const struct program *program, struct ArrowArrayStream *given, const int64_t *left,
                                  int64_t *told, left_reader *read_left, struct ArrowArrayStream *made)
{
    struct ArrowSchema schema;
    struct ArrowArray lines;
    if (given->get_schema(given, &schema) != 0)
        return NOT_TEXT;
    bool is_text = schema.n_children == 1 && strcmp(schema.children[0]->format, "vu") == 0;
    schema.release(&schema);
    if (!is_text || given->get_next(given, &lines) != 0 || lines.release == NULL)
        return NOT_TEXT;
    struct reader reader;
    bool done = make_reader(&reader, program, &lines, read_left) && read_lines(&reader, left, told) &&
                table_hand_over(&reader.table, made);
    free_reader(&reader);
    return done ? 0 : NO_MEMORY;
}
