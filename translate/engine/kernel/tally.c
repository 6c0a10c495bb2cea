/* What became of the keys of a unit's records, counted: how many keys of a path and a sort the row beside their text speaks
 * for in the same way. What a way means is Python's to say, once for each. A row that is not as most are is told, and
 * nothing of it is counted. */
#include <stdlib.h>

#include "exported.h"
#include "input.h"
#include "tally.h"

/* The columns of a frame of rows; the losses that are told by flags come next, and then the hub's columns as they were read. */
enum { TEXT, CONTEXT, REJECTED, NULLS, REMARKS, FLAGS };
enum { MAPS_MAX = 16, ENTRIES_MAX = 512, FLAG_WORDS = 2, FLAG_BITS = 64, NO_REMARKS = -1, OF_SOURCE = -1 };
enum { SEGMENT = 0x1f, SEGMENT_MAX = 250, SEGMENTS_MAX = 8, NAME_MAX = SEGMENTS_MAX * (2 * SEGMENT_MAX + 1) };
enum bits { AT_HOME = 1 << WATCHED_MAX, IN_EXTRA = 1 << (WATCHED_MAX + 1) };

/* Something that is said of a column, of one key of it, or of a place of the source. */
struct remark {
    int32_t column;
    int32_t has_key;
    const char *key; /* or the place, its segments behind each other */
    int64_t key_length;
};

/* The remarks upon a row: from one number on, up to another. */
struct remarks {
    int64_t from;
    int64_t to;
};

/* What the rows of a unit are held against; what is said of them grows with each frame. */
struct sheet {
    const struct place *places;
    const uint64_t (*flags_of)[FLAG_WORDS]; /* by column of the frame: the flags that tell of it */
    const int32_t *mixed;          /* the columns of maps that share keys of any sort, `extra` last */
    const struct remark *remarks;
    const struct remarks *sets;
    const int64_t *in_sets;
    int32_t n_places;
    int32_t n_flags;
    int32_t n_mixed;
    int32_t extra;
};

/* How a row speaks for a key; the bytes of it are a text among the words, and so it has a number. */
struct way {
    uint64_t flags[FLAG_WORDS];
    int32_t remarks[REMARKS_MAX];
    uint32_t path;
    uint32_t extra; /* the name under which `extra` has it */
    int32_t place;
    int32_t preset;
    uint16_t bits;
    uint8_t sort;
    uint8_t known;
    uint8_t is_member;
    uint8_t unused[3];
};

/* How many keys of rows of an event type and a context went a way. */
struct counted {
    int64_t event_type; /* NO_WORD: none */
    int64_t context;
    int64_t way;
    int64_t count;
};

struct tally {
    struct words words;
    struct words groups; /* event type, context and way of each count, in their order */
    struct census census;
    struct buffer counted;
    struct buffer ways; /* of the row that is looked at */
};

/* A row, as it is looked at: which entries of its maps a key speaks for. */
struct row {
    const struct frame *frame;
    const struct sheet *sheet;
    int64_t number;
    uint64_t flags[FLAG_WORDS];
    struct remarks remarks;
    bool is_rejected;
    int64_t nulls;
    uint32_t event_type;
    uint32_t context;
    int64_t claims;
    uint8_t claimed[MAPS_MAX][ENTRIES_MAX];
};

/* -- counts ----------------------------------------------------------------------------------------------------- */

static bool count(struct tally *tally, int64_t event_type, int64_t context, const struct way *way)
{
    uint32_t word = word_of(&tally->words, WAYS, (const uint8_t *)way, sizeof *way);
    if (word == NO_WORD)
        return false;
    struct counted fresh = {event_type, context, word, 0};
    uint32_t next = words_count(&tally->groups);
    uint32_t group = word_of(&tally->groups, 0, (const uint8_t *)&fresh, offsetof(struct counted, count));
    if (group == NO_WORD || (group == next && !buffer_append(&tally->counted, &fresh, sizeof fresh)))
        return false;
    ((struct counted *)(void *)tally->counted.data)[group - FIRST_WORD].count++;
    return true;
}

/* -- what a row has --------------------------------------------------------------------------------------------- */

static bool is_same(struct span one, const uint8_t *text, size_t length)
{
    return one.length == length && memcmp(one.at, text, length) == 0;
}

