/* Rows as JSON text: a flat list of steps, carried out for each row of a frame, writes one text column after another. */
#include "exported.h"
#include "columns.h"
#include "spelling.h"

enum code {
    NEED_ANY,     /* of the conditions one is there, else on to `skip` */
    NEED_ALL,     /* all of the conditions are there, else on to `skip` */
    NEED_ENTRIES, /* the map in the slot is not empty, else on to `skip` */
    LITERAL,      /* `before`, as it is */
    OPEN,         /* a comma where one belongs, then `before` */
    QUOTED,       /* a member: a text as JSON */
    BARE,         /* a member: a whole number, a flag, or JSON text as it is */
    TEXTS,        /* a map's entries as members, their values as JSON texts */
    NUMBERS,      /* the same, digits bare */
    TEXT_ENTITIES,
    NUMBER_ENTITIES,
    MADE,        /* a member: the text of another column, which is written right here */
    MADE_QUOTED, /* a member: the text of an earlier column as JSON text */
    VALUES,      /* a map's entries as members, their values JSON as they are */
    CODES
};

#define ESCAPED_MAX 6  /* \u001f */
#define NULL_TEXT (-1) /* to skip there means that the row has no text */

/* Literals are ranges of one text; conditions a range of a list of slots. A slot is the number of one of the frame's
 * columns, or of a column that was made. */
struct step {
    int32_t code, slot;
    int32_t before, before_length;
    int32_t after, after_length;
    int32_t condition, conditions;
    int32_t skip;
};

struct program {
    const struct step *steps;
    const int32_t *ends; /* of each column that is made: the step after its last one */
    int32_t columns;
    int32_t apart; /* how many of them are written before the last one, and not within it */
    const char *const *names; /* of the columns */
    const uint8_t *literals;
    const int32_t *conditions;
};

struct job {
    const struct program *program;
    const struct frame *frame;
    struct table made;
    int64_t row;
    struct buffer *out; /* where all texts are written, one behind the other */
};

static bool write_text(struct job *job, int32_t column);

static struct span literal(const char *text, size_t length)
{
    return (struct span){(const uint8_t *)text, length};
}

static bool write_before(const struct job *job, const struct step *step)
{
    return write_bytes(job->out, (struct span){job->program->literals + step->before, (size_t)step->before_length});
}

static bool write_after(const struct job *job, const struct step *step)
{
    return write_bytes(job->out, (struct span){job->program->literals + step->after, (size_t)step->after_length});
}

static bool write_bare(struct buffer *out, const struct given *column, int64_t row)
{
    if (column->kind == KIND_WHOLE)
        return write_whole(out, whole_at(column, row));
    if (column->kind == KIND_FLAG)
        return write_bytes(out, flag_at(column, row) ? literal("true", 4) : literal("false", 5));
    return write_bytes(out, text_of_row(column, row));
}

static bool write_member(const struct job *job, const struct step *step)
{
    const struct given *column = &job->frame->column[step->slot];
    if (!is_there(column, job->row))
        return true;
    return write_comma(job->out) && write_before(job, step) &&
           (step->code == QUOTED ? write_quoted(job->out, text_of_row(column, job->row))
                                 : write_bare(job->out, column, job->row)) &&
           write_after(job, step);
}

static bool is_digits(struct span text)
{
    for (size_t number = 0; number < text.length; number++) {
        uint8_t byte = text.at[number];
        if ((byte < '0' || byte > '9') && byte != '-' && byte != '.')
            return false;
    }
    return text.length > 0;
}

static bool write_value(struct buffer *out, const struct texts_given *texts, int64_t entry, int32_t code)
{
    if (!text_is_there(texts, entry))
        return write_bytes(out, literal("null", 4));
    struct span text = text_at(texts, entry);
    bool is_number = code == NUMBERS || code == NUMBER_ENTITIES;
    return code == VALUES || (is_number && is_digits(text)) ? write_bytes(out, text) : write_quoted(out, text);
}

