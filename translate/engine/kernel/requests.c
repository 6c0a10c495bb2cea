/* Requests: records that hold many events. What stands around these is read into each of them. */
#include <string.h>

#include "read.h"

static bool is_named(const struct program *program, const struct value *key, struct span name)
{
    return !key->escaped && key->length == (size_t)name.length && memcmp(key->start, text_at(program, name), key->length) == 0;
}

static bool is_among(const struct program *program, const struct value *key, const struct span *names, int32_t count)
{
    for (int32_t number = 0; number < count; number++) {
        if (is_named(program, key, names[number]))
            return true;
    }
    return false;
}

/* Open a text that holds JSON, an object or a list; what is no text is open already. */
static bool open_text(struct reader *reader, struct value *value)
{
    if (value->kind != KIND_TEXT)
        return true;
    if (reader->n_opened == OPENED_MAX)
        return false;
    struct buffer *text = &reader->opened[reader->n_opened++];
    text->length = 0;
    if (!append_text(text, value))
        return false;
    struct cursor cursor = cursor_over(text->data, text->length);
    skip_blanks(&cursor);
    if (cursor.at == cursor.end || (*cursor.at != '{' && *cursor.at != '[') || !read_value(&cursor, value, NESTING_MAX))
        return false;
    skip_blanks(&cursor);
    return cursor.at == cursor.end;
}

static bool descend(struct reader *reader, struct cursor *cursor, int32_t node, int step, row_finisher *finish, void *told);

/* -- the events ------------------------------------------------------------------------------------------------- */

/* Read what stands around the events into the row. */
static bool read_members_around(struct reader *reader)
{
    reader->is_around = true;
    for (int number = 0; number < reader->n_levels; number++) {
        const struct level *level = &reader->levels[number];
        const struct member *members = (const struct member *)(const void *)reader->members.data + level->first_member;
        uint32_t visit = ++reader->visits;
        reader->n_late = 0;
        reader->depth = level->depth;
        memcpy(reader->path, reader->way, (size_t)level->depth * sizeof *reader->path);
        for (size_t member = 0; member < level->n_members; member++) {
            if (!take_member_of(reader, level->node, &members[member], visit))
                return false;
        }
        reader->depth = 0;
        if (reader->n_late > 0 && (level->depth > 0 || !take_late(reader)))
            return false;
    }
    return true;
}

/* Keep what was read around an event, to be put into the rows of those that follow; nothing of it if there are lists or maps. */
static void keep_around(struct reader *reader)
{
    reader->around.length = 0;
    bool well = reader->null_paths.length == 0 && reader->strays.length == 0;
    for (int32_t number = 0; well && number < reader->table.n_columns; number++) {
        const struct column *column = &reader->table.columns[number];
        struct cell cell = {number, {0, {{0}}}};
        size_t size = column->type == TYPE_TEXT ? sizeof cell.value : sizeof(int64_t);
        if (!column_is_set(column, reader->row))
            continue;
        well = !column_is_nested(column);
        if (well) {
            memcpy(&cell.value, column->values.data + (size_t)reader->row * size, size);
            well = buffer_append(&reader->around, &cell, sizeof cell);
        }
    }
    reader->nulls_around = reader->nulls;
    reader->n_alike = well ? reader->n_alike + 1 : -1;
}

static bool put_around(struct reader *reader)
{
    const struct cell *cells = (const struct cell *)(const void *)reader->around.data;
    size_t count = reader->around.length / sizeof *cells;
    bool well = true;
    for (size_t number = 0; well && number < count; number++) {
        struct column *column = &reader->table.columns[cells[number].column];
        int64_t whole;
        memcpy(&whole, &cells[number].value, sizeof whole);
        well = column->type == TYPE_TEXT ? column_set_view(column, reader->row, cells[number].value)
                                         : column_set_whole(column, reader->row, whole);
    }
    reader->nulls = reader->nulls_around;
    return well;
}

/* Read what stands around the events into the row; from the third one on it is known, if it is plain. */
static bool read_around(struct reader *reader)
{
    if (reader->n_alike == KNOWN_AROUND)
        return put_around(reader);
    if (!read_members_around(reader))
        return false;
    if (reader->n_alike == KNOWN_AROUND - 1) {
        keep_around(reader);
    } else if (reader->n_alike >= 0) {
        reader->n_alike++;
    }
    return true;
}

/* Put the names on the way down into the columns that they are for. */
static bool put_names(struct reader *reader)
{
    const struct program *program = reader->program;
    for (int32_t step = 0; step < program->n_steps; step++) {
        const struct step *here = &program->steps[step];
        if (here->is_any && here->column >= 0 && !put_text(reader, here->column, &reader->names[step]))
            return false;
    }
    return true;
}

/* Read the event that comes next. */
static bool read_one(struct reader *reader, struct cursor *cursor, row_finisher *finish, void *told)
{
    skip_blanks(cursor);
    struct value event = {KIND_OBJECT, false, cursor->at, 0};
    cursor->is_loose = false;
    begin_row(reader);
    if (!read_around(reader) || !put_names(reader) || !read_event(reader, cursor))
        return false;
    event.length = (size_t)(cursor->at - event.start);
    event.escaped = cursor->is_loose;
    return finish(reader, &event, told);
}

static bool read_events(struct reader *reader, struct cursor *cursor, row_finisher *finish, void *told)
{
    if (!take(cursor, '[') || take(cursor, ']')) {
        return false; /* an empty one is counted by Python */
    }
    do {
        if (!read_one(reader, cursor, finish, told))
            return false;
    } while (take(cursor, ','));
    return take(cursor, ']');
}

