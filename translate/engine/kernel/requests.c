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
        if (is_named(program, key, names[number])) {
            return true;
        }
    }
    return false;
}

/* Open a text that holds JSON, an object or a list; what is no text is open already. */
static bool open_text(struct reader *reader, struct value *value)
{
    if (value->kind != KIND_TEXT) {
        return true;
    }
    if (reader->n_opened == OPENED_MAX) {
        return false;
    }
    struct buffer *text = &reader->opened[reader->n_opened++];
    text->length = 0;
    if (!append_text(text, value)) {
        return false;
    }
    struct cursor cursor = {text->data, text->data + text->length};
    skip_blanks(&cursor);
    if (cursor.at == cursor.end || (*cursor.at != '{' && *cursor.at != '[') || !read_value(&cursor, value, NESTING_MAX)) {
        return false;
    }
    skip_blanks(&cursor);
    return cursor.at == cursor.end;
}

static bool descend(struct reader *reader, const struct value *value, int32_t node, int step, row_finisher *finish, void *told);

/* -- the events ------------------------------------------------------------------------------------------------- */

/* Read what stands around the events into the row: it is read once more for each of them. */
static bool read_around(struct reader *reader)
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
            if (!take_member_of(reader, level->node, &members[member], visit)) {
                return false;
            }
        }
        reader->depth = 0;
        if (reader->n_late > 0 && (level->depth > 0 || !take_late(reader))) {
            return false;
        }
    }
    return true;
}

/* Put the names on the way down into the columns that they are for. */
static bool put_names(struct reader *reader)
{
    const struct program *program = reader->program;
    for (int32_t step = 0; step < program->n_steps; step++) {
        const struct step *here = &program->steps[step];
        if (here->is_any && here->column >= 0 && !put_text(reader, here->column, &reader->names[step])) {
            return false;
        }
    }
    return true;
}

static bool read_one(struct reader *reader, const struct value *event, row_finisher *finish, void *told)
{
    struct cursor cursor = {event->start, event->start + event->length};
    begin_row(reader);
    return event->kind == KIND_OBJECT && read_around(reader) && put_names(reader) && read_event(reader, &cursor) &&
           finish(reader, event, told);
}

static bool read_events(struct reader *reader, const struct value *list, row_finisher *finish, void *told)
{
    struct cursor cursor = {list->start + 1, list->start + list->length};
    struct value event;
    if (list->kind != KIND_ARRAY || take(&cursor, ']')) {
        return false; /* an empty one is counted by Python */
    }
    do {
        if (!read_value(&cursor, &event, NESTING_MAX) || !read_one(reader, &event, finish, told)) {
            return false;
        }
    } while (take(&cursor, ','));
    return take(&cursor, ']');
}

/* -- the way down ----------------------------------------------------------------------------------------------- */

/* Go on in each member of an object, whatever its name. */
static bool descend_in_all(struct reader *reader, const struct value *object, int32_t node, int step, row_finisher *finish, void *told)
{
    const struct program *program = reader->program;
    struct cursor cursor = {object->start + 1, object->start + object->length};
    static const uint8_t any[] = "*";
    int32_t child = find_child(program, node, any, 1);
    struct value key, value;
    reader->way[step] = (struct value){KIND_TEXT, false, any, 1};
    if (take(&cursor, '}')) {
        return false;
    }
    do {
        if (!read_key(&cursor, &key) || key.escaped || !read_value(&cursor, &value, NESTING_MAX)) {
            return false;
        }
        reader->names[step] = key;
        if (!descend(reader, &value, child < 0 ? -1 : program->children[child].node, step + 1, finish, told)) {
            return false;
        }
    } while (take(&cursor, ','));
    return take(&cursor, '}');
}

/* Keep an object's members, but for the one that leads on. */
static bool keep_members(struct reader *reader, const struct value *object, const struct step *step, bool is_root, struct value *onward)
{
    const struct program *program = reader->program;
    struct cursor cursor = {object->start + 1, object->start + object->length};
    onward->kind = KIND_NONE;
    for (bool first = true; !take(&cursor, '}'); first = false) {
        struct member member;
        if ((!first && !take(&cursor, ',')) || !read_key(&cursor, &member.key) || member.key.escaped ||
            !read_value(&cursor, &member.value, NESTING_MAX)) {
            return false;
        }
        bool is_onward = is_named(program, &member.key, step->name);
        /* Further down, the same names would tell of a request inside of this one. */
        if (is_among(program, &member.key, program->undecided, program->n_undecided) ||
            (!is_root && is_named(program, &member.key, program->steps[0].name))) {
            return false;
        }
        if (is_root && member.value.kind != KIND_OBJECT && is_among(program, &member.key, program->named, program->n_named)) {
            return false;
        }
        if (is_root && is_among(program, &member.key, program->opened, program->n_opened) && !open_text(reader, &member.value)) {
            return false;
        }
        if (is_onward && onward->kind != KIND_NONE) {
            return false;
        }
        if (is_onward) {
            *onward = member.value;
        } else if (!buffer_append(&reader->members, &member, sizeof member)) {
            return false;
        }
    }
    return onward->kind != KIND_NONE;
}

static bool descend_by_name(struct reader *reader, const struct value *object, int32_t node, int step, row_finisher *finish, void *told)
{
    const struct program *program = reader->program;
    struct span name = program->steps[step].name;
    size_t kept = reader->members.length;
    struct value onward;
    if (reader->n_levels == LEVELS_MAX) {
        return false;
    }
    if (!keep_members(reader, object, &program->steps[step], step == 0, &onward)) {
        return false;
    }
    reader->levels[reader->n_levels++] = (struct level){
        kept / sizeof(struct member), (reader->members.length - kept) / sizeof(struct member), node, step};
    reader->way[step] = (struct value){KIND_TEXT, false, text_at(program, name), (size_t)name.length};
    int32_t child = find_child(program, node, text_at(program, name), (size_t)name.length);
    bool done = descend(reader, &onward, child < 0 ? -1 : program->children[child].node, step + 1, finish, told);
    reader->n_levels--;
    reader->members.length = kept;
    return done;
}

static bool descend(struct reader *reader, const struct value *value, int32_t node, int step, row_finisher *finish, void *told)
{
    const struct program *program = reader->program;
    if (step == program->n_steps) {
        bool is_event = step > 0 && program->steps[step - 1].is_any;
        return is_event ? read_one(reader, value, finish, told) : read_events(reader, value, finish, told);
    }
    if (value->kind != KIND_OBJECT) {
        return false;
    }
    return program->steps[step].is_any ? descend_in_all(reader, value, node, step, finish, told)
                                       : descend_by_name(reader, value, node, step, finish, told);
}

bool read_request(struct reader *reader, struct cursor *cursor, row_finisher *finish, void *told)
{
    const struct program *program = reader->program;
    struct value request;
    reader->n_levels = 0;
    reader->n_opened = 0;
    reader->members.length = 0;
    if (!read_value(cursor, &request, NESTING_MAX)) {
        return false;
    }
    bool is_bare_list = request.kind == KIND_ARRAY && program->takes_list;
    return is_bare_list ? read_events(reader, &request, finish, told) : descend(reader, &request, program->request, 0, finish, told);
}
