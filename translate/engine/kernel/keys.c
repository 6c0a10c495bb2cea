/* Maps of a frame: which keys there are, and what becomes of the maps where some keys, or some rows, are exchanged. */
#include "columns.h"
#include "exported.h"
#include "spelling.h"
#include "words.h"

#define NOTHING ((struct span){(const uint8_t *)"", 0})

enum { MAPS_MAX = 4, FEW = 64 };

static bool is_same(struct span one, struct span other)
{
    return one.length == other.length &&
           (one.length == 0 || (one.at[one.length - 1] == other.at[one.length - 1] && /* they mostly begin alike */
                                memcmp(one.at, other.at, one.length) == 0));
}

/* What is known of a key: of those that a frame has, in how many rows of a map, its longest value in bytes, and how many
 * entries the largest map has that it is in. */
struct known {
    int64_t rows;
    int64_t last_row; /* from 1 */
    int64_t longest;
    int64_t most;
};

/* Keys by number, each below its map's, and what is known of them. */
struct directory {
    struct words words;
    struct buffer known;
};

static bool begin_directory(struct directory *directory, uint64_t seed)
{
    directory->known = (struct buffer){NULL, 0, 0};
    return words_begin(&directory->words, seed);
}

static void free_directory(struct directory *directory)
{
    words_free(&directory->words);
    buffer_free(&directory->known);
}

/* Find a key of a map, or remember it; NULL if there is no memory. */
static struct known *remember(struct directory *directory, int64_t map, struct span key)
{
    uint32_t word = word_of(&directory->words, (uint32_t)map, key.at, key.length);
    size_t number = word - FIRST_WORD;
    if (word == NO_WORD || !buffer_reach(&directory->known, (number + 1) * sizeof(struct known)))
        return NULL;
    return (struct known *)(void *)directory->known.data + number;
}

/* Tell whether a key of the first map is known, and by which number. */
static bool is_known(const struct directory *directory, struct span key, int64_t *number)
{
    uint32_t word = word_known(&directory->words, 0, key.at, key.length);
    *number = (int64_t)word - FIRST_WORD;
    return word != NO_WORD;
}

/* -- which keys there are --------------------------------------------------------------------------------------- */

static bool look_at(struct directory *directory, const struct given *map, int64_t number, int64_t row)
{
    int64_t start = entries_from(map, row), end = entries_to(map, row);
    for (int64_t entry = start; entry < end; entry++) {
        struct known *known = remember(directory, number, text_at(&map->keys, entry));
        if (known == NULL)
            return false;
        int64_t length = text_is_there(&map->texts, entry) ? (int64_t)text_at(&map->texts, entry).length : 0;
        known->rows += known->last_row != row + 1;
        known->last_row = row + 1;
        known->longest = length > known->longest ? length : known->longest;
        known->most = end - start > known->most ? end - start : known->most;
    }
    return true;
}

static bool tell(const struct directory *directory, struct ArrowArrayStream *made)
{
    enum { WHOLE = 4 };
    static const char *const names[] = {"key", "map", "rows", "longest", "most"};
    const struct words *words = &directory->words;
    struct table table;
    int64_t count = words_count(words) - FIRST_WORD;
    bool well = table_begin(&table, 1 + WHOLE, names, count);
    for (int32_t number = 0; well && number < WHOLE; number++)
        table.columns[1 + number].type = TYPE_WHOLE;
    for (int64_t row = 0; well && row < count; row++) {
        const struct word *word = word_at(words, (uint32_t)row + FIRST_WORD);
        const struct known *known = (const struct known *)(const void *)directory->known.data + row;
        const int64_t told[WHOLE] = {word->above, known->rows, known->longest, known->most};
        struct span key = word->length == 0 ? NOTHING : (struct span){words->heap.data + word->start, word->length};
        size_t start = table.heap.length;
        well = write_bytes(&table.heap, key) &&
               column_set_view(&table.columns[0], row, heap_view(&table.heap, start));
        for (int32_t number = 0; well && number < WHOLE; number++)
            well = column_set_whole(&table.columns[1 + number], row, told[number]);
    }
    well = well && table_hand_over(&table, made);
    table_free(&table);
    return well;
}

/* List the keys of a frame's maps: `key`, `map` (its number, from 0), in how many `rows`, the bytes of its `longest`
 * value, and the entries of the largest map that has it. Give 0, or another number where there was no memory. */
