/* Maps and lists of free-form values: each finds its hub map by its type, unless its key has a place of its own. */
#include <stdio.h>
#include <string.h>

#include "read.h"

enum {
    PAIRWISE_MAX = 24, /* so many keys are compared with one another faster than by a table */
    REPEATED_MAX = 50  /* more entities of one key are for Python */
};

/* -- keys ------------------------------------------------------------------------------------------------------- */

static bool same_text(const struct view *one, const struct view *other, const struct buffer *heap)
{
    return memcmp(one, other, 8) == 0 && /* the length and the first four bytes */
           memcmp(view_bytes(one, heap), view_bytes(other, heap), (size_t)one->length) == 0;
}

static uint32_t number_of(struct keys *keys, const struct view *key, const struct buffer *heap)
{
    return word_of(&keys->words, 0, view_bytes(key, heap), (size_t)key->length);
}

/* Number the keys there are, once comparing each with all others takes longer; false if memory is short. */
static bool number_keys(struct keys *keys, size_t count, const struct buffer *heap)
{
    const struct view *views = (const struct view *)(const void *)keys->views.data;
    bool well = words_begin(&keys->words, (uint64_t)(uintptr_t)keys); /* which no archive can know */
    for (size_t number = 0; well && number < count; number++)
        well = number_of(keys, &views[number], heap) != NO_WORD;
    return well;
}

static bool is_among(const struct view *views, size_t count, const struct view *key, const struct buffer *heap)
{
    for (size_t number = 0; number < count; number++)
        if (same_text(&views[number], key, heap))
            return true;
    return false;
}

/* Remember a key; false if the object has it already, or memory is short. */
static bool is_new(struct keys *keys, const struct view *key, const struct buffer *heap)
{
    size_t count = keys->views.length / sizeof *key;
    if (count < PAIRWISE_MAX) {
        if (is_among((const struct view *)(const void *)keys->views.data, count, key, heap))
            return false;
    } else {
        if (keys->words.slots == NULL && !number_keys(keys, count, heap))
            return false;
        uint32_t next = words_count(&keys->words);
        if (number_of(keys, key, heap) != next)
            return false;
    }
    return buffer_append(&keys->views, key, sizeof *key);
}

void forget_keys(struct keys *keys)
{
    buffer_free(&keys->views);
    words_free(&keys->words);
    memset(keys, 0, sizeof *keys);
}

/* Look among many keys: by an index, which learns those that the record has put there since it was last asked. */
static bool is_indexed(struct reader *reader, int32_t column, const struct view *entries, size_t count, const struct view *key)
{
    struct index *index = &reader->indexes[column];
    const struct buffer *heap = &reader->table.heap;
    if (index->record != reader->records) {
        forget_keys(&index->keys);
        index->record = reader->records;
    }
    for (size_t known = index->keys.views.length / sizeof *key; known < count; known++) {
        if (!is_new(&index->keys, &entries[known], heap)) {
            return true; /* memory is short: a record that is given up */
        }
    }
    return word_known(&index->keys.words, 0, view_bytes(key, heap), (size_t)key->length) != NO_WORD;
}

bool has_key(struct reader *reader, int32_t column, const struct view *key)
{
    const struct column *map = &reader->table.columns[column];
    int32_t first;
    if (!column_is_set(map, reader->row))
        return false;
    memcpy(&first, map->offsets.data + (size_t)reader->row * sizeof first, sizeof first);
    const struct view *entries = (const struct view *)(const void *)map->keys.data + first;
    size_t count = (size_t)(column_entries(map) - first);
    if (count > PAIRWISE_MAX)
        return is_indexed(reader, column, entries, count, key);
    for (size_t entry = 0; entry < count; entry++) {
        if (same_text(&entries[entry], key, &reader->table.heap))
            return true;
    }
    return false;
}

/* -- members ---------------------------------------------------------------------------------------------------- */

/* What an object does with a member. */
typedef bool member_taker(struct reader *, const struct leaf *, const struct view *key, const struct value *);

static bool take_member(struct reader *reader, struct cursor *cursor, struct keys *keys, const struct leaf *leaf, member_taker *take_it)
{
    struct buffer *heap = &reader->table.heap;
    struct value key, value;
    size_t start = heap->length;
    if (!read_key(cursor, &key) || !append_text(heap, &key))
        return false;
    struct view view = heap_view(heap, start);
    if (!is_new(keys, &view, heap) || !read_value(cursor, &value, NESTING_MAX - 1))
        return false;
    if (value.kind == KIND_NULL) {
        reader->nulls++;
        return true;
    }
    return take_it(reader, leaf, &view, &value);
}

