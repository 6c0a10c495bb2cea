/* A record held against the tree of its layout, member by member. */
#include <stdlib.h>
#include <string.h>

#include "read.h"

int32_t find_child(const struct program *program, int32_t node, const uint8_t *key, size_t length)
{
    if (node < 0)
        return -1;
    const struct node *object = &program->nodes[node];
    for (int32_t child = object->first_child; child < object->first_child + object->n_children; child++) {
        struct span name = program->children[child].key;
        const uint8_t *text = text_at(program, name);
        if ((size_t)name.length == length && (length == 0 || (text[length - 1] == key[length - 1] && memcmp(text, key, length) == 0))) {
            return child; /* names differ rather at their ends */
        }
    }
    return -1;
}

/* -- unknown members -------------------------------------------------------------------------------------------- */

/* Append a segment of a path, in which dots are no separators. */
static bool append_escaped(struct buffer *out, const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        bool is_special = bytes[at] == '.' || bytes[at] == '\\';
        if ((is_special && !buffer_append(out, "\\", 1)) || !buffer_append(out, bytes + at, 1))
            return false;
    }
    return true;
}

/* Tell whether a name is that of the member that leads to a request's events. */
static bool leads_to_events(const struct program *program, const uint8_t *name, size_t length)
{
    const struct step *first = program->steps;
    return program->n_steps > 0 && !first->is_any && (size_t)first->name.length == length &&
           memcmp(text_at(program, first->name), name, length) == 0;
}

/* Tell whether a name's beginning, up to its first dot, is that of an object that is known. */
static bool begins_like_object(const struct reader *reader, const struct value *name)
{
    const struct program *program = reader->program;
    const uint8_t *dot = memchr(name->start, '.', name->length);
    size_t length = dot == NULL ? name->length : (size_t)(dot - name->start);
    int32_t child = find_child(program, reader->is_around ? program->request : program->event, name->start, length);
    return (child >= 0 && program->children[child].node >= 0) ||
           (reader->is_around && leads_to_events(program, name->start, length));
}

/* Tell whether a name begins with what marks a place around the events: a caret, perhaps behind backslashes. */
static bool begins_like_mark(const struct value *name)
{
    size_t at = 0;
    while (at < name->length && name->start[at] == '\\')
        at++;
    return at < name->length && name->start[at] == '^';
}

static bool append_path(struct reader *reader, struct buffer *out)
{
    const struct value *path = reader->path;
    if (reader->is_around && !buffer_append(out, "^", 1))
        return false;
    if (reader->depth > 1 || begins_like_object(reader, &path[0])) {
        for (int segment = 0; segment < reader->depth; segment++) {
            if ((segment > 0 && !buffer_append(out, ".", 1)) || !append_escaped(out, path[segment].start, path[segment].length))
                return false;
        }
        return true;
    }
    return (!begins_like_mark(&path[0]) || buffer_append(out, "\\", 1)) && buffer_append(out, path[0].start, path[0].length);
}

/* Tell whether a member of that path was there and null. */
static bool was_null(const struct reader *reader, const struct view *path)
{
    const struct view *nulls = (const struct view *)(const void *)reader->null_paths.data;
    size_t count = reader->null_paths.length / sizeof *nulls;
    const struct buffer *heap = &reader->table.heap;
    for (size_t number = 0; number < count; number++) {
        if (nulls[number].length == path->length &&
            memcmp(view_bytes(&nulls[number], heap), view_bytes(path, heap), (size_t)path->length) == 0) {
            return true;
        }
    }
    return false;
}

/* Take a member along that the layout does not name, by its path; a null only counts. A doubled one is for Python. */
static bool take_along(struct reader *reader, const struct value *value)
{
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    if (!append_path(reader, heap))
        return false;
    struct view path = heap_view(heap, start);
    if (has_key(reader, reader->program->extra, &path) || was_null(reader, &path))
        return false;
    if (value->kind == KIND_NULL) {
        reader->nulls++;
        return reader->null_paths.length < NULL_PATHS_MAX * sizeof path && buffer_append(&reader->null_paths, &path, sizeof path);
    }
    return add_canonical(reader, reader->program->extra, &path, value);
}