EXPORTED int translate_keys(struct ArrowArrayStream *given, uint64_t seed, struct ArrowArrayStream *made)
{
    struct frame frame;
    struct directory directory;
    bool well = begin_directory(&directory, seed);
    well = frame_take(&frame, given) && well;
    for (int64_t map = 0; well && map < frame.columns; map++)
        for (int64_t row = 0; well && frame.column[map].kind == KIND_MAP && row < frame.rows; row++)
            if (is_there(&frame.column[map], row))
                well = look_at(&directory, &frame.column[map], map, row);
    well = well && tell(&directory, made);
    free_directory(&directory);
    frame_let_go(&frame);
    return well ? 0 : 1;
}

/* -- which rows have some of them --------------------------------------------------------------------------------- */

static bool has_one(const struct directory *directory, const struct given *map, int64_t row)
{
    int64_t number;
    for (int64_t entry = entries_from(map, row); entry < entries_to(map, row); entry++)
        if (is_known(directory, text_at(&map->keys, entry), &number))
            return true;
    return false;
}

static bool mark_rows(const struct directory *directory, const struct frame *frame, struct ArrowArrayStream *made)
{
    static const char *const name = "has";
    struct table table;
    bool well = table_begin(&table, 1, &name, frame->rows);
    if (well)
        table.columns[0].type = TYPE_WHOLE;
    for (int32_t map = 0; well && map < frame->columns; map++)
        for (int64_t row = 0; well && frame->column[map].kind == KIND_MAP && row < frame->rows; row++)
            if (is_there(&frame->column[map], row) && has_one(directory, &frame->column[map], row))
                well = column_set_whole(&table.columns[0], row, 1);
    well = well && table_hand_over(&table, made);
    table_free(&table);
    return well;
}

/* Tell of which rows the maps have one of the keys in `keys_given`. Give 0, or another number where there was no memory. */
EXPORTED int translate_rows_with(struct ArrowArrayStream *given, struct ArrowArrayStream *keys_given, uint64_t seed,
                                 struct ArrowArrayStream *made)
{
    struct frame frame, keys;
    struct directory directory;
    bool well = begin_directory(&directory, seed);
    well = frame_take(&frame, given) && well;
    well = frame_take(&keys, keys_given) && well && keys.rows > 0 && keys.column[0].kind == KIND_TEXT;
    for (int64_t row = 0; well && row < keys.rows; row++)
        well = remember(&directory, 0, text_at(&keys.column[0].texts, row)) != NULL;
    well = well && mark_rows(&directory, &frame, made);
    free_directory(&directory);
    frame_let_go(&keys);
    frame_let_go(&frame);
    return well ? 0 : 1;
}

/* -- which names are told ----------------------------------------------------------------------------------------- */

/* Take a quoted text, with its quotes. */
static bool take_quoted(struct span *rest, struct span *quoted)
{
    size_t end = 1;
    while (end < rest->length && rest->at[end] != '"')
        end += rest->at[end] == '\\' ? 2 : 1;
    if (end >= rest->length || rest->at[0] != '"')
        return false;
    *quoted = (struct span){rest->at, end + 1};
    *rest = (struct span){rest->at + end + 1, rest->length - end - 1};
    return true;
}

static bool take_byte(struct span *rest, uint8_t byte)
{
    if (rest->length == 0 || rest->at[0] != byte)
        return false;
    *rest = (struct span){rest->at + 1, rest->length - 1};
    return true;
}

static bool take_members(struct directory *directory, int64_t kind, struct span *rest)
{
    do {
        struct span member = *rest, quoted;
        if (!take_quoted(rest, &quoted) || !take_byte(rest, ':') || !take_quoted(rest, &quoted))
            return false;
        member.length -= rest->length;
        struct known *known = remember(directory, kind, member);
        if (known == NULL)
            return false;
        known->rows++;
    } while (take_byte(rest, ','));
    return take_byte(rest, '}');
}

/* Pass over what an object holds that is no object of texts. */
static bool pass_over(struct span *rest)
{
    struct span quoted;
    for (int depth = 1; depth > 0;) {
        if (rest->length == 0)
            return false;
        uint8_t byte = rest->at[0];
        if (byte == '"' ? !take_quoted(rest, &quoted) : !take_byte(rest, byte))
            return false;
        depth += (byte == '{') - (byte == '}');
    }
    return true;
}