static bool write_members(const struct job *job, const struct given *map, int32_t code)
{
    int64_t end = entries_to(map, job->row);
    for (int64_t entry = entries_from(map, job->row); entry < end; entry++)
        if (!write_comma(job->out) || !write_quoted(job->out, text_at(&map->keys, entry)) ||
            !write_byte(job->out, ':') || !write_value(job->out, &map->texts, entry, code))
            return false;
    return true;
}

static bool write_entities(const struct job *job, const struct given *map, int32_t code)
{
    int64_t end = entries_to(map, job->row);
    for (int64_t entry = entries_from(map, job->row); entry < end; entry++)
        if (!write_comma(job->out) || !write_bytes(job->out, literal("{\"key\":", 7)) ||
            !write_quoted(job->out, text_at(&map->keys, entry)) ||
            !write_bytes(job->out, literal(",\"value\":", 9)) ||
            !write_value(job->out, &map->texts, entry, code) || !write_byte(job->out, '}'))
            return false;
    return true;
}

static bool write_map(const struct job *job, const struct step *step)
{
    const struct given *map = &job->frame->column[step->slot];
    if (!is_there(map, job->row))
        return true;
    bool are_entities = step->code == TEXT_ENTITIES || step->code == NUMBER_ENTITIES;
    return are_entities ? write_entities(job, map, step->code) : write_members(job, map, step->code);
}

/* Write a column within the row; the member is not there where the column has no text. */
static bool write_inside(struct job *job, const struct step *step)
{
    size_t before = job->out->length;
    if (!write_comma(job->out) || !write_before(job, step) || !write_text(job, step->slot))
        return false;
    if (!column_is_set(&job->made.columns[step->slot], job->row))
        job->out->length = before;
    return true;
}

static bool write_made_quoted(const struct job *job, const struct step *step)
{
    const struct column *made = &job->made.columns[step->slot];
    if (!column_is_set(made, job->row))
        return true;
    struct view view = ((const struct view *)(const void *)made->values.data)[job->row];
    if (!buffer_need(job->out, (size_t)step->before_length + ESCAPED_MAX * (size_t)view.length + 3))
        return false; /* what lies in the heap may not move while it is read */
    struct span text = {view_bytes(&view, job->out), (size_t)view.length};
    return write_comma(job->out) && write_before(job, step) && write_quoted(job->out, text);
}

static bool write_step(struct job *job, const struct step *step)
{
    switch (step->code) {
    case LITERAL:
        return write_before(job, step);
    case OPEN:
        return write_comma(job->out) && write_before(job, step);
    case QUOTED:
    case BARE:
        return write_member(job, step);
    case MADE:
        return write_inside(job, step);
    case MADE_QUOTED:
        return write_made_quoted(job, step);
    default:
        return write_map(job, step);
    }
}

/* Tell whether a step's condition holds; a step without one has none to break. */
static bool holds(const struct job *job, const struct step *step)
{
    if (step->code > NEED_ENTRIES)
        return true;
    if (step->code == NEED_ENTRIES) {
        const struct given *map = &job->frame->column[step->slot];
        return is_there(map, job->row) && entries_from(map, job->row) < entries_to(map, job->row);
    }
    bool any = step->code == NEED_ANY;
    for (int32_t number = 0; number < step->conditions; number++) {
        int32_t slot = job->program->conditions[step->condition + number];
        if (is_there(&job->frame->column[slot], job->row) == any)
            return any;
    }
    return !any;
}

static bool write_text(struct job *job, int32_t column)
{
    const struct program *program = job->program;
    size_t start = job->out->length;
    for (int32_t at = column == 0 ? 0 : program->ends[column - 1]; at < program->ends[column]; at++) {
        const struct step *step = &program->steps[at];
        if (!holds(job, step)) {
            if (step->skip == NULL_TEXT) {
                job->out->length = start;
                return true;
            }
            at = step->skip - 1;
        } else if (step->code > NEED_ENTRIES && !write_step(job, step)) {
            return false;
        }
    }
    return column_set_view(&job->made.columns[column], job->row, heap_view(job->out, start));
}