/* Take all that a text holds, which is to be one object. */
static bool take_members_of(struct reader *reader, const struct leaf *leaf, struct cursor cursor, member_taker *take_it)
{
    struct keys keys = {0};
    bool done = cursor.at < cursor.end && *cursor.at++ == '{';
    for (bool first = true; done && !take(&cursor, '}'); first = false) {
        done = (first || take(&cursor, ',')) && take_member(reader, &cursor, &keys, leaf, take_it);
    }
    forget_keys(&keys);
    return done && cursor.at == cursor.end;
}

static bool take_members(struct reader *reader, const struct leaf *leaf, const struct value *object, member_taker *take_it)
{
    return object->kind == KIND_OBJECT && take_members_of(reader, leaf, cursor_over(object->start, object->length), take_it);
}

static bool add_text(struct reader *reader, int32_t column, const struct view *key, const struct value *value)
{
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    return append_text(heap, value) && column_open(&reader->table.columns[column], reader->row) &&
           column_add(&reader->table.columns[column], key, heap_view(heap, start));
}

bool add_canonical(struct reader *reader, int32_t column, const struct view *key, const struct value *value)
{
    struct buffer *heap = &reader->table.heap;
    size_t start = heap->length;
    return append_canonical(heap, value) && column_open(&reader->table.columns[column], reader->row) &&
           column_add(&reader->table.columns[column], key, heap_view(heap, start));
}

/* Add a number's digits; that they were rounded is told by a note. */
static bool add_digits(struct reader *reader, const struct leaf *leaf, const struct view *key, const struct value *value)
{
    struct buffer *heap = &reader->table.heap;
    struct column *metrics = &reader->table.columns[reader->program->metrics];
    size_t start = heap->length;
    enum digits digits = append_digits(heap, value->start, value->length);
    if (digits == DIGITS_UNDECIDED || !column_open(metrics, reader->row) || !column_add(metrics, key, heap_view(heap, start)))
        return false;
    return digits == DIGITS_EXACT || put_note(reader, leaf->rounded, key);
}

/* -- members with places of their own --------------------------------------------------------------------------- */

/* Tell whether a place belongs to the event that is being read. */
static bool belongs(const struct reader *reader, const struct leaf *leaf)
{
    const struct program *program = reader->program;
    if (leaf->n_names == 0)
        return true;
    if (program->name_column < 0 || !is_set(reader, program->name_column))
        return false;
    const struct column *column = &reader->table.columns[program->name_column];
    const struct view *name = (const struct view *)(const void *)column->values.data + reader->row;
    for (int32_t number = 0; number < leaf->n_names; number++) {
        struct span wanted = program->names[leaf->first_name + number];
        if (wanted.length == name->length &&
            memcmp(view_bytes(name, &reader->table.heap), text_at(program, wanted), (size_t)wanted.length) == 0) {
            return true;
        }
    }
    return false;
}

static bool take_as_json(struct reader *reader, const struct leaf *leaf, const struct view *key, const struct value *value)
{
    return add_canonical(reader, leaf->column, key, value);
}

/* Take an object whole into a map of its own; one with a null or a doubled key is for Python to judge. */
static enum taken take_map_preset(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    if (value->kind != KIND_OBJECT)
        return FREE;
    int64_t nulls = reader->nulls;
    bool done = !is_set(reader, leaf->column) && column_open(&reader->table.columns[leaf->column], reader->row) &&
                take_members(reader, leaf, value, take_as_json);
    return done && nulls == reader->nulls ? TAKEN : UNDECIDED;
}

static enum taken take_by_key(struct reader *reader, const struct leaf *map, const struct view *key, const struct value *value)
{
    const struct program *program = reader->program;
    if (map->presets < 0)
        return FREE;
    int32_t child = find_child(program, map->presets, view_bytes(key, &reader->table.heap), (size_t)key->length);
    if (child < 0)
        return FREE;
    const struct leaf *leaf = &program->leaves[program->children[child].leaf];
    if (!belongs(reader, leaf))
        return FREE;
    return leaf->way == WAY_MAP ? take_map_preset(reader, leaf, value) : take_preset(reader, leaf, value);
}

/* -- maps of one type ------------------------------------------------------------------------------------------- */

static bool take_of_type(struct reader *reader, const struct leaf *leaf, const struct view *key, const struct value *value)
{
    bool wants_number = leaf->way == WAY_NUMBER_MAP;
    if (value->kind != (wants_number ? KIND_NUMBER : KIND_TEXT)) {
        struct stray stray = {leaf, *key, *value};
        return buffer_append(&reader->strays, &stray, sizeof stray);
    }
    enum taken taken = take_by_key(reader, leaf, key, value);
    if (taken != FREE)
        return taken == TAKEN;
    return wants_number ? add_digits(reader, leaf, key, value) : add_text(reader, leaf->column, key, value);
}