static bool has_map(const struct row *row, int32_t column)
{
    return column >= 0 && row->frame->column[column].kind == KIND_MAP && is_there(&row->frame->column[column], row->number);
}

/* Find a key in a map; give its entry, from 0, or -1. */
static int64_t entry_of(const struct row *row, int32_t column, const uint8_t *name, size_t length)
{
    if (!has_map(row, column))
        return -1;
    const struct given *map = &row->frame->column[column];
    int64_t from = entries_from(map, row->number), to = entries_to(map, row->number);
    for (int64_t entry = from; entry < to; entry++) {
        if (is_same(text_at(&map->keys, entry), name, length))
            return entry - from;
    }
    return -1;
}

static int32_t number_of_map(const struct sheet *sheet, int32_t column)
{
    for (int32_t number = 0; number < sheet->n_mixed; number++) {
        if (sheet->mixed[number] == column)
            return number;
    }
    return -1;
}

/* Let a key speak for an entry; false if another one did, where only one may. What lies in `extra` may be spoken for again. */
static bool claim(struct row *row, int32_t column, int64_t entry)
{
    int32_t map = number_of_map(row->sheet, column);
    if (map < 0)
        return true; /* a map of its own */
    if (entry >= ENTRIES_MAX)
        return false;
    bool is_first = row->claimed[map][entry] == 0;
    row->claimed[map][entry] = 1;
    row->claims += is_first;
    return is_first || column == row->sheet->extra;
}

static int64_t entries_in(const struct row *row, int32_t column)
{
    if (!has_map(row, column))
        return 0;
    const struct given *map = &row->frame->column[column];
    return entries_to(map, row->number) - entries_from(map, row->number);
}

/* Tell whether all entries of the maps were spoken for, and forget that they were. */
static bool all_claimed(struct row *row)
{
    int64_t entries = 0;
    for (int32_t number = 0; number < row->sheet->n_mixed; number++)
        entries += entries_in(row, row->sheet->mixed[number]);
    return entries == row->claims;
}

static void forget_claims(struct row *row)
{
    for (int32_t number = 0; row->claims > 0 && number < row->sheet->n_mixed; number++)
        memset(row->claimed[number], 0, ENTRIES_MAX);
    row->claims = 0;
}

/* -- what is said of it ----------------------------------------------------------------------------------------- */

static void add_flags(const struct row *row, int32_t column, struct way *way)
{
    for (int word = 0; column >= 0 && word < FLAG_WORDS; word++)
        way->flags[word] |= row->flags[word] & row->sheet->flags_of[column][word];
}

static struct span text_of_word(const struct words *words, uint32_t number)
{
    const struct word *word = (const struct word *)(const void *)words->words.data + number;
    return (struct span){words->heap.data + word->start, word->length};
}

static void segments_of(const struct words *words, const struct key *key, struct span *segments)
{
    uint32_t path = key->path;
    for (int depth = key->depth; depth > 0; depth--) {
        segments[depth - 1] = text_of_word(words, path);
        path = ((const struct word *)(const void *)words->words.data + path)->above;
    }
}

/* Tell whether a path is the beginning of a place that is told by its segments. */
static bool begins(const struct words *words, const struct key *key, const struct remark *remark)
{
    struct span segments[UINT8_MAX];
    const uint8_t *at = (const uint8_t *)remark->key, *end = at + remark->key_length;
    segments_of(words, key, segments);
    for (int depth = 0; depth < key->depth; depth++) {
        struct span segment = segments[depth];
        if ((size_t)(end - at) < segment.length || memcmp(at, segment.at, segment.length) != 0)
            return false;
        at += segment.length;
        if (at == end)
            return depth == key->depth - 1;
        if (*at++ != SEGMENT)
            return false;
    }
    return true;
}

