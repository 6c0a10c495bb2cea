/* Ids of events that have none of their own: the name-based UUID of their content in its canonical form. */
#include "exported.h"
#include "sha.h"
#include "columns.h"
#include "spelling.h"

#include <stdlib.h>

#define NAMESPACE_LENGTH 16
#define UUID_LENGTH 36
#define SEPARATOR 0x1f
#define ABSENT 0
#define FEW 24 /* so many keys are sorted by putting each in its place */

/* An entry of a map, by the first bytes of its key. */
struct entry {
    uint64_t head;
    int64_t number;
};

struct entries {
    struct entry *entry;
    struct entry *other; /* as many again, to merge into */
    size_t room;
};

/* What is asked for: event ids stand in the first column; of the content's columns -1 are absent in all events. */
struct task {
    const struct frame *frame;
    const int32_t *content;
    int32_t always; /* so many are there always, an absent value as U+0000 */
    int32_t later;  /* and then so many only where they have a value */
    const uint8_t *namespace;
    sha1_blocks *take;
    struct buffer bytes;
    struct entries entries;
};

static uint64_t head_of(struct span key)
{
    uint8_t bytes[8] = {0};
    uint64_t head = 0;
    copy(bytes, key.at, key.length < 8 ? key.length : 8);
    for (int number = 0; number < 8; number++)
        head = head << 8 | bytes[number];
    return head;
}

static bool comes_before(const struct texts_given *keys, struct entry one, struct entry other)
{
    if (one.head != other.head)
        return one.head < other.head;
    struct span key = text_at(keys, one.number), than = text_at(keys, other.number);
    int order = memcmp(key.at, than.at, key.length < than.length ? key.length : than.length);
    return order < 0 || (order == 0 && key.length < than.length);
}

static void sort_few(const struct texts_given *keys, struct entry *entry, size_t count)
{
    for (size_t number = 1; number < count; number++) {
        struct entry moved = entry[number];
        size_t place = number;
        for (; place > 0 && comes_before(keys, moved, entry[place - 1]); place--)
            entry[place] = entry[place - 1];
        entry[place] = moved;
    }
}

/* Sort so that equal keys keep their order. */
static void sort(const struct texts_given *keys, struct entry *entry, struct entry *other, size_t count)
{
    size_t half = count / 2;
    if (count <= FEW) {
        sort_few(keys, entry, count);
        return;
    }
    sort(keys, entry, other, half);
    sort(keys, entry + half, other, count - half);
    memcpy(other, entry, half * sizeof *entry);
    for (size_t left = 0, right = half, place = 0; left < half; place++) {
        bool from_right = right < count && comes_before(keys, entry[right], other[left]);
        entry[place] = from_right ? entry[right++] : other[left++];
    }
}

static bool entries_need(struct entries *entries, size_t count)
{
    if (count <= entries->room)
        return true;
    struct entry *entry = realloc(entries->entry, count * sizeof *entry);
    if (entry != NULL)
        entries->entry = entry;
    struct entry *other = realloc(entries->other, count * sizeof *other);
    if (other != NULL)
        entries->other = other;
    if (entry == NULL || other == NULL)
        return false;
    entries->room = count;
    return true;
}

static bool write_text(struct buffer *bytes, const struct texts_given *texts, int64_t row)
{
    static const uint8_t null[] = "null";
    return text_is_there(texts, row) ? write_quoted(bytes, text_at(texts, row))
                                     : write_bytes(bytes, (struct span){null, 4});
}

/* Write a map as `{"m":{"a":"x"}}`, sorted by the bytes of its keys; of equal keys the last one counts. */
static bool write_map(struct task *task, const struct given *map, int64_t row)
{
    static const uint8_t opening[] = "{\"m\":{", closing[] = "}}";
    int64_t from = entries_from(map, row);
    size_t count = (size_t)(entries_to(map, row) - from);
    if (!entries_need(&task->entries, count) || !write_bytes(&task->bytes, (struct span){opening, 6}))
        return false;
    struct entry *entry = task->entries.entry;
    for (size_t number = 0; number < count; number++) {
        int64_t at = from + (int64_t)number;
        entry[number] = (struct entry){head_of(text_at(&map->keys, at)), at};
    }
    sort(&map->keys, entry, task->entries.other, count);
    bool first = true;
    for (size_t number = 0; number < count; number++) {
        if (number + 1 < count && !comes_before(&map->keys, entry[number], entry[number + 1]))
            continue;
        if ((!first && !write_byte(&task->bytes, ',')) ||
            !write_quoted(&task->bytes, text_at(&map->keys, entry[number].number)) ||
            !write_byte(&task->bytes, ':') || !write_text(&task->bytes, &map->texts, entry[number].number))
            return false;
        first = false;
    }
    return write_bytes(&task->bytes, (struct span){closing, 2});
}