static bool take_kinds(struct directory *directory, const struct texts_given *kinds, int64_t count, struct span rest)
{
    struct span quoted;
    do {
        int64_t kind = 0;
        if (!take_quoted(&rest, &quoted) || !take_byte(&rest, ':') || !take_byte(&rest, '{'))
            return false;
        while (kind < count && !is_same(text_at(kinds, kind), quoted))
            kind++;
        if (kind < count ? !take_members(directory, kind, &rest) : !pass_over(&rest))
            return false;
    } while (take_byte(&rest, ','));
    return rest.length == 0;
}

/* List what a frame's only column tells: the members, as they are written, of the objects of texts that `kinds_given`
 * names, quoted; in the form of the keys of maps. Give 0, or another number where there was no memory, or something else
 * is told. */
EXPORTED int translate_names_told(struct ArrowArrayStream *given, struct ArrowArrayStream *kinds_given, uint64_t seed,
                                  struct ArrowArrayStream *made)
{
    struct frame frame, kinds;
    struct directory directory;
    bool well = begin_directory(&directory, seed);
    well = frame_take(&frame, given) && well;
    well = frame_take(&kinds, kinds_given) && well;
    well = well && kinds.columns == 1 && kinds.column[0].kind == KIND_TEXT &&
           (frame.rows == 0 || (frame.columns == 1 && frame.column[0].kind == KIND_TEXT));
    for (int64_t row = 0; well && row < frame.rows; row++)
        if (is_there(&frame.column[0], row))
            well = take_kinds(&directory, &kinds.column[0].texts, kinds.rows, text_at(&frame.column[0].texts, row));
    well = well && tell(&directory, made);
    free_directory(&directory);
    frame_let_go(&kinds);
    frame_let_go(&frame);
    return well ? 0 : 1;
}

/* -- other names for some of them ------------------------------------------------------------------------------- */

enum { NAMES = MAPS_MAX, NOTES, ODD, COLUMNS };

struct renaming {
    const struct frame *frame;
    const struct given *names;         /* by number in the directory; none where a row with such a key is for Python */
    struct directory directory;
    const char *const *kinds;          /* what the maps are called, in the order of their names */
    const char *const *notes;          /* how a note on a key of each map that has another name begins */
    const char *const *kept;           /* and how one on a key that keeps its name does, where it is noted */
    bool together;                     /* whether the first map takes the entries of all */
    struct table made;
    struct span taken[FEW];            /* the final keys of a row, map by map */
    size_t n_taken;
    bool any;                          /* whether one of them is another than it was */
};

/* Give the name of a key; false where there is none for it. */
static bool name_of(const struct renaming *renaming, struct span key, struct span *name)
{
    int64_t number;
    *name = key;
    if (!is_known(&renaming->directory, key, &number))
        return true;
    if (!text_is_there(&renaming->names->texts, number))
        return false;
    *name = text_at(&renaming->names->texts, number);
    return true;
}

static bool take_name(struct renaming *renaming, struct span key)
{
    struct span name;
    if (renaming->n_taken == FEW || !name_of(renaming, key, &name))
        return false;
    for (size_t number = 0; number < renaming->n_taken; number++)
        if (is_same(renaming->taken[number], name))
            return false;
    renaming->taken[renaming->n_taken++] = name;
    renaming->any = renaming->any || name.at != key.at;
    return true;
}

/* Tell whether all keys of a row have names, and these differ. */
static bool is_plain(struct renaming *renaming, int64_t row)
{
    renaming->n_taken = 0;
    renaming->any = false;
    for (int64_t map = 0; map < renaming->frame->columns; map++) {
        const struct given *given = &renaming->frame->column[map];
        if (given->kind != KIND_MAP || !is_there(given, row))
            continue;
        for (int64_t entry = entries_from(given, row); entry < entries_to(given, row); entry++)
            if (!text_is_there(&given->texts, entry) || !take_name(renaming, text_at(&given->keys, entry)))
                return false;
    }
    return true;
}

static bool put(struct table *table, struct span text, struct view *view)
{
    size_t start = table->heap.length;
    bool well = write_bytes(&table->heap, text);
    *view = heap_view(&table->heap, well ? start : table->heap.length);
    return well;
}

static bool put_note(struct renaming *renaming, const char *beginning, struct span key, int64_t row)
{
    if (beginning == NULL)
        return true;
    struct column *notes = &renaming->made.columns[NOTES];
    struct buffer *heap = &renaming->made.heap;
    size_t start = heap->length;
    struct span head = {(const uint8_t *)beginning, strlen(beginning)};
    return write_bytes(heap, head) && write_bytes(heap, key) && column_open(notes, row) &&
           column_add(notes, NULL, heap_view(heap, start));
}

