/* The keys that stand in a record's text: each once, with its path and the sort of its value. */
#include "json.h"
#include "tally.h"

#define KEY ((struct name){(const uint8_t *)"key", 3})
#define VALUE ((struct name){(const uint8_t *)"value", 5})

enum { DEPTH_MAX = 32, MEMBERS_MAX = 512, NUMBER_MAX = 12, ROOM = 64 };

/* Where a value stands: what is known of its place, and its path. */
struct spot {
    int32_t place; /* UNKNOWN where nothing is */
    uint32_t path;
    uint8_t known;
    uint8_t depth;
    bool is_member; /* of a map, which is the place then */
    int32_t preset;
};

static const struct place *place_at(const struct census *census, int32_t number)
{
    return &census->places[number];
}

/* -- values ----------------------------------------------------------------------------------------------------- */

static enum sort sort_of(const struct value *value)
{
    switch (value->kind) {
    case KIND_TEXT:
        return value->length == 0 ? SORT_EMPTY : SORT_TEXT;
    case KIND_TRUE:
    case KIND_FALSE:
        return SORT_FLAG;
    case KIND_NULL:
        return SORT_NULL;
    case KIND_OBJECT:
        return SORT_OBJECT;
    case KIND_ARRAY:
        return SORT_LIST;
    default:
        return SORT_NUMBER;
    }
}

static bool has_room(const struct census *census, size_t length)
{
    return census->heap.capacity - census->heap.length >= length;
}

/* Give what a text says, where it lies or without its escapes in the heap. */
static bool say(struct census *census, const struct value *text, struct name *name)
{
    *name = (struct name){text->start, text->length};
    if (!text->escaped)
        return true;
    size_t start = census->heap.length;
    if (!has_room(census, text->length) || !append_text(&census->heap, text))
        return false;
    *name = (struct name){census->heap.data + start, census->heap.length - start};
    return true;
}

static bool is_empty(const struct value *object)
{
    struct cursor cursor = cursor_over(object->start + 1, object->length - 1);
    return take(&cursor, '}');
}

/* Keep the event's type, as one of its places spells it. */
static bool keep_type(struct census *census, const struct place *place, const struct value *value)
{
    enum sort sort = sort_of(value);
    if (place->name_rank == 0 || sort == SORT_NULL || sort == SORT_OBJECT || sort == SORT_LIST)
        return true;
    struct name name;
    if (!say(census, value, &name))
        return false;
    census->type[place->name_rank - 1] = name.text;
    census->type_length[place->name_rank - 1] = name.length;
    return true;
}

/* -- keys ------------------------------------------------------------------------------------------------------- */

static bool add_key(struct census *census, const struct spot *spot, const struct name *name, enum sort sort)
{
    struct key key = {.path = spot->path, .place = spot->place, .preset = spot->preset, .is_member = spot->is_member,
                      .sort = (uint8_t)sort, .known = spot->known, .depth = spot->depth,
                      .name = name->text, .name_length = name->length};
    return buffer_append(&census->keys, &key, sizeof key);
}

static int32_t child_of(const struct census *census, int32_t place, const struct name *name)
{
    const struct place *parent = place_at(census, place);
    for (int32_t number = parent->first_child; number < parent->first_child + parent->n_children; number++) {
        const struct place *child = place_at(census, number);
        if ((size_t)child->name_length == name->length && memcmp(child->name, name->text, name->length) == 0)
            return number;
    }
    return UNKNOWN;
}

/* Go on from a place to one of its members; false for one that is for Python. */
static bool step(struct census *census, const struct spot *from, const struct name *name, struct spot *to)
{
    bool is_map = from->place != UNKNOWN && place_at(census, from->place)->below != BELOW_TREE;
    int32_t child = from->place == UNKNOWN ? UNKNOWN : child_of(census, from->place, name);
    uint8_t depth = (uint8_t)(from->depth + 1);
    *to = (struct spot){.place = is_map ? from->place : child, .depth = depth, .is_member = is_map,
                        .known = is_map || child != UNKNOWN ? depth : from->known, .preset = is_map ? child : UNKNOWN};
    if (child != UNKNOWN && place_at(census, child)->is_for_python)
        return false;
    to->path = child != UNKNOWN ? census->paths[child] : word_of(census->words, from->path, name->text, name->length);
    return to->path != NO_WORD;
}