static bool concerns(const struct tally *tally, const struct row *row, const struct key *key, const struct way *way,
                     const struct remark *remark)
{
    if (remark->column == OF_SOURCE)
        return begins(&tally->words, key, remark);
    if (way->bits & IN_EXTRA && remark->column == row->sheet->extra) {
        struct span name = text_of_word(&tally->words, way->extra);
        return !remark->has_key || is_same(name, (const uint8_t *)remark->key, (size_t)remark->key_length);
    }
    if (key->place == UNKNOWN)
        return false;
    struct span name = {key->name, key->name_length};
    if (remark->has_key && !is_same(name, (const uint8_t *)remark->key, (size_t)remark->key_length))
        return false;
    const struct place *place = &row->sheet->places[key->is_member && key->preset >= 0 ? key->preset : key->place];
    for (int number = 0; number < WATCHED_MAX && place->watched[number] >= 0; number++) {
        if (place->watched[number] == remark->column)
            return true;
    }
    return way->bits & AT_HOME && row->sheet->places[key->place].homes[key->sort] == remark->column;
}

static bool add_remarks(const struct tally *tally, const struct row *row, const struct key *key, struct way *way)
{
    int found = 0;
    for (int64_t number = row->remarks.from; number < row->remarks.to; number++) {
        int64_t remark = row->sheet->in_sets[number];
        if (!concerns(tally, row, key, way, &row->sheet->remarks[remark]))
            continue;
        if (found == REMARKS_MAX)
            return false;
        way->remarks[found++] = (int32_t)remark;
    }
    return true;
}

/* -- what speaks for a key -------------------------------------------------------------------------------------- */

static void watch(const struct row *row, const struct place *place, struct way *way)
{
    for (int number = 0; number < WATCHED_MAX && place->watched[number] >= 0; number++) {
        int32_t column = place->watched[number];
        if (is_there(&row->frame->column[column], row->number))
            way->bits |= (uint16_t)(1U << number);
        add_flags(row, column, way);
    }
}

/* Tell whether a record has a known object of a name. */
static bool is_object(const struct sheet *sheet, const uint8_t *name, size_t length)
{
    const struct place *root = &sheet->places[ROOT];
    for (int32_t child = root->first_child; child < root->first_child + root->n_children; child++) {
        const struct place *place = &sheet->places[child];
        if (place->below == BELOW_TREE && (size_t)place->name_length == length && memcmp(place->name, name, length) == 0)
            return true;
    }
    return false;
}

/* Write a segment of a path, escaped where it is one of several; 0 where there is no room. */
static size_t spell_segment(struct span segment, bool is_escaped, uint8_t *name)
{
    size_t length = 0;
    if (segment.length > SEGMENT_MAX)
        return 0;
    for (size_t number = 0; number < segment.length; number++) {
        if (is_escaped && (segment.at[number] == '.' || segment.at[number] == '\\'))
            name[length++] = '\\';
        name[length++] = segment.at[number];
    }
    return length;
}

/* Write the name that `extra` has for a path; 0 where there is no room, or one of a single segment is marked. */
static size_t spell_path(const struct sheet *sheet, const struct span *segments, int depth, uint8_t *name)
{
    size_t length = 0;
    const uint8_t *dot = memchr(segments[0].at, '.', segments[0].length);
    bool is_joined = depth > 1 || is_object(sheet, segments[0].at, dot == NULL ? segments[0].length : (size_t)(dot - segments[0].at));
    if (depth > SEGMENTS_MAX || (!is_joined && memchr(segments[0].at, '^', segments[0].length) != NULL))
        return 0;
    for (int number = 0; number < depth; number++) {
        if (number > 0)
            name[length++] = '.';
        size_t written = spell_segment(segments[number], is_joined, name + length);
        if (written == 0)
            return 0;
        length += written;
    }
    return length;
}

/* Tell whether an entry of `extra` holds what its key's path goes on to. */
static bool lies_inside(const struct row *row, int64_t entry, const struct span *segments, int count)
{
    const struct given *extra = &row->frame->column[row->sheet->extra];
    int64_t number = entries_from(extra, row->number) + entry;
    if (!text_is_there(&extra->texts, number))
        return false;
    struct name members[UINT8_MAX];
    for (int segment = 0; segment < count; segment++)
        members[segment] = (struct name){segments[segment].at, segments[segment].length};
    struct span text = text_at(&extra->texts, number);
    return census_holds(text.at, text.length, members, count);
}