/* -- known members ---------------------------------------------------------------------------------------------- */

static bool take_constant(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    if (!append_canonical(heap, value))
        return false;
    bool same = heap->length - start == (size_t)leaf->constant.length &&
                memcmp(heap->data + start, text_at(reader->program, leaf->constant), heap->length - start) == 0;
    heap->length = start;
    return same ? put_bytes(reader, leaf->column, text_at(reader->program, leaf->constant), (size_t)leaf->constant.length)
                : take_along(reader, value);
}

static bool is_late(const struct leaf *leaf)
{
    return (leaf->flags & LEAF_OTHER) || (leaf->way > WAY_MAP && leaf->way < WAY_UNDECIDED);
}

static bool take_leaf(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    if (is_late(leaf)) {
        if (reader->n_late == LATE_MAX)
            return false;
        reader->late[reader->n_late++] = (struct late){leaf, *value, reader->path[reader->depth - 1]};
        return reader->depth == 1 || !(leaf->flags & LEAF_OTHER);
    }
    if (leaf->way == WAY_CONSTANT)
        return take_constant(reader, leaf, value);
    if (leaf->way == WAY_TEXT && value->kind == KIND_TEXT)
        return put_text(reader, leaf->column, value);
    return leaf->way < WAY_MAP ? take_scalar(reader, leaf, value) : take_container(reader, leaf, value);
}

static bool walk(struct reader *reader, struct cursor *cursor, int32_t node);

/* Tell that an object has a member; false if it has it already. */
static bool see(struct reader *reader, int32_t child, uint32_t visit)
{
    if (child < 0)
        return true;
    bool is_new = reader->seen[child] != visit;
    reader->seen[child] = visit;
    return is_new;
}

static bool take_value(struct reader *reader, int32_t number, const struct value *value)
{
    const struct child *child = number < 0 ? NULL : &reader->program->children[number];
    if (child == NULL)
        return take_along(reader, value);
    if (value->kind == KIND_NULL) {
        reader->nulls++;
        return true;
    }
    return child->node < 0 && take_leaf(reader, &reader->program->leaves[child->leaf], value);
}

static bool take_child(struct reader *reader, struct cursor *cursor, int32_t number, uint32_t visit)
{
    struct value value;
    if (!see(reader, number, visit))
        return false;
    skip_blanks(cursor);
    if (number >= 0 && reader->program->children[number].node >= 0 && cursor->at < cursor->end && *cursor->at == '{')
        return walk(reader, cursor, reader->program->children[number].node);
    return read_value(cursor, &value, NESTING_MAX) && take_value(reader, number, &value);
}

bool take_member_of(struct reader *reader, int32_t node, const struct member *member, uint32_t visit)
{
    struct cursor cursor = cursor_over(member->value.start, member->value.length);
    int32_t number = find_child(reader->program, node, member->key.start, member->key.length);
    if (reader->depth == DEPTH_MAX)
        return false;
    reader->path[reader->depth++] = member->key;
    bool done = member->value.kind == KIND_OBJECT ? take_child(reader, &cursor, number, visit)
                                                  : see(reader, number, visit) && take_value(reader, number, &member->value);
    reader->depth--;
    return done;
}

/* Walk through an object whose members the layout knows. */
static bool walk(struct reader *reader, struct cursor *cursor, int32_t node)
{
    uint32_t visit = ++reader->visits;
    if (reader->depth == DEPTH_MAX || !take(cursor, '{'))
        return false;
    for (bool first = true; !take(cursor, '}'); first = false) {
        struct value *key = &reader->path[reader->depth];
        if ((!first && !take(cursor, ',')) || !read_key(cursor, key) || key->escaped)
            return false;
        reader->depth++;
        bool done = take_child(reader, cursor, find_child(reader->program, node, key->start, key->length), visit);
        reader->depth--;
        if (!done)
            return false;
    }
    return true;
}

