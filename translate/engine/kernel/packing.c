/* Rows packed into requests: one is open for all rows that have the same around them, until a limit closes it. */
#include "exported.h"
#include "spelling.h"
#include "words.h"

#include <stdlib.h>

enum { EVENTS = -1, LITERAL = -2 }; /* in place of a part's column */
enum { ROW, TEMPLATE, TEMPLATE_OF_MEMBER, FIRST_AROUND };
enum { AROUND = 1, MEMBER = 1, BESIDE = 2, OWN = 3 }; /* what words are */
enum { DONE, MORE, FAILED };
enum { AHEAD = 32 };                 /* rows that are looked at before they are packed */
enum { FEW = 3 };                    /* columns: what they say is found as fast as where it lies */
enum { WRITTEN_TOGETHER = 1 << 20 }; /* bytes of requests: more than these go on before others are written */

/* A part of a template: a literal, the place of the events, or a column's value. */
struct part {
    int32_t column;
    int32_t start, length; /* of a literal */
    int32_t is_counted;    /* whether the value is part of the body, whose size is limited */
};

struct template {
    int32_t first_part, parts;
    int32_t size; /* of the literals that are part of the body */
};

struct program {
    const struct part *parts;
    const struct template *templates;
    const uint8_t *literals;
    const int32_t *is_text; /* by column: whether its values become texts, or are JSON as they are */
    int32_t around;         /* how many columns there are of what is around a request */
    int32_t member, own;    /* the columns of the names of a member and of the event itself; -1: there are none */
    int32_t beside;         /* from which column on it is said what is beside the events of a member */
};

/* What follows events, then what comes before them, and the events; `text` is empty where there is nothing. */
struct group {
    struct buffer text;
    uint32_t before;
    uint32_t beside;
};

/* The names that stand in a request, and its members, by their words. */
struct named {
    struct words names;
    struct buffer members;
};

struct request {
    int64_t number; /* from 1, in the order in which they begin; 0: none is open */
    int64_t rows, size;
    struct group whole;
    struct named *named; /* where names are asked for: others do not pay for the room, of which many are open */
};

struct packing {
    int64_t rows_max, bytes_max, open_bytes_max;
    int64_t open_bytes, begun;
    int64_t requests, events; /* those that are written */
    uint64_t seed;
    struct words around;
    struct words alike;      /* where that lies which rows of the frame differ in */
    struct buffer known;     /* by such a word, the word of what is around a row */
    struct buffer differing; /* the numbers of the columns that rows of the frame differ in */
    uint32_t ahead[AHEAD]; /* words of rows, from one row to another */
    int64_t ahead_from, ahead_to;
    struct buffer open;  /* requests, by the word of what is around them */
    struct buffer order; /* the words of those that began, in their order */
    bool is_closing;     /* all that are open are written before other rows */
    size_t closed;       /* of the order */
    struct buffer out;
    struct buffer said, before, after, own; /* of the row at hand */
    struct program program;
    struct frame frame;
    int64_t row;
};

static const struct given *column_at(const struct packing *packing, int32_t column)
{
    return &packing->frame.column[column];
}

static struct span text_here(const struct packing *packing, int32_t column)
{
    const struct texts_given *texts = &column_at(packing, column)->texts;
    return text_is_there(texts, packing->row) ? text_at(texts, packing->row) : (struct span){(const uint8_t *)"", 0};
}

static struct span span_of(const struct buffer *buffer)
{
    return (struct span){buffer->data, buffer->length};
}

/* -- what is said around a row ----------------------------------------------------------------------------------- */

/* Give the word of what some columns say, told apart from what any other row has there. */
static uint32_t word_of_columns(struct packing *packing, struct words *words, uint32_t above, int32_t from, int32_t to)
{
    struct buffer *said = &packing->said;
    said->length = 0;
    for (int32_t column = from; column < to; column++) {
        struct span text = text_here(packing, column);
        int32_t length = is_there(column_at(packing, column), packing->row) ? (int32_t)text.length : -1;
        if (!buffer_append(said, &length, sizeof length) || !buffer_append(said, text.at, text.length))
            return NO_WORD;
    }
    return word_of(words, above, said->data, said->length);
}

/* Tell whether a column says the same of all rows of the frame: then it lies in one place, or within the views. */
static bool is_the_same(const struct packing *packing, int32_t number)
{
    const struct given *column = column_at(packing, number);
    int64_t rows = packing->frame.rows, row = 1;
    const struct view *views = column->texts.views + column->texts.first;
    while (row < rows && is_there(column, row) == is_there(column, 0))
        row++;
    return row >= rows && memcmp(views, views + 1, (size_t)(rows - 1) * sizeof *views) == 0;
}