/* Open the row of the column that takes a map's entries, and its own, which stays empty where another one takes them. */
static bool open_row(struct renaming *renaming, int64_t map, int64_t row, struct column *taking)
{
    const struct given *given = &renaming->frame->column[map];
    bool takes_any = map == 0 || !renaming->together || entries_to(given, row) > entries_from(given, row);
    return column_open(&renaming->made.columns[map], row) && (!takes_any || column_open(taking, row));
}

/* Put a map's entries under the names that are taken from one number on; as they were where there are no names. */
static bool put_entries(struct renaming *renaming, int64_t map, int64_t row, const struct span *names)
{
    const struct given *given = &renaming->frame->column[map];
    struct column *column = &renaming->made.columns[renaming->together && names != NULL ? 0 : map];
    const char *kept = names == NULL ? NULL : renaming->kept[map];
    bool well = open_row(renaming, map, row, column);
    for (int64_t entry = entries_from(given, row); well && entry < entries_to(given, row); entry++) {
        struct span key = text_at(&given->keys, entry), name = names == NULL ? key : *names++;
        struct span value = text_is_there(&given->texts, entry) ? text_at(&given->texts, entry) : NOTHING;
        struct view key_view, value_view;
        well = put(&renaming->made, name, &key_view) && put(&renaming->made, value, &value_view) &&
               column_add(column, &key_view, value_view) &&
               put_note(renaming, is_same(key, name) ? kept : renaming->notes[map], key, row);
    }
    return well;
}

/* Write the members of a map's object of names and the keys that they had; nothing where none changed. */
static bool write_names(struct renaming *renaming, int64_t map, int64_t row, const struct span *names, size_t begun)
{
    const struct given *given = &renaming->frame->column[map];
    struct buffer *heap = &renaming->made.heap;
    bool well = true, any = false;
    for (int64_t entry = entries_from(given, row); well && entry < entries_to(given, row); entry++, names++) {
        struct span key = text_at(&given->keys, entry);
        if (is_same(key, *names))
            continue;
        struct span kind = {(const uint8_t *)renaming->kinds[map], strlen(renaming->kinds[map])};
        well = any ? write_byte(heap, ',')
                   : (heap->length == begun || write_byte(heap, ',')) && write_quoted(heap, kind) &&
                         write_bytes(heap, (struct span){(const uint8_t *)":{", 2});
        well = well && write_quoted(heap, *names) && write_byte(heap, ':') && write_quoted(heap, key);
        any = true;
    }
    return well && (!any || write_byte(heap, '}'));
}

static bool has_entries(const struct renaming *renaming, int64_t map, int64_t row)
{
    return renaming->frame->column[map].kind == KIND_MAP && is_there(&renaming->frame->column[map], row);
}

static size_t entries_of(const struct renaming *renaming, int64_t map, int64_t row)
{
    const struct given *given = &renaming->frame->column[map];
    return (size_t)(entries_to(given, row) - entries_from(given, row));
}

static bool put_names(struct renaming *renaming, int64_t row)
{
    struct buffer *heap = &renaming->made.heap;
    const struct span *names = renaming->taken;
    size_t start = heap->length;
    bool well = true;
    for (int64_t map = 0; well && map < renaming->frame->columns; map++) {
        if (has_entries(renaming, map, row)) {
            well = write_names(renaming, map, row, names, start);
            names += entries_of(renaming, map, row);
        }
    }
    return well && (heap->length == start ||
                    column_set_view(&renaming->made.columns[NAMES], row, heap_view(heap, start)));
}

static bool rename_row(struct renaming *renaming, int64_t row)
{
    bool plain = is_plain(renaming, row);
    const struct span *names = plain ? renaming->taken : NULL;
    bool well = plain || column_set_whole(&renaming->made.columns[ODD], row, 1);
    well = well && (!plain || !renaming->any || put_names(renaming, row));
    for (int64_t map = 0; well && map < renaming->frame->columns; map++) {
        if (has_entries(renaming, map, row)) {
            well = put_entries(renaming, map, row, names);
            names = names == NULL ? NULL : names + entries_of(renaming, map, row);
        }
    }
    return well;
}

static bool learn(struct renaming *renaming, const struct frame *names)
{
    if (names->rows > 0 && (names->columns != 2 || names->column[0].kind != KIND_TEXT))
        return false;
    renaming->names = &names->column[1];
    bool well = true;
    for (int64_t row = 0; well && row < names->rows; row++)
        well = remember(&renaming->directory, 0, text_at(&names->column[0].texts, row)) != NULL;
    return well && words_count(&renaming->directory.words) == FIRST_WORD + (uint32_t)names->rows;
}