static bool take_stray(struct reader *reader, const struct stray *stray)
{
    const struct program *program = reader->program;
    bool is_text = stray->value.kind == KIND_TEXT, is_number = stray->value.kind == KIND_NUMBER;
    int32_t home = is_text ? program->attributes : is_number ? program->metrics : program->other;
    if (has_key(reader, home, &stray->key))
        return false;
    if (!is_text && !is_number)
        return add_canonical(reader, program->other, &stray->key, &stray->value);
    return (is_text ? add_text(reader, home, &stray->key, &stray->value) : add_digits(reader, stray->leaf, &stray->key, &stray->value)) &&
           put_note(reader, stray->leaf->strayed, &stray->key);
}

bool take_strays(struct reader *reader)
{
    for (size_t at = 0; at < reader->strays.length; at += sizeof(struct stray)) {
        struct stray stray;
        memcpy(&stray, reader->strays.data + at, sizeof stray);
        if (!take_stray(reader, &stray))
            return false;
    }
    return true;
}

/* -- maps of mixed types ---------------------------------------------------------------------------------------- */

static bool take_mixed(struct reader *reader, const struct leaf *leaf, const struct view *key, const struct value *value)
{
    enum taken taken = take_by_key(reader, leaf, key, value);
    if (taken != FREE)
        return taken == TAKEN;
    if (value->kind == KIND_TEXT)
        return add_text(reader, reader->program->attributes, key, value);
    return value->kind == KIND_NUMBER ? add_digits(reader, leaf, key, value)
                                      : add_canonical(reader, reader->program->other, key, value);
}

static bool open_maps(struct reader *reader)
{
    struct column *columns = reader->table.columns;
    return column_open(&columns[reader->program->attributes], reader->row) &&
           column_open(&columns[reader->program->metrics], reader->row);
}

static bool take_properties(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    if (value->kind != KIND_TEXT)
        return take_members(reader, leaf, value, take_mixed);
    struct buffer *text = &reader->inner;
    text->length = 0;
    return append_text(text, value) && take_members_of(reader, leaf, cursor_over(text->data, text->length), take_mixed);
}

/* -- entities --------------------------------------------------------------------------------------------------- */

/* Read an entity: a key and a value, each once, and nothing else. */
static bool read_entity(const struct value *entity, struct value *key, struct value *value)
{
    struct cursor cursor = cursor_over(entity->start + 1, entity->length - 1);
    struct value name, inner;
    key->kind = value->kind = KIND_NONE;
    if (entity->kind != KIND_OBJECT)
        return false;
    for (bool first = true; !take(&cursor, '}'); first = false) {
        if ((!first && !take(&cursor, ',')) || !read_key(&cursor, &name) || !read_value(&cursor, &inner, NESTING_MAX))
            return false;
        bool is_key = name.length == 3 && memcmp(name.start, "key", 3) == 0;
        bool is_value = name.length == 5 && memcmp(name.start, "value", 5) == 0;
        struct value *place = is_key ? key : value;
        if (!(is_key || is_value) || place->kind != KIND_NONE)
            return false;
        *place = inner;
    }
    return key->kind == KIND_TEXT;
}

/* Remember an entity's key; a second one of the same key is `key#2`, and so on. */
static bool name_entity(struct keys *keys, struct view *name, struct buffer *heap)
{
    struct view key = *name;
    char number[16];
    for (int count = 2; !is_new(keys, name, heap); count++) {
        if (count > REPEATED_MAX)
            return false;
        size_t start = heap->length;
        int length = snprintf(number, sizeof number, "#%d", count);
        if (!buffer_reserve(heap, (size_t)key.length + sizeof number)) {
            return false; /* else the key's bytes, which lie in the heap, would move */
        }
        if (!buffer_append(heap, view_bytes(&key, heap), (size_t)key.length) || !buffer_append(heap, number, (size_t)length))
            return false;
        *name = heap_view(heap, start);
    }
    return true;
}

static bool take_entity(struct reader *reader, const struct leaf *leaf, struct keys *keys, const struct value *entity)
{
    struct buffer *heap = &reader->table.heap;
    struct value key, value;
    size_t start = heap->length;
    if (!read_entity(entity, &key, &value) || !append_text(heap, &key))
        return false;
    struct view view = heap_view(heap, start);
    if (!name_entity(keys, &view, heap))
        return false;
    if (value.kind == KIND_NULL || value.kind == KIND_NONE) {
        reader->nulls++;
        return true;
    }
    return take_mixed(reader, leaf, &view, &value);
}