/* Find the columns around a request that rows of a new frame differ in. */
static bool find_differing(struct packing *packing)
{
    bool well = true;
    packing->differing.length = packing->known.length = 0;
    for (int32_t column = FIRST_AROUND; well && column < FIRST_AROUND + packing->program.around; column++)
        well = is_the_same(packing, column) || buffer_append(&packing->differing, &column, sizeof column);
    words_free(&packing->alike);
    return well && words_begin(&packing->alike, packing->seed);
}

static uint32_t word_around(struct packing *packing)
{
    size_t count = packing->differing.length / sizeof(int32_t);
    if (count <= FEW)
        return word_of_columns(packing, &packing->around, AROUND, FIRST_AROUND, FIRST_AROUND + packing->program.around);
    struct buffer *said = &packing->said;
    said->length = 0;
    for (size_t number = 0; number < count; number++) {
        const struct given *column = column_at(packing, ((const int32_t *)(const void *)packing->differing.data)[number]);
        struct view view = {.length = -1};
        if (is_there(column, packing->row))
            view = column->texts.views[column->texts.first + packing->row];
        if (!buffer_append(said, &view, sizeof view))
            return NO_WORD;
    }
    uint32_t alike = word_of(&packing->alike, AROUND, said->data, said->length);
    if (alike == NO_WORD || !buffer_reach(&packing->known, (alike + 1) * sizeof alike))
        return NO_WORD;
    uint32_t *known = (uint32_t *)(void *)packing->known.data + alike;
    if (*known == NO_WORD)
        *known = word_of_columns(packing, &packing->around, AROUND, FIRST_AROUND, FIRST_AROUND + packing->program.around);
    return *known;
}

static bool write_value(const struct packing *packing, int32_t column, struct buffer *out)
{
    struct span text = text_here(packing, column);
    return packing->program.is_text[column] ? write_quoted(out, text) : write_bytes(out, text);
}

/* Fill the template that a column names, but for the events; give the size of what is part of the body. */
static bool fill(struct packing *packing, int32_t named_by, int64_t *size)
{
    const struct program *program = &packing->program;
    const struct template *template = &program->templates[whole_at(column_at(packing, named_by), packing->row)];
    struct buffer *out = &packing->before;
    packing->before.length = packing->after.length = 0;
    *size = template->size;
    for (const struct part *part = &program->parts[template->first_part], *end = part + template->parts; part < end; part++) {
        size_t start = out->length;
        if (part->column == EVENTS)
            out = &packing->after;
        else if (!(part->column == LITERAL
                       ? write_bytes(out, (struct span){program->literals + part->start, (size_t)part->length})
                       : write_value(packing, part->column, out)))
            return false;
        else if (part->is_counted)
            *size += (int64_t)(out->length - start);
    }
    return true;
}

static bool group_begin(struct packing *packing, struct group *group)
{
    size_t row = packing->own.length + text_here(packing, ROW).length;
    group->before = (uint32_t)packing->after.length;
    return buffer_need(&group->text, packing->after.length + packing->before.length + row) &&
           write_bytes(&group->text, span_of(&packing->after)) &&
           write_bytes(&group->text, span_of(&packing->before));
}

/* -- requests ---------------------------------------------------------------------------------------------------- */

static struct request *request_at(const struct packing *packing, size_t word)
{
    return (struct request *)(void *)packing->open.data + word;
}

static struct group *member_at(const struct request *request, size_t word)
{
    return (struct group *)(void *)request->named->members.data + word;
}

/* Count the words that members may have. */
static size_t members_of(const struct request *request)
{
    return request->named == NULL ? 0 : request->named->members.length / sizeof(struct group);
}

static bool begin_names(const struct packing *packing, struct request *request)
{
    if (packing->program.member < 0 && packing->program.own < 0)
        return true;
    request->named = calloc(1, sizeof *request->named);
    return request->named != NULL && words_begin(&request->named->names, packing->seed);
}

static bool begin(struct packing *packing, struct request *request)
{
    uint32_t word = (uint32_t)(request - request_at(packing, 0));
    *request = (struct request){.number = ++packing->begun};
    bool well = buffer_append(&packing->order, &word, sizeof word) && fill(packing, TEMPLATE, &request->size) &&
                group_begin(packing, &request->whole);
    packing->open_bytes += request->size;
    return well && begin_names(packing, request);
}

static void let_go(struct request *request)
{
    for (size_t word = 0; word < members_of(request); word++)
        buffer_free(&member_at(request, word)->text);
    if (request->named != NULL) {
        buffer_free(&request->named->members);
        words_free(&request->named->names);
        free(request->named);
    }
    buffer_free(&request->whole.text);
    request->number = 0;
}