static bool rename_rows(struct renaming *renaming, struct ArrowArrayStream *made)
{
    static const char *const names[COLUMNS] = {"0", "1", "2", "3", "names", "notes", "odd"};
    struct table *table = &renaming->made;
    bool well = table_begin(table, COLUMNS, names, renaming->frame->rows);
    for (int32_t map = 0; well && map < MAPS_MAX; map++)
        table->columns[map].type = TYPE_MAP;
    if (well) {
        table->columns[NOTES].type = TYPE_LIST;
        table->columns[ODD].type = TYPE_WHOLE;
    }
    for (int64_t row = 0; well && row < renaming->frame->rows; row++)
        well = rename_row(renaming, row);
    well = well && table_hand_over(table, made);
    table_free(table);
    return well;
}

/* Give a frame's maps, whose keys lie together in a row, with other names for some keys. `names_given` holds the keys and
 * their names: a row that has one without a name, or two of one name, is `odd` and stays as it is. Beside the maps there
 * are `names`, JSON members that tell the keys by their new names, and `notes` on each that changed, or is `kept` with a
 * note; of other rows the first map has the entries of all if they lie `together`. Give 0, or another number where there
 * was no memory. */
EXPORTED int translate_renamed(struct ArrowArrayStream *given, struct ArrowArrayStream *names_given, uint64_t seed,
                               const char *const *kinds, const char *const *notes, const char *const *kept,
                               int32_t together, struct ArrowArrayStream *made)
{
    struct frame frame, names;
    struct renaming renaming = {.frame = &frame, .kinds = kinds, .notes = notes, .kept = kept,
                                .together = together != 0};
    bool well = begin_directory(&renaming.directory, seed);
    well = frame_take(&frame, given) && well;
    well = frame_take(&names, names_given) && well;
    well = well && frame.columns <= MAPS_MAX && learn(&renaming, &names) && rename_rows(&renaming, made);
    free_directory(&renaming.directory);
    frame_let_go(&names);
    frame_let_go(&frame);
    return well ? 0 : 1;
}

/* -- some rows in the place of others ---------------------------------------------------------------------------- */

static bool copy_entries(struct table *table, const struct given *map, int64_t from, int64_t row)
{
    struct column *column = table->columns;
    if (!is_there(map, from))
        return true;
    bool well = column_open(column, row);
    for (int64_t entry = entries_from(map, from); well && entry < entries_to(map, from); entry++) {
        struct view key, value;
        bool has_value = text_is_there(&map->texts, entry);
        well = has_value && put(table, text_at(&map->keys, entry), &key) &&
               put(table, text_at(&map->texts, entry), &value) && column_add(column, &key, value);
    }
    return well;
}

static bool replace_rows(const struct frame *frame, const struct frame *others, struct ArrowArrayStream *made)
{
    static const char *const name = "map";
    struct table table;
    bool well = table_begin(&table, 1, &name, frame->rows);
    int64_t other = 0;
    if (well)
        table.columns[0].type = TYPE_MAP;
    for (int64_t row = 0; well && row < frame->rows; row++) {
        bool is_chosen = flag_at(&frame->column[0], row);
        well = (!is_chosen || other < others->rows) &&
               copy_entries(&table, is_chosen ? others->column : &frame->column[1], is_chosen ? other : row, row);
        other += is_chosen;
    }
    well = well && table_hand_over(&table, made);
    table_free(&table);
    return well;
}

/* Put the maps of another frame, one by one, into the rows of a map where a frame's first column holds. Give 0, or
 * another number where there was no memory, or a value is absent. */
EXPORTED int translate_replaced(struct ArrowArrayStream *given, struct ArrowArrayStream *others_given,
                                struct ArrowArrayStream *made)
{
    struct frame frame, others;
    bool well = frame_take(&frame, given);
    well = frame_take(&others, others_given) && well;
    well = well && frame.rows > 0 && frame.columns == 2 && frame.column[0].kind == KIND_FLAG &&
           frame.column[1].kind == KIND_MAP && others.columns == 1 && others.column[0].kind == KIND_MAP &&
           replace_rows(&frame, &others, made);
    frame_let_go(&others);
    frame_let_go(&frame);
    return well ? 0 : 1;
}
