/* What became of the keys of records, counted: which members stand in a text, and what of the row beside it speaks for them. */
#ifndef TRANSLATE_TALLY_H
#define TRANSLATE_TALLY_H

#include "memory.h"
#include "words.h"

/* What lies below a place. */
enum below {
    BELOW_TREE,       /* an object of known members */
    BELOW_NOTHING,    /* a value that counts as one key, whatever is in it */
    BELOW_KEYS,       /* an object with a key for each value */
    BELOW_PROPERTIES, /* such an object, each value by itself or as the `value` of an object */
    BELOW_ENTITIES,   /* a list of objects, each of a key and a value */
    BELOW_JSON        /* a text that holds the JSON of an object with a key for each value */
};

enum sort { SORT_TEXT, SORT_EMPTY, SORT_NUMBER, SORT_FLAG, SORT_NULL, SORT_OBJECT, SORT_LIST, SORTS };

enum { EVENT_TYPES = 1, CONTEXTS = 2, PATHS = 3, WAYS = 4 }; /* above what texts of one sort begin */

enum { ROOT = 0, UNKNOWN = -1, WATCHED_MAX = 8, NAMES_MAX = 4, REMARKS_MAX = 6 };

/* A place that is known. Its children are its members, those of a map the ones with places of their own. */
struct place {
    const char *name;
    int32_t name_length;
    int32_t first_child;
    int32_t n_children;
    int32_t below;
    int32_t name_rank;            /* where the event's type stands: which of its places it is, from 1; 0: it is none */
    int32_t is_for_python;        /* an event that has it is looked at one by one */
    int32_t silent;               /* bit by bit, the sorts of its values that nothing has to speak for */
    int32_t homes[SORTS];         /* the columns of maps that hold its members, by what these are; -1: none does */
    int32_t watched[WATCHED_MAX]; /* the columns that may hold its value; -1: no more of them */
};

struct name {
    const uint8_t *text;
    size_t length;
};

/* A key of a record. Numbers tell its path; `place` is the one that it has, or the map's that it lies in. */
struct key {
    uint32_t path;
    int32_t place;
    int32_t preset; /* of a member of a map: the place of its own; -1: none */
    bool is_member;
    uint8_t sort;
    uint8_t known;  /* how many segments of the path are known */
    uint8_t depth;
    const uint8_t *name;
    size_t name_length;
};

/* The keys of one record, found in its text. */
struct census {
    const struct place *places;
    uint32_t *paths; /* by place: the number of its path */
    struct words *words;
    struct buffer keys;
    struct buffer heap;   /* texts without escapes; it does not move while a record is looked at */
    struct buffer names;  /* of the members of objects that are looked at, by what they hash to */
    const uint8_t *type[NAMES_MAX];
    size_t type_length[NAMES_MAX];
};

/* Tell whether a JSON text holds a member below others. */
bool census_holds(const uint8_t *text, size_t length, const struct name *members, int count);
/* Find the keys of a record; false if it is not as most are, and for Python to look at. */
bool census_take(struct census *census, const uint8_t *text, size_t length);

#endif