/* Look for a key in `extra`, under the name of its path or of the longest beginning of it; false where that is for Python. */
static bool look_in_extra(struct tally *tally, struct row *row, const struct key *key, struct way *way)
{
    uint8_t name[NAME_MAX];
    struct span segments[UINT8_MAX];
    segments_of(&tally->words, key, segments);
    for (int depth = key->depth; depth > 0; depth--) {
        size_t length = spell_path(row->sheet, segments, depth, name);
        int64_t entry = length == 0 ? -1 : entry_of(row, row->sheet->extra, name, length);
        if (length == 0)
            return false;
        if (entry < 0)
            continue;
        way->bits |= IN_EXTRA;
        way->extra = word_of(&tally->words, NO_WORD, name, length);
        add_flags(row, row->sheet->extra, way);
        return way->extra != NO_WORD && claim(row, row->sheet->extra, entry) &&
               (depth == key->depth || lies_inside(row, entry, segments + depth, key->depth - depth));
    }
    return true;
}

/* Look for a member of a map at home; false where another map may have it. */
static bool look_at_home(struct row *row, const struct key *key, struct way *way)
{
    const struct place *map = &row->sheet->places[key->place];
    int32_t home = map->homes[key->sort];
    add_flags(row, home, way);
    int64_t entry = entry_of(row, home, key->name, key->name_length);
    if (entry >= 0) {
        way->bits |= AT_HOME;
        return claim(row, home, entry);
    }
    for (int sort = 0; sort < SORTS; sort++) {
        if (map->homes[sort] != home && entry_of(row, map->homes[sort], key->name, key->name_length) >= 0)
            return false;
    }
    if (key->preset >= 0)
        watch(row, &row->sheet->places[key->preset], way);
    return true;
}

/* Find the way in which a row speaks for a key; false where it is for Python to find. */
static bool find_way(struct tally *tally, struct row *row, const struct key *key, struct way *way)
{
    bool has_extra = entries_in(row, row->sheet->extra) > 0;
    if (key->is_member && key->sort != SORT_NULL && !look_at_home(row, key, way))
        return false;
    if (has_extra && !(way->bits & AT_HOME) && !look_in_extra(tally, row, key, way))
        return false;
    if (!key->is_member && key->place != UNKNOWN && !(way->bits & IN_EXTRA))
        watch(row, &row->sheet->places[key->place], way);
    if (!add_remarks(tally, row, key, way))
        return false;
    row->nulls -= key->sort == SORT_NULL;
    int32_t own = key->is_member ? key->preset : key->place;
    bool may_be_silent = key->sort == SORT_NULL || (own != UNKNOWN && row->sheet->places[own].silent >> key->sort & 1);
    return may_be_silent || way->bits != 0 || way->remarks[0] != NO_REMARKS;
}

static bool add_way(struct tally *tally, struct row *row, const struct key *key)
{
    struct way way;
    memset(&way, 0, sizeof way);
    way.path = key->path;
    way.place = key->place;
    way.preset = key->preset;
    way.sort = key->sort;
    way.known = key->known;
    way.is_member = key->is_member;
    for (int number = 0; number < REMARKS_MAX; number++)
        way.remarks[number] = NO_REMARKS;
    return (row->is_rejected || find_way(tally, row, key, &way)) && buffer_append(&tally->ways, &way, sizeof way);
}

/* -- rows ------------------------------------------------------------------------------------------------------- */

static uint32_t type_of(struct tally *tally, bool *is_known)
{
    for (int rank = 0; rank < NAMES_MAX; rank++) {
        if (tally->census.type[rank] != NULL) {
            uint32_t number = word_of(&tally->words, EVENT_TYPES, tally->census.type[rank], tally->census.type_length[rank]);
            *is_known = number != NO_WORD;
            return number;
        }
    }
    return NO_WORD;
}

static void read_row(struct row *row)
{
    const struct given *column = row->frame->column;
    memset(row->flags, 0, sizeof row->flags);
    for (int32_t flag = 0; flag < row->sheet->n_flags; flag++) {
        const struct given *told = &column[FLAGS + flag];
        if (is_there(told, row->number) && flag_at(told, row->number))
            row->flags[flag / FLAG_BITS] |= (uint64_t)1 << flag % FLAG_BITS;
    }
    row->is_rejected = flag_at(&column[REJECTED], row->number);
    row->nulls = is_there(&column[NULLS], row->number) ? whole_at(&column[NULLS], row->number) : 0;
    int64_t set = whole_at(&column[REMARKS], row->number);
    row->remarks = set < 0 ? (struct remarks){0, 0} : row->sheet->sets[set];
}