/* -- the way down ------------------------------------------------------------------------------------------------ */

/* Go on in each member of an object, whatever its name. */
static bool descend_in_all(struct reader *reader, struct cursor *cursor, int32_t node, int step, row_finisher *finish, void *told)
{
    const struct program *program = reader->program;
    static const uint8_t any[] = "*";
    int32_t child = find_child(program, node, any, 1);
    struct value key;
    reader->way[step] = (struct value){KIND_TEXT, false, any, 1};
    if (!take(cursor, '{') || take(cursor, '}'))
        return false;
    do {
        if (!read_key(cursor, &key) || key.escaped)
            return false;
        reader->names[step] = key;
        if (!descend(reader, cursor, child < 0 ? -1 : program->children[child].node, step + 1, finish, told))
            return false;
    } while (take(cursor, ','));
    return take(cursor, '}');
}

/* Tell whether an object or a list comes next; what begins there is all of the rest. */
static bool begins_nested(struct cursor *cursor, struct value *value)
{
    skip_blanks(cursor);
    bool is_object = cursor->at < cursor->end && *cursor->at == '{';
    bool is_list = cursor->at < cursor->end && *cursor->at == '[';
    *value = (struct value){is_object ? KIND_OBJECT : KIND_ARRAY, false, cursor->at, (size_t)(cursor->end - cursor->at)};
    return is_object || is_list;
}

/* Keep an object's members, but for the one that leads on; it is taken to be the last one where that is hoped. */
static bool keep_members(struct reader *reader, struct cursor *cursor, const struct step *step, bool is_root, struct value *onward)
{
    const struct program *program = reader->program;
    onward->kind = KIND_NONE;
    if (!take(cursor, '{'))
        return false;
    for (bool first = true; !take(cursor, '}'); first = false) {
        struct member member;
        if ((!first && !take(cursor, ',')) || !read_key(cursor, &member.key) || member.key.escaped)
            return false;
        bool is_onward = is_named(program, &member.key, step->name);
        bool is_open = is_onward && reader->hopes && begins_nested(cursor, &member.value);
        if (!is_open && !read_value(cursor, &member.value, NESTING_MAX))
            return false;
        /* Further down, the same names would tell of a request inside of this one. */
        if (is_among(program, &member.key, program->undecided, program->n_undecided) ||
            (!is_root && is_named(program, &member.key, program->steps[0].name))) {
            return false;
        }
        if (is_root && member.value.kind != KIND_OBJECT && is_among(program, &member.key, program->named, program->n_named))
            return false;
        if (is_root && is_among(program, &member.key, program->opened, program->n_opened) && !open_text(reader, &member.value))
            return false;
        if (is_onward && onward->kind != KIND_NONE)
            return false;
        if (is_onward) {
            *onward = member.value;
            if (is_open)
                return true;
        } else if (!buffer_append(&reader->members, &member, sizeof member)) {
            return false;
        }
    }
    return onward->kind == KIND_OBJECT || onward->kind == KIND_ARRAY;
}

static bool descend_by_name(struct reader *reader, struct cursor *cursor, int32_t node, int step, row_finisher *finish, void *told)
{
    const struct program *program = reader->program;
    struct span name = program->steps[step].name;
    size_t kept = reader->members.length;
    struct value onward = {KIND_NONE, false, NULL, 0};
    if (reader->n_levels == LEVELS_MAX || !keep_members(reader, cursor, &program->steps[step], step == 0, &onward))
        return false;
    reader->levels[reader->n_levels++] = (struct level){
        kept / sizeof(struct member), (reader->members.length - kept) / sizeof(struct member), node, step};
    reader->way[step] = (struct value){KIND_TEXT, false, text_at(program, name), (size_t)name.length};
    reader->n_alike = 0;
    int32_t child = find_child(program, node, text_at(program, name), (size_t)name.length);
    bool is_open = onward.start == cursor->at;
    struct cursor inner = cursor_over(onward.start, onward.length);
    bool done = descend(reader, &inner, child < 0 ? -1 : program->children[child].node, step + 1, finish, told);
    if (is_open) {
        done = done && take(&inner, '}');
        cursor->at = inner.at;
    }
    reader->n_levels--;
    reader->n_alike = 0;
    reader->members.length = kept;
    return done;
}

static bool descend(struct reader *reader, struct cursor *cursor, int32_t node, int step, row_finisher *finish, void *told)
{
    const struct program *program = reader->program;
    if (step == program->n_steps) {
        bool is_event = step > 0 && program->steps[step - 1].is_any;
        return is_event ? read_one(reader, cursor, finish, told) : read_events(reader, cursor, finish, told);
    }
    return program->steps[step].is_any ? descend_in_all(reader, cursor, node, step, finish, told)
                                       : descend_by_name(reader, cursor, node, step, finish, told);
}

bool read_request(struct reader *reader, struct cursor *cursor, row_finisher *finish, void *told)
{
    const struct program *program = reader->program;
    reader->n_levels = 0;
    reader->n_opened = 0;
    reader->n_alike = 0;
    reader->members.length = 0;
    skip_blanks(cursor);
    bool is_list = cursor->at < cursor->end && *cursor->at == '[';
    return is_list && program->takes_list ? read_events(reader, cursor, finish, told)
                                          : descend(reader, cursor, program->request, 0, finish, told);
}