/* -- a record --------------------------------------------------------------------------------------------------- */

/* Read other places of values that are not there, then the free-form values. */
bool take_late(struct reader *reader)
{
    for (int number = 0; number < reader->n_late; number++) {
        const struct late *late = &reader->late[number];
        if (!(late->leaf->flags & LEAF_OTHER))
            continue;
        reader->path[0] = late->key;
        reader->depth = 1;
        bool is_there = is_set(reader, late->leaf->column);
        bool done = is_there ? take_along(reader, &late->value)
                             : late->leaf->way < WAY_CONSTANT && take_scalar(reader, late->leaf, &late->value);
        reader->depth = 0;
        if (!done)
            return false;
    }
    for (int number = 0; number < reader->n_late; number++) {
        const struct late *late = &reader->late[number];
        if (!(late->leaf->flags & LEAF_OTHER) && !take_container(reader, late->leaf, &late->value))
            return false;
    }
    return take_strays(reader);
}

/* Tell whether a value may hide in what was carried whole. */
static bool may_hide(struct reader *reader)
{
    const struct program *program = reader->program;
    for (int32_t number = 0; number < program->n_peeks; number++) {
        const struct peek *peek = &program->peeks[number];
        struct buffer key = {(uint8_t *)(uintptr_t)text_at(program, peek->key), (size_t)peek->key.length, (size_t)peek->key.length};
        struct view view = heap_view(&key, 0);
        bool is_short = peek->key.length <= (int32_t)sizeof view.text.inside;
        if (!is_set(reader, peek->column) && (is_short ? has_key(reader, peek->map, &view) : is_set(reader, peek->map)))
            return true;
    }
    return false;
}

/* Note it if the session is an empty text, which stands for none. */
static bool tell_empty_session(struct reader *reader)
{
    int32_t column = reader->program->session_column;
    if (column < 0 || !is_set(reader, column))
        return true;
    const struct view *views = (const struct view *)(const void *)reader->table.columns[column].values.data;
    return views[reader->row].length > 0 || put_note(reader, reader->program->emptied, NULL);
}

void begin_row(struct reader *reader)
{
    reader->depth = 0;
    reader->n_late = 0;
    reader->strays.length = 0;
    reader->null_paths.length = 0;
    reader->nulls = 0;
    reader->records++;
    reader->is_around = false;
}

/* Note what the request says of all its events where this one says otherwise. */
static bool tell_overruled(struct reader *reader)
{
    const struct program *program = reader->program;
    const struct buffer *heap = &reader->table.heap;
    for (int32_t number = 0; number < program->n_overruled; number++) {
        const struct overruled *pair = &program->overruled[number];
        if (!is_set(reader, pair->outer) || !is_set(reader, pair->inner))
            continue;
        const struct column *outer = &reader->table.columns[pair->outer], *inner = &reader->table.columns[pair->inner];
        const struct view *one = (const struct view *)(const void *)outer->values.data + reader->row;
        const struct view *other = (const struct view *)(const void *)inner->values.data + reader->row;
        if (outer->type != TYPE_TEXT || inner->type != TYPE_TEXT)
            return false;
        bool same = one->length == other->length && memcmp(view_bytes(one, heap), view_bytes(other, heap), (size_t)one->length) == 0;
        if (!same && !put_note(reader, pair->note, NULL))
            return false;
    }
    return true;
}

bool read_event(struct reader *reader, struct cursor *cursor)
{
    reader->depth = 0;
    reader->n_late = 0;
    reader->is_around = false;
    return walk(reader, cursor, reader->program->event) && take_late(reader) && !may_hide(reader) && tell_overruled(reader) &&
           tell_empty_session(reader);
}

bool read_record(struct reader *reader, struct cursor *cursor)
{
    begin_row(reader);
    return read_event(reader, cursor);
}