static bool write_group(struct buffer *out, const struct group *group, const struct request *members)
{
    const struct buffer *text = &group->text;
    bool well = write_bytes(out, (struct span){text->data + group->before, text->length - group->before});
    for (size_t word = 0; members != NULL && well && word < members_of(members); word++) {
        const struct group *member = member_at(members, word);
        well = member->text.length == 0 || (write_comma(out) && write_group(out, member, NULL));
    }
    return well && write_bytes(out, (struct span){text->data, group->before});
}

/* Write a request that takes no more. */
static bool close_request(struct packing *packing, struct request *request)
{
    packing->open_bytes -= request->size;
    packing->requests++;
    packing->events += request->rows;
    bool well = write_group(&packing->out, &request->whole, request) && write_byte(&packing->out, '\n');
    let_go(request);
    return well;
}

/* Write the request that began next, unless it has been. */
static bool close_next(struct packing *packing)
{
    uint32_t word = ((const uint32_t *)(const void *)packing->order.data)[packing->closed];
    int64_t before = packing->begun - (int64_t)(packing->order.length / sizeof word);
    struct request *request = request_at(packing, word);
    return request->number != before + (int64_t)++packing->closed || close_request(packing, request);
}

static bool end_closing(struct packing *packing)
{
    packing->is_closing = false;
    packing->closed = packing->open.length = packing->order.length = 0;
    packing->ahead_to = 0;
    words_free(&packing->around);
    return words_begin(&packing->around, packing->seed) && (packing->row == packing->frame.rows || find_differing(packing));
}

/* -- rows -------------------------------------------------------------------------------------------------------- */

/* Where a row goes in a request, and what it takes there. */
struct place {
    struct group *group;
    int64_t size;
    bool is_taken; /* by another row of its name, or by another member of its member's name */
};

static bool is_new(const struct words *words, uint32_t word, uint32_t before)
{
    return word == before && words_count(words) > before;
}

static bool find_member(struct packing *packing, struct request *request, uint32_t *word, struct place *place)
{
    const struct program *program = &packing->program;
    struct span name = text_here(packing, program->member);
    struct words *names = &request->named->names;
    uint32_t beside = word_of_columns(packing, names, BESIDE, program->beside, (int32_t)packing->frame.columns);
    *word = word_of(names, MEMBER, name.at, name.length);
    if (beside == NO_WORD || *word == NO_WORD || !buffer_reach(&request->named->members, (*word + 1) * sizeof(struct group)))
        return false;
    place->group = member_at(request, *word);
    if (place->group->text.length > 0) {
        place->is_taken = place->group->beside != beside;
        return true;
    }
    place->group->beside = beside;
    return fill(packing, TEMPLATE_OF_MEMBER, &place->size);
}

static bool find_place(struct packing *packing, struct request *request, struct place *place)
{
    const struct program *program = &packing->program;
    uint32_t word = OWN;
    *place = (struct place){.group = &request->whole};
    if (program->member >= 0 && !find_member(packing, request, &word, place))
        return false;
    if (program->own >= 0) {
        struct span name = text_here(packing, program->own);
        struct words *names = &request->named->names;
        uint32_t before = words_count(names), own = word_of(names, word, name.at, name.length);
        place->is_taken = place->is_taken || !is_new(names, own, before);
        if (own == NO_WORD)
            return false;
    }
    place->size += (int64_t)(packing->own.length + text_here(packing, ROW).length) + 1;
    return true;
}

static bool put(struct packing *packing, struct request *request, const struct place *place)
{
    struct buffer *text = &place->group->text;
    request->rows++;
    request->size += place->size;
    packing->open_bytes += place->size;
    return (text->length > 0 || group_begin(packing, place->group)) && write_comma(text) &&
           write_bytes(text, span_of(&packing->own)) && write_bytes(text, text_here(packing, ROW));
}

static bool name_row(struct packing *packing)
{
    packing->own.length = 0;
    return packing->program.own < 0 ||
           (write_quoted(&packing->own, text_here(packing, packing->program.own)) && write_byte(&packing->own, ':'));
}

/* Find the words of the rows that come next, and have their requests brought near, as each lies far from the one before. */
static bool look_ahead(struct packing *packing)
{
    int64_t from = packing->row, left = packing->frame.rows - from;
    bool well = true;
    packing->ahead_from = from;
    packing->ahead_to = from + (left < AHEAD ? left : AHEAD);
    for (; well && packing->row < packing->ahead_to; packing->row++) {
        uint32_t word = packing->ahead[packing->row - from] = word_around(packing);
        well = word != NO_WORD && buffer_reach(&packing->open, (word + 1) * sizeof(struct request));
        if (well)
            __builtin_prefetch(request_at(packing, word));
    }
    for (packing->row = from; well && packing->row < packing->ahead_to; packing->row++) {
        const struct buffer *text = &request_at(packing, packing->ahead[packing->row - from])->whole.text;
        if (text->length > 0)
            __builtin_prefetch(text->data + text->length - 1, 1);
    }
    packing->row = from;
    return well;
}