/* Remember a name of an object; false if it has that name already, which is for Python, or very many. */
static bool is_new(struct census *census, size_t first, const struct name *name)
{
    uint64_t hash = name->length;
    for (size_t number = 0; number < name->length; number++)
        hash = (hash ^ name->text[number]) * UINT64_C(0x100000001b3);
    size_t count = census->names.length / sizeof hash;
    const uint64_t *names = (const uint64_t *)(const void *)census->names.data;
    for (size_t number = first; number < count; number++) {
        if (names[number] == hash)
            return false;
    }
    return count - first < MEMBERS_MAX && buffer_append(&census->names, &hash, sizeof hash);
}

/* -- down the record -------------------------------------------------------------------------------------------- */

static bool take_value(struct census *census, const struct spot *spot, const struct name *name, const struct value *value);

typedef bool member_taker(struct census *, const struct spot *, const struct name *, const struct value *);

static bool each_member(struct census *census, const struct spot *object, struct cursor cursor, member_taker *taker)
{
    size_t first = census->names.length / sizeof(uint64_t);
    if (object->depth >= DEPTH_MAX || !take(&cursor, '{'))
        return false;
    for (bool begins = true; !take(&cursor, '}'); begins = false) {
        struct value key, value;
        struct name name;
        struct spot spot;
        if ((!begins && !take(&cursor, ',')) || !read_key(&cursor, &key) || !read_value(&cursor, &value, NESTING_MAX))
            return false;
        if (!say(census, &key, &name) || !is_new(census, first, &name) || !step(census, object, &name, &spot) ||
            !taker(census, &spot, &name, &value)) {
            return false;
        }
    }
    census->names.length = first * sizeof(uint64_t);
    return true;
}

static struct cursor inside(const struct value *value)
{
    return cursor_over(value->start, value->length);
}

/* A member of a map is one key, whatever is in it. */
static bool take_member(struct census *census, const struct spot *spot, const struct name *name, const struct value *value)
{
    return add_key(census, spot, name, sort_of(value));
}

/* Find the member of an object that has a name; its kind is none where there is no such member. False for what is for Python. */
static bool find_member(struct value object, struct name wanted, struct value *found)
{
    struct cursor cursor = inside(&object);
    found->kind = KIND_NONE;
    if (!take(&cursor, '{'))
        return false;
    for (bool begins = true; !take(&cursor, '}'); begins = false) {
        struct value key, value;
        if ((!begins && !take(&cursor, ',')) || !read_key(&cursor, &key) || !read_value(&cursor, &value, NESTING_MAX))
            return false;
        bool is_it = key.length == wanted.length && memcmp(key.start, wanted.text, key.length) == 0;
        if (key.escaped || (is_it && found->kind != KIND_NONE))
            return false;
        if (is_it)
            *found = value;
    }
    return true;
}

/* A property is a value, or an object that says its value. */
static bool take_property(struct census *census, const struct spot *spot, const struct name *name, const struct value *value)
{
    struct value own = *value;
    if (value->kind == KIND_OBJECT && !find_member(*value, VALUE, &own))
        return false;
    return add_key(census, spot, name, sort_of(own.kind == KIND_NONE ? value : &own));
}

/* Name an entity by its key and, if others of that key came before, by how many these were. */
static bool name_entity(struct census *census, size_t first, struct name *name)
{
    size_t length = name->length;
    for (unsigned count = 2; !is_new(census, first, name); count++) {
        uint8_t digits[NUMBER_MAX];
        size_t n_digits = 0;
        for (unsigned rest = count; rest > 0; rest /= 10)
            digits[NUMBER_MAX - ++n_digits] = (uint8_t)('0' + rest % 10);
        uint8_t *to = census->heap.data + census->heap.length;
        if (count > MEMBERS_MAX || !has_room(census, length + 1 + n_digits))
            return false;
        memcpy(to, name->text, length);
        to[length] = '#';
        memcpy(to + length + 1, digits + NUMBER_MAX - n_digits, n_digits);
        *name = (struct name){to, length + 1 + n_digits};
        census->heap.length += name->length;
    }
    return true;
}