static bool is_kind(const struct frame *frame, int32_t slot, bool map)
{
    return slot >= 0 && slot < frame->columns && frame->column[slot].kind != KIND_NONE &&
           (frame->column[slot].kind == KIND_MAP) == map;
}

/* Hold a step against the frame, so that no row has to be. */
static bool is_possible(const struct program *program, const struct frame *frame, int32_t at, int32_t made)
{
    const struct step *step = &program->steps[at];
    if (step->code < 0 || step->code >= CODES || (step->skip != NULL_TEXT && step->skip <= at))
        return false;
    for (int32_t number = 0; number < step->conditions; number++)
        if (program->conditions[step->condition + number] >= frame->columns)
            return false;
    switch (step->code) {
    case QUOTED:
        return is_kind(frame, step->slot, false) && frame->column[step->slot].kind == KIND_TEXT;
    case BARE:
        return is_kind(frame, step->slot, false);
    case NEED_ENTRIES:
    case TEXTS:
    case NUMBERS:
    case VALUES:
    case TEXT_ENTITIES:
    case NUMBER_ENTITIES:
        return is_kind(frame, step->slot, true);
    case MADE: /* of the last column alone, so that none is written within itself */
        return step->slot >= program->apart && step->slot < made && made == program->columns - 1;
    case MADE_QUOTED:
        return step->slot >= 0 && step->slot < made && step->slot < program->apart;
    default:
        return true;
    }
}

static bool are_possible(const struct program *program, const struct frame *frame)
{
    int32_t at = 0;
    for (int32_t made = 0; made < program->columns; made++)
        for (; at < program->ends[made]; at++)
            if (!is_possible(program, frame, at, made))
                return false;
    return true;
}

static bool write_row(struct job *job)
{
    const struct program *program = job->program;
    for (int32_t column = 0; column < program->apart; column++)
        if (!write_text(job, column))
            return false;
    return write_text(job, program->columns - 1);
}

static bool write_rows(struct job *job, int64_t bytes_expected, struct ArrowArrayStream *made)
{
    int64_t rows = job->frame->rows;
    int32_t columns = job->program->columns;
    bool well = table_begin(&job->made, columns, job->program->names, rows) &&
                (rows == 0 || are_possible(job->program, job->frame));
    job->out = &job->made.heap;
    (void)buffer_reserve(job->out, (size_t)bytes_expected); /* so that they are not moved while they grow */
    for (job->row = 0; well && job->row < rows; job->row++)
        well = write_row(job);
    well = well && table_hand_over(&job->made, made);
    table_free(&job->made);
    return well;
}

/* Write the rows of a frame: of its `columns` the last one is the row, in which all but the first ones, `apart`, are written.
 * Give 0, or another number where there was no memory, or a column is not what a step takes. */
EXPORTED int translate_rows(struct ArrowArrayStream *given, const int32_t *steps, const int32_t *ends, int32_t columns,
                            int32_t apart, const char *const *names, const uint8_t *literals,
                            const int32_t *conditions, int64_t bytes_expected, struct ArrowArrayStream *made)
{
    struct program program = {
        .steps = (const struct step *)(const void *)steps,
        .ends = ends,
        .columns = columns,
        .apart = apart,
        .names = names,
        .literals = literals,
        .conditions = conditions,
    };
    struct frame frame;
    struct job job = {.program = &program, .frame = &frame};
    bool well = frame_take(&frame, given) && columns > 0 && apart >= 0 && apart < columns &&
                bytes_expected >= 0 && write_rows(&job, bytes_expected, made);
    frame_let_go(&frame);
    return well ? 0 : 1;
}