static bool write_value(struct task *task, const struct given *column, int64_t row)
{
    if (column->kind == KIND_MAP)
        return write_map(task, column, row);
    if (column->kind == KIND_TEXT)
        return write_bytes(&task->bytes, text_of_row(column, row));
    return write_whole(&task->bytes, whole_at(column, row));
}

static bool write_content(struct task *task, int64_t row)
{
    task->bytes.length = 0;
    if (!write_bytes(&task->bytes, (struct span){task->namespace, NAMESPACE_LENGTH}))
        return false;
    for (int32_t number = 0; number < task->always + task->later; number++) {
        int32_t place = task->content[number];
        const struct given *column = place < 0 ? NULL : &task->frame->column[place];
        bool absent = column == NULL || !is_there(column, row);
        if (absent && number >= task->always)
            continue;
        if (number > 0 && !write_byte(&task->bytes, SEPARATOR))
            return false;
        if (absent ? !write_byte(&task->bytes, ABSENT) : !write_value(task, column, row))
            return false;
    }
    return true;
}

static void spell_uuid(uint8_t digest[SHA1_LENGTH], uint8_t text[UUID_LENGTH])
{
    static const char hexadecimal[] = "0123456789abcdef";
    digest[6] = (digest[6] & 0x0f) | 0x50; /* version 5, by name */
    digest[8] = (digest[8] & 0x3f) | 0x80;
    for (size_t number = 0; number < 16; number++) {
        if (number == 4 || number == 6 || number == 8 || number == 10)
            *text++ = '-';
        *text++ = (uint8_t)hexadecimal[digest[number] >> 4];
        *text++ = (uint8_t)hexadecimal[digest[number] & 15];
    }
}

static bool write_id(struct task *task, struct table *made, int64_t row)
{
    const struct texts_given *own = &task->frame->column[0].texts;
    struct buffer *heap = &made->heap;
    size_t start = heap->length;
    if (text_is_there(own, row)) {
        if (!write_bytes(heap, text_at(own, row)))
            return false;
    } else {
        uint8_t digest[SHA1_LENGTH];
        if (!write_content(task, row) || !buffer_need(heap, UUID_LENGTH))
            return false;
        sha1(task->take, task->bytes.data, task->bytes.length, digest);
        spell_uuid(digest, heap->data + heap->length);
        heap->length += UUID_LENGTH;
    }
    return column_set_view(made->columns, row, heap_view(heap, start));
}

static bool is_readable(const struct task *task)
{
    for (int32_t number = 0; number < task->always + task->later; number++) {
        int32_t place = task->content[number];
        if (place >= task->frame->columns)
            return false;
        if (place >= 0 && task->frame->column[place].kind != KIND_TEXT &&
            task->frame->column[place].kind != KIND_WHOLE && task->frame->column[place].kind != KIND_MAP)
            return false;
    }
    return task->frame->columns > 0 && task->frame->column[0].kind == KIND_TEXT;
}

/* Have the maps of a row brought near. */
static void fetch_maps(const struct frame *frame, int64_t row)
{
    for (int64_t number = 0; row < frame->rows && number < frame->columns; number++) {
        const struct given *column = &frame->column[number];
        int64_t end = column->kind == KIND_MAP ? entries_to(column, row) : 0;
        for (int64_t at = end > 0 ? entries_from(column, row) : 0; at < end; at++) {
            fetch_text(&column->keys, at);
            fetch_text(&column->texts, at);
        }
    }
}

static bool make_ids(struct task *task, struct ArrowArrayStream *made)
{
    static const char *const name = "event_id";
    struct table table;
    bool well = table_begin(&table, 1, &name, task->frame->rows) && (task->frame->rows == 0 || is_readable(task));
    for (int64_t row = 0; well && row < task->frame->rows; row++) {
        fetch_maps(task->frame, row + ROWS_AHEAD);
        well = write_id(task, &table, row);
    }
    well = well && table_hand_over(&table, made);
    table_free(&table);
    return well;
}

/* Fill in the ids of the first column where there are none. Give 0, or another number where there was no memory, or a
 * column that cannot be read. `instructions` off is for tests. */
EXPORTED int translate_event_ids(struct ArrowArrayStream *given, const int32_t *content, int32_t always, int32_t later,
                                 const uint8_t *namespace, int instructions, struct ArrowArrayStream *made)
{
    struct frame frame;
    struct task task = {
        .frame = &frame,
        .content = content,
        .always = always,
        .later = later,
        .namespace = namespace,
        .take = instructions ? sha1_best() : sha1_plain,
    };
    bool well = frame_take(&frame, given) && make_ids(&task, made);
    frame_let_go(&frame);
    buffer_free(&task.bytes);
    free(task.entries.entry);
    free(task.entries.other);
    return well ? 0 : 1;
}