static bool take_entity(struct census *census, const struct spot *list, size_t first, const struct value *entity)
{
    static const uint8_t null[] = "null";
    struct value key, value;
    struct name name;
    struct spot spot;
    if (entity->kind != KIND_OBJECT)
        return true;
    if (!find_member(*entity, KEY, &key) || !find_member(*entity, VALUE, &value))
        return false;
    if (key.kind != KIND_TEXT)
        return true;
    if (value.kind == KIND_NONE)
        value = (struct value){KIND_NULL, false, null, sizeof null - 1};
    return say(census, &key, &name) && name_entity(census, first, &name) && step(census, list, &name, &spot) &&
           add_key(census, &spot, &name, sort_of(&value));
}

/* Take the entities of a list; one without any is a key itself. */
static bool take_entities(struct census *census, const struct spot *spot, const struct name *name, const struct value *list)
{
    struct cursor cursor = inside(list);
    size_t first = census->names.length / sizeof(uint64_t), before = census->keys.length;
    if (!take(&cursor, '['))
        return false;
    for (bool begins = true; !take(&cursor, ']'); begins = false) {
        struct value entity;
        if ((!begins && !take(&cursor, ',')) || !read_value(&cursor, &entity, NESTING_MAX) ||
            !take_entity(census, spot, first, &entity)) {
            return false;
        }
    }
    census->names.length = first * sizeof(uint64_t);
    return census->keys.length > before || add_key(census, spot, name, SORT_LIST);
}

/* Open a text that holds an object; what it holds else is for Python. */
static bool open_object(struct census *census, const struct value *text, struct value *object)
{
    struct name said;
    if (!say(census, text, &said))
        return false;
    struct cursor cursor = cursor_over(said.text, said.length);
    skip_blanks(&cursor);
    if (!read_value(&cursor, object, NESTING_MAX) || object->kind != KIND_OBJECT)
        return false;
    skip_blanks(&cursor);
    return cursor.at == cursor.end;
}

static bool take_below(struct census *census, const struct spot *spot, const struct name *name, const struct value *value, int32_t below)
{
    struct value object = *value;
    if (below == BELOW_ENTITIES && value->kind == KIND_ARRAY)
        return take_entities(census, spot, name, value);
    if (below == BELOW_PROPERTIES && value->kind == KIND_ARRAY)
        return false;
    if (below == BELOW_JSON && value->kind == KIND_TEXT && !open_object(census, value, &object))
        return false;
    if (object.kind != KIND_OBJECT || below == BELOW_NOTHING || below == BELOW_ENTITIES || is_empty(&object))
        return add_key(census, spot, name, sort_of(value));
    member_taker *taker = below == BELOW_TREE ? take_value : below == BELOW_PROPERTIES ? take_property : take_member;
    return each_member(census, spot, inside(&object), taker);
}

static bool take_value(struct census *census, const struct spot *spot, const struct name *name, const struct value *value)
{
    if (spot->place == UNKNOWN)
        return take_below(census, spot, name, value, BELOW_TREE);
    const struct place *place = place_at(census, spot->place);
    return keep_type(census, place, value) && take_below(census, spot, name, value, place->below);
}

bool census_take(struct census *census, const uint8_t *text, size_t length)
{
    struct spot root = {.place = ROOT, .path = PATHS, .preset = UNKNOWN};
    struct cursor cursor = cursor_over(text, length);
    struct value record;
    census->keys.length = census->heap.length = census->names.length = 0;
    memset(census->type, 0, sizeof census->type);
    if (!buffer_reserve(&census->heap, length * 2 + ROOM) || !read_value(&cursor, &record, NESTING_MAX) ||
        record.kind != KIND_OBJECT) {
        return false;
    }
    skip_blanks(&cursor);
    return cursor.at == cursor.end && each_member(census, &root, inside(&record), take_value);
}

bool census_holds(const uint8_t *text, size_t length, const struct name *members, int count)
{
    struct value value = {KIND_OBJECT, false, text, length};
    for (int number = 0; number < count; number++) {
        if (value.kind != KIND_OBJECT || !find_member(value, members[number], &value) || value.kind == KIND_NONE)
            return false;
    }
    return true;
}