static bool take_entities(struct reader *reader, const struct leaf *leaf, const struct value *list)
{
    struct cursor cursor = cursor_over(list->start + 1, list->length - 1);
    struct keys keys = {0};
    struct value entity;
    if (list->kind != KIND_ARRAY)
        return false;
    bool done = true;
    for (bool first = true; done && !take(&cursor, ']'); first = false) {
        done = (first || take(&cursor, ',')) && read_value(&cursor, &entity, NESTING_MAX) && take_entity(reader, leaf, &keys, &entity);
    }
    forget_keys(&keys);
    return done;
}

/* -- the user --------------------------------------------------------------------------------------------------- */

/* Take a property apart: a value, and the time when it was set, if that is not the event's own. */
static bool read_property(const struct value *property, struct value *value, struct value *set_time)
{
    struct cursor cursor = cursor_over(property->start + 1, property->length - 1);
    struct value name, inner;
    bool others = false;
    value->kind = set_time->kind = KIND_NONE;
    for (bool first = true; property->kind == KIND_OBJECT && !take(&cursor, '}'); first = false) {
        if ((!first && !take(&cursor, ',')) || !read_key(&cursor, &name) || !read_value(&cursor, &inner, NESTING_MAX))
            return false;
        bool is_value = name.length == 5 && memcmp(name.start, "value", 5) == 0;
        bool is_time = name.length == 13 && memcmp(name.start, "set_timestamp", 13) == 0;
        struct value *place = is_value ? value : set_time;
        if (name.escaped || ((is_value || is_time) && place->kind != KIND_NONE))
            return false;
        if (is_value || is_time) {
            *place = inner;
        } else {
            others = true;
        }
    }
    if (value->kind == KIND_NONE) {
        *value = *property;
        set_time->kind = KIND_NONE;
        return true;
    }
    return !others;
}

static bool take_set_time(struct reader *reader, const struct view *name, const struct value *set_time)
{
    static const struct leaf in_milliseconds = {.unit = UNIT_MILLISECONDS};
    const struct program *program = reader->program;
    const struct column *times = program->time_column < 0 ? NULL : &reader->table.columns[program->time_column];
    int64_t milliseconds, own;
    if (set_time->kind == KIND_NONE || set_time->kind == KIND_NULL)
        return true;
    if (!read_instant(&in_milliseconds, set_time, &milliseconds) || times == NULL || times->type != TYPE_WHOLE)
        return false;
    if (column_is_set(times, reader->row)) {
        memcpy(&own, times->values.data + (size_t)reader->row * sizeof own, sizeof own);
        if (own == milliseconds)
            return true;
    }
    struct buffer *heap = &reader->table.heap;
    struct column *to = &reader->table.columns[program->user_times];
    size_t start = heap->length;
    return buffer_append(heap, set_time->start, set_time->length) && column_open(to, reader->row) &&
           column_add(to, name, heap_view(heap, start));
}

static bool take_property(struct reader *reader, const struct leaf *leaf, const struct view *name, const struct value *property)
{
    struct value value, set_time;
    const uint8_t *bytes = view_bytes(name, &reader->table.heap);
    bool is_id = leaf->member.length == name->length && memcmp(bytes, text_at(reader->program, leaf->member), (size_t)name->length) == 0;
    if (!read_property(property, &value, &set_time))
        return false;
    if (value.kind == KIND_NULL) {
        reader->nulls++;
        return set_time.kind == KIND_NONE;
    }
    if (is_id && (value.kind == KIND_TEXT || value.kind == KIND_NUMBER))
        return value.kind == KIND_TEXT && put_text(reader, leaf->column, &value) && take_set_time(reader, name, &set_time);
    return add_canonical(reader, reader->program->user_properties, name, &value) && take_set_time(reader, name, &set_time);
}

/* -- by their ways ---------------------------------------------------------------------------------------------- */

bool take_container(struct reader *reader, const struct leaf *leaf, const struct value *value)
{
    switch (leaf->way) {
    case WAY_TEXT_MAP:
    case WAY_NUMBER_MAP:
        return value->kind == KIND_OBJECT && !is_set(reader, leaf->column) &&
               column_open(&reader->table.columns[leaf->column], reader->row) && take_members(reader, leaf, value, take_of_type);
    case WAY_MAP:
        return value->kind == KIND_OBJECT && !is_set(reader, leaf->column) &&
               column_open(&reader->table.columns[leaf->column], reader->row) && take_members(reader, leaf, value, take_as_json);
    case WAY_MIXED_MAP:
        return open_maps(reader) && take_members(reader, leaf, value, take_mixed);
    case WAY_PROPERTIES:
        return open_maps(reader) && take_properties(reader, leaf, value);
    case WAY_ENTITIES:
        return open_maps(reader) && take_entities(reader, leaf, value);
    case WAY_USER:
        return take_members(reader, leaf, value, take_property);
    default:
        return false;
    }
}
