/* A record held against the tree of its layout, member by member. */
#include <stdlib.h>
#include <string.h>

#include "read.h"

int32_t find_child(const struct program *program, int32_t node, const uint8_t *key, size_t length)
{
    const struct node *object = &program->nodes[node];
    for (int32_t child = object->first_child; child < object->first_child + object->n_children; child++) {
        struct span name = program->children[child].key;
        if ((size_t)name.length == length && memcmp(text_at(program, name), key, length) == 0) {
            return child;
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
        if ((is_special && !buffer_append(out, "\\", 1)) || !buffer_append(out, bytes + at, 1)) {
            return false;
        }
    }
    return true;
}

/* Tell whether a name's beginning, up to its first dot, is that of an object that the event has. */
static bool begins_like_object(const struct reader *reader, const struct value *name)
{
    const struct program *program = reader->program;
    const uint8_t *dot = memchr(name->start, '.', name->length);
    size_t length = dot == NULL ? name->length : (size_t)(dot - name->start);
    int32_t child = find_child(program, program->event, name->start, length);
    return child >= 0 && program->children[child].node >= 0;
}

/* Tell whether a name begins with what marks a place around the events: a caret, perhaps behind backslashes. */
static bool begins_like_mark(const struct value *name)
{
    size_t at = 0;
    while (at < name->length && name->start[at] == '\\') {
        at++;
    }
    return at < name->length && name->start[at] == '^';
}

static bool append_path(struct reader *reader, struct buffer *out)
{
    const struct value *path = reader->path;
    if (reader->depth > 1 || begins_like_object(reader, &path[0])) {
        for (int segment = 0; segment < reader->depth; segment++) {
            if ((segment > 0 && !buffer_append(out, ".", 1)) || !append_escaped(out, path[segment].start, path[segment].length)) {
                return false;
            }
        }
        return true;
    }
    return (!begins_like_mark(&path[0]) || buffer_append(out, "\\", 1)) && buffer_append(out, path[0].start, path[0].length);
}

/* Take a member along that the layout does not name, by its path. */
static bool take_along(struct reader *reader, const struct value *value)
{
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    if (!append_path(reader, heap)) {
        return false;
    }
    struct view path = heap_view(heap, start);
    return !has_key(reader, reader->program->extra, &path) && add_canonical(reader, reader->program->extra, &path, value);
}

/* -- known members ---------------------------------------------------------------------------------------------- */

static bool take_constant(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    if (!append_canonical(heap, value)) {
        return false;
    }
    bool same = heap->length - start == (size_t)leaf->constant.length &&
                memcmp(heap->data + start, text_at(reader->program, leaf->constant), heap->length - start) == 0;
    heap->length = start;
    return same ? put_bytes(reader, leaf->column, text_at(reader->program, leaf->constant), (size_t)leaf->constant.length)
                : take_along(reader, value);
}

static bool is_late(const struct leaf *leaf)
{
    bool is_plain_map = (leaf->way == WAY_TEXT_MAP || leaf->way == WAY_NUMBER_MAP) && leaf->presets < 0;
    return (leaf->flags & LEAF_OTHER) || (leaf->way > WAY_MAP && leaf->way < WAY_UNDECIDED && !is_plain_map);
}

static bool take_leaf(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    if (is_late(leaf)) {
        if (reader->n_late == LATE_MAX) {
            return false;
        }
        reader->late[reader->n_late++] = (struct late){leaf, *value, reader->path[reader->depth - 1]};
        return reader->depth == 1 || !(leaf->flags & LEAF_OTHER);
    }
    if (leaf->way == WAY_CONSTANT) {
        return take_constant(reader, leaf, value);
    }
    return leaf->way < WAY_MAP ? take_scalar(reader, leaf, value) : take_container(reader, leaf, value);
}

static bool walk(struct reader *reader, struct cursor *cursor, int32_t node);

static bool take_child(struct reader *reader, struct cursor *cursor, int32_t number, uint32_t visit)
{
    const struct child *child = number < 0 ? NULL : &reader->program->children[number];
    struct value value;
    if (child != NULL) {
        if (reader->seen[number] == visit) {
            return false;
        }
        reader->seen[number] = visit;
        skip_blanks(cursor);
        if (child->node >= 0 && cursor->at < cursor->end && *cursor->at == '{') {
            return walk(reader, cursor, child->node);
        }
    }
    if (!read_value(cursor, &value, NESTING_MAX)) {
        return false;
    }
    if (value.kind == KIND_NULL) {
        reader->nulls++;
        return child != NULL; /* a doubled one might hide */
    }
    if (child == NULL) {
        return take_along(reader, &value);
    }
    return child->node < 0 && take_leaf(reader, &reader->program->leaves[child->leaf], &value);
}

/* Walk through an object whose members the layout knows. */
static bool walk(struct reader *reader, struct cursor *cursor, int32_t node)
{
    uint32_t visit = ++reader->visits;
    if (reader->depth == DEPTH_MAX || !take(cursor, '{')) {
        return false;
    }
    for (bool first = true; !take(cursor, '}'); first = false) {
        struct value *key = &reader->path[reader->depth];
        if ((!first && !take(cursor, ',')) || !read_key(cursor, key) || key->escaped) {
            return false;
        }
        reader->depth++;
        bool done = take_child(reader, cursor, find_child(reader->program, node, key->start, key->length), visit);
        reader->depth--;
        if (!done) {
            return false;
        }
    }
    return true;
}

/* -- a record --------------------------------------------------------------------------------------------------- */

/* Read other places of values that are not there, then the free-form values. */
static bool take_late(struct reader *reader)
{
    for (int number = 0; number < reader->n_late; number++) {
        const struct late *late = &reader->late[number];
        if (!(late->leaf->flags & LEAF_OTHER)) {
            continue;
        }
        reader->path[0] = late->key;
        reader->depth = 1;
        bool is_there = is_set(reader, late->leaf->column);
        bool done = is_there ? take_along(reader, &late->value)
                             : late->leaf->way < WAY_CONSTANT && take_scalar(reader, late->leaf, &late->value);
        reader->depth = 0;
        if (!done) {
            return false;
        }
    }
    for (int number = 0; number < reader->n_late; number++) {
        const struct late *late = &reader->late[number];
        if (!(late->leaf->flags & LEAF_OTHER) && !take_container(reader, late->leaf, &late->value)) {
            return false;
        }
    }
    return take_strays(reader);
}

/* Tell whether a value may hide in what was carried whole. */
static bool may_hide(const struct reader *reader)
{
    const struct program *program = reader->program;
    for (int32_t number = 0; number < program->n_peeks; number++) {
        const struct peek *peek = &program->peeks[number];
        struct buffer key = {(uint8_t *)(uintptr_t)text_at(program, peek->key), (size_t)peek->key.length, 0};
        struct view view = heap_view(&key, 0);
        if (!is_set(reader, peek->column) && peek->key.length <= (int32_t)sizeof view.text.inside && has_key(reader, peek->map, &view)) {
            return true;
        }
    }
    return false;
}

/* Tell whether the session is an empty text, which stands for none. */
static bool has_empty_session(const struct reader *reader)
{
    int32_t column = reader->program->session_column;
    if (column < 0 || !is_set(reader, column)) {
        return false;
    }
    const struct view *views = (const struct view *)(const void *)reader->table.columns[column].values.data;
    return views[reader->row].length == 0;
}

bool read_record(struct reader *reader, struct cursor *cursor)
{
    reader->depth = 0;
    reader->n_late = 0;
    reader->strays.length = 0;
    reader->nulls = 0;
    return walk(reader, cursor, reader->program->event) && take_late(reader) && !may_hide(reader) && !has_empty_session(reader);
}