static bool pack_row(struct packing *packing)
{
    struct place place;
    if (packing->row >= packing->ahead_to && !look_ahead(packing))
        return false;
    struct request *request = request_at(packing, packing->ahead[packing->row - packing->ahead_from]);
    if ((request->number == 0 && !begin(packing, request)) || !name_row(packing) || !find_place(packing, request, &place))
        return false;
    if (request->rows > 0 && (request->rows >= packing->rows_max || request->size + place.size > packing->bytes_max || place.is_taken)) {
        if (!close_request(packing, request) || !begin(packing, request) || !find_place(packing, request, &place))
            return false;
    }
    if (!put(packing, request, &place))
        return false;
    packing->is_closing = packing->open_bytes > packing->open_bytes_max;
    return true;
}

/* Tell whether all columns are what they are taken for. */
static bool is_possible(const struct packing *packing)
{
    for (int64_t number = 0; number < packing->frame.columns; number++) {
        bool is_number = number == TEMPLATE || number == TEMPLATE_OF_MEMBER;
        if (packing->frame.column[number].kind != (is_number ? KIND_WHOLE : KIND_TEXT))
            return false;
    }
    return true;
}

/* Do what comes next: write a request, or take in a row. */
static int step(struct packing *packing)
{
    bool well;
    if (!packing->is_closing && packing->row == packing->frame.rows)
        return DONE;
    if (!packing->is_closing)
        well = pack_row(packing) && ++packing->row;
    else if (packing->closed < packing->order.length / sizeof(uint32_t))
        well = close_next(packing);
    else
        well = end_closing(packing);
    return well ? MORE : FAILED;
}

static void let_go_of_frame(struct packing *packing)
{
    frame_let_go(&packing->frame);
    packing->frame = (struct frame){.rows = 0};
    packing->row = packing->ahead_to = 0;
}

/* -- what Python calls ------------------------------------------------------------------------------------------- */

EXPORTED struct packing *translate_packing_begin(int64_t rows_max, int64_t bytes_max, int64_t open_bytes_max, uint64_t seed)
{
    struct packing *packing = calloc(1, sizeof *packing);
    if (packing == NULL)
        return NULL;
    packing->rows_max = rows_max;
    packing->bytes_max = bytes_max;
    packing->open_bytes_max = open_bytes_max;
    packing->seed = seed;
    if (words_begin(&packing->around, seed))
        return packing;
    free(packing);
    return NULL;
}

/* Take a frame, whose rows are packed by what is called next: with lists that stay until then. Give 0, or 1 if memory is short. */
EXPORTED int translate_packing_add(struct ArrowArrayStream *given, struct packing *packing, const int32_t *numbers,
                                   const int32_t *is_text, const int32_t *parts, const int32_t *templates,
                                   const uint8_t *literals)
{
    packing->program = (struct program){(const struct part *)(const void *)parts,
                                        (const struct template *)(const void *)templates,
                                        literals, is_text, numbers[0], numbers[1], numbers[2], numbers[3]};
    return frame_take(&packing->frame, given) && (packing->frame.rows == 0 || (is_possible(packing) && find_differing(packing))) ? 0 : 1;
}

/* Have all that is open written by what is called next. */
EXPORTED void translate_packing_finish(struct packing *packing)
{
    packing->is_closing = true;
}

/* Write requests until there is nothing to do, or there are enough to be taken; give DONE, MORE, or FAILED if memory is short. */
EXPORTED int translate_packing_go(struct packing *packing)
{
    int state = MORE;
    while (state == MORE && packing->out.length < WRITTEN_TOGETHER)
        state = step(packing);
    if (state != MORE)
        let_go_of_frame(packing);
    return state;
}

/* Give the requests that were written since this was asked, until others are, and how many of them and of events there were in all. */
EXPORTED const uint8_t *translate_packing_taken(struct packing *packing, int64_t *told)
{
    told[0] = (int64_t)packing->out.length;
    told[1] = packing->requests;
    told[2] = packing->events;
    packing->out.length = 0;
    return packing->out.data;
}

EXPORTED void translate_packing_end(struct packing *packing)
{
    for (size_t word = 0; word < packing->open.length / sizeof(struct request); word++)
        if (request_at(packing, word)->number != 0)
            let_go(request_at(packing, word));
    struct buffer *buffers[] = {&packing->open, &packing->order, &packing->out, &packing->said,
                                &packing->before, &packing->after, &packing->own, &packing->known, &packing->differing};
    for (size_t number = 0; number < sizeof buffers / sizeof *buffers; number++)
        buffer_free(buffers[number]);
    words_free(&packing->around);
    words_free(&packing->alike);
    let_go_of_frame(packing);
    free(packing);
}