/* Find the ways of all keys of a row; false where the row is for Python. */
static bool look_at(struct tally *tally, struct row *row)
{
    const struct given *column = row->frame->column;
    tally->ways.length = 0;
    if (!is_there(&column[TEXT], row->number))
        return false;
    read_row(row);
    struct span text = text_at(&column[TEXT].texts, row->number), context = text_at(&column[CONTEXT].texts, row->number);
    if (!census_take(&tally->census, text.at, text.length))
        return false;
    bool is_known = true;
    row->event_type = type_of(tally, &is_known);
    row->context = word_of(&tally->words, CONTEXTS, context.at, context.length);
    if (!is_known || row->context == NO_WORD)
        return false;
    const struct key *keys = (const void *)tally->census.keys.data;
    for (size_t number = 0; number < tally->census.keys.length / sizeof *keys; number++) {
        if (!add_way(tally, row, &keys[number]))
            return false;
    }
    return row->is_rejected || (row->nulls >= 0 && all_claimed(row));
}

/* Count what became of the keys of a frame's rows; `left` tells the rows that are for Python. 0, or 12 if memory is short. */
EXPORTED int translate_tally_rows(struct ArrowArrayStream *given, struct tally *tally, const struct sheet *sheet, uint8_t *left)
{
    struct frame frame;
    struct row *row = calloc(1, sizeof *row);
    bool done = frame_take(&frame, given) && row != NULL;
    for (int64_t number = 0; done && number < frame.rows; number++) {
        row->frame = &frame;
        row->sheet = sheet;
        row->number = number;
        left[number] = !look_at(tally, row);
        forget_claims(row);
        const struct way *ways = (const void *)tally->ways.data;
        for (size_t way = 0; done && !left[number] && way < tally->ways.length / sizeof *ways; way++)
            done = count(tally, row->event_type, row->context, &ways[way]);
    }
    free(row);
    frame_let_go(&frame);
    return done ? 0 : 12;
}

/* -- its life --------------------------------------------------------------------------------------------------- */

EXPORTED void translate_tally_end(struct tally *tally)
{
    if (tally == NULL)
        return;
    words_free(&tally->words);
    words_free(&tally->groups);
    buffer_free(&tally->census.keys);
    buffer_free(&tally->census.heap);
    buffer_free(&tally->census.names);
    buffer_free(&tally->counted);
    buffer_free(&tally->ways);
    free(tally->census.paths);
    free(tally);
}

static bool number_paths(struct tally *tally, int32_t place, uint32_t path)
{
    const struct place *parent = &tally->census.places[place];
    tally->census.paths[place] = path;
    for (int32_t child = parent->first_child; child < parent->first_child + parent->n_children; child++) {
        const struct place *below = &tally->census.places[child];
        uint32_t number = word_of(&tally->words, path, (const uint8_t *)below->name, (size_t)below->name_length);
        if (number == NO_WORD || !number_paths(tally, child, number))
            return false;
    }
    return true;
}

/* Begin to count; NULL if memory is short. The places have to stay until the end. */
EXPORTED struct tally *translate_tally_begin(const struct place *places, int32_t n_places, uint64_t seed)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        return NULL;
    tally->census.places = places;
    tally->census.words = &tally->words;
    tally->census.paths = calloc((size_t)n_places, sizeof *tally->census.paths);
    if (tally->census.paths == NULL || !words_begin(&tally->words, seed) ||
        !words_begin(&tally->groups, seed) || !number_paths(tally, ROOT, PATHS)) {
        translate_tally_end(tally);
        return NULL;
    }
    return tally;
}

/* Give what was counted: the array, and how many there are. */
EXPORTED const struct counted *translate_tally_counted(const struct tally *tally, int64_t *count)
{
    *count = (int64_t)(tally->counted.length / sizeof(struct counted));
    return (const void *)tally->counted.data;
}

/* Give a text by its number, and the number of the one above it. */
EXPORTED const uint8_t *translate_tally_text(const struct tally *tally, uint32_t number, uint32_t *above, int64_t *length)
{
    const struct word *word = word_at(&tally->words, number);
    *above = word->above;
    *length = word->length;
    return tally->words.heap.data + word->start;
}
