/* Reads records into a table, by a program. */
#ifndef TRANSLATE_READ_H
#define TRANSLATE_READ_H

#include "columns.h"
#include "json.h"
#include "program.h"
#include "words.h"

enum { LATE_MAX = 32, DEPTH_MAX = 10, OPENED_MAX = 4, LEVELS_MAX = 8, NULL_PATHS_MAX = 64, KNOWN_AROUND = 2 };

/* A member that waits until the plain values of its record are known. */
struct late {
    const struct leaf *leaf;
    struct value value;
    struct value key;
};

/* A value that is not of its map's type and looks for another home. */
struct stray {
    const struct leaf *leaf;
    struct view key;
    struct value value;
};

/* An object on the way down to a request's events: its other members, and how deep it lies. */
struct level {
    size_t first_member;
    size_t n_members;
    int32_t node;
    int depth;
};

struct member {
    struct value key;
    struct value value;
};

/* A value that a column has for all events of a request. */
struct cell {
    int32_t column;
    struct view value; /* of a number its bytes */
};

/* The keys of one object: views, and beyond a few of them words. */
struct keys {
    struct buffer views;
    struct words words;
};

/* The keys of a map column that one record has put there. */
struct index {
    int64_t record;
    struct keys keys;
};

/* What Python says of a text that is left to it: for each record a JSON list of the numbers of columns, each with its value. */
struct said {
    const uint8_t *bytes;
    int64_t length;
};

/* Python, which reads a text that lies in a line, or the whole line if its length is -1; zero if that failed. */
typedef int left_reader(int64_t line, const uint8_t *text, int64_t length, struct said *said);

struct reader {
    const struct program *program;
    left_reader *read_left;
    struct table table;
    int64_t row;
    int64_t nulls;
    int64_t records;          /* how many were begun, those that were given up among them */
    struct index *indexes;    /* by column */
    uint32_t visits;
    uint32_t *seen;           /* by child: the visit of an object that last saw it */
    struct value path[DEPTH_MAX];
    int depth;
    bool is_around;           /* whether members lie around the events */
    struct value way[DEPTH_MAX];   /* the path down to the events, `*` for any name */
    struct value names[DEPTH_MAX]; /* the names that stood there */
    struct level levels[LEVELS_MAX];
    int n_levels;
    struct buffer members;    /* of all levels */
    bool hopes;               /* that what leads to events comes last in a request: one pass is enough then */
    int n_alike;              /* how many events had the same around them; -1: it is more than plain values */
    struct buffer around;     /* of `n_alike` events, once these are KNOWN_AROUND: cells */
    int64_t nulls_around;
    struct buffer opened[OPENED_MAX]; /* texts that held JSON */
    int n_opened;
    struct late late[LATE_MAX];
    int n_late;
    struct buffer strays;
    struct buffer null_paths; /* of unknown members that were null */
    struct buffer scratch;
    struct buffer inner;      /* what a text says that holds JSON */
};

enum taken { TAKEN, FREE, UNDECIDED };

static inline const uint8_t *text_at(const struct program *program, struct span span)
{
    return (const uint8_t *)program->texts + span.start;
}

/* Put a text into a column of the row that is being read. */
bool put_text(struct reader *reader, int32_t column, const struct value *text);
bool put_bytes(struct reader *reader, int32_t column, const uint8_t *bytes, size_t length);
bool put_canonical(struct reader *reader, int32_t column, const struct value *value);
/* Note a loss: a note's text, with a key in it if there is one. */
bool put_note(struct reader *reader, struct span beginning, const struct view *key);
bool is_set(const struct reader *reader, int32_t column);

/* scalars.c: single values, strictly as their place wants them; false: for Python to decide. */
bool take_scalar(struct reader *reader, const struct leaf *leaf, const struct value *value);
/* The same for a member of a map: FREE if it is no such value, and stays a member. */
enum taken take_preset(struct reader *reader, const struct leaf *leaf, const struct value *value);
/* Read a time in milliseconds; false if it is not in a usual form or in no year that a calendar has. */
bool read_instant(const struct leaf *leaf, const struct value *value, int64_t *milliseconds);

/* containers.c: maps and lists of free-form values. */
bool take_container(struct reader *reader, const struct leaf *leaf, const struct value *value);
bool take_strays(struct reader *reader);
/* Tell whether a map of the row has an entry of that name. */
bool has_key(struct reader *reader, int32_t column, const struct view *key);
bool add_canonical(struct reader *reader, int32_t column, const struct view *key, const struct value *value);
void forget_keys(struct keys *keys);

/* tree.c */
int32_t find_child(const struct program *program, int32_t node, const uint8_t *key, size_t length);
bool read_record(struct reader *reader, struct cursor *cursor);
/* Begin the row of an event. */
void begin_row(struct reader *reader);
/* Read an event into the row. */
bool read_event(struct reader *reader, struct cursor *cursor);
/* Read a member of an object into the row; `visit` tells one object from the next. */
bool take_member_of(struct reader *reader, int32_t node, const struct member *member, uint32_t visit);
bool take_late(struct reader *reader);

/* requests.c: a record that holds many events, each a row. */
typedef bool row_finisher(struct reader *, const struct value *event, void *told);
bool read_request(struct reader *reader, struct cursor *cursor, row_finisher *finish, void *told);

/* said.c: take the next of the rows that Python says into the row that comes; false at their end, and before what is none. */
bool take_said(struct reader *reader, struct cursor *rows);

/* faults.c: judge what comes next in a line, where no record could be read, and pass over what is refused; `place` is where
 * it is no JSON. FAULT_UNDECIDED: Python has to look at what is passed over, a record or the rest of the line. */
enum fault judge(const struct program *program, struct cursor line, struct cursor *cursor, const uint8_t **place);

#endif
