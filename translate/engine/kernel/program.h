/* What a layout is, as flat tables: a tree of members, and what becomes of each. Python fills them from a mapping. */
#ifndef TRANSLATE_PROGRAM_H
#define TRANSLATE_PROGRAM_H

#include <stdint.h>

/* Bytes in the program's texts. */
struct span {
    int32_t start;
    int32_t length;
};

/* A member of an object that is known: an object again, or a leaf; the other one is -1. */
struct child {
    struct span key;
    int32_t node;
    int32_t leaf;
};

struct node {
    int32_t first_child;
    int32_t n_children;
};

enum way {
    WAY_TEXT,         /* a text; a number as its digits, and told */
    WAY_WHOLE,        /* a whole number of 64 bits */
    WAY_NUMBER,       /* a number that a double holds */
    WAY_JSON,         /* any value, as JSON text */
    WAY_TIME,         /* a time in the unit of its place */
    WAY_CONSTANT,     /* always the same; anything else is unknown */
    WAY_STAMP,        /* made anew by who writes; passed over, and told */
    WAY_MAP,          /* an object, its values as JSON text */
    WAY_TEXT_MAP,     /* an object of texts */
    WAY_NUMBER_MAP,   /* an object of numbers */
    WAY_MIXED_MAP,    /* an object of values of any type */
    WAY_ENTITIES,     /* a list of key and value */
    WAY_PROPERTIES,   /* an object of values of any type, or its JSON text */
    WAY_USER,         /* an object of values, each with the time when it was set */
    WAY_UNDECIDED     /* for Python to read */
};

enum unit { UNIT_NONE, UNIT_MILLISECONDS, UNIT_SECONDS, UNIT_SECONDS_OR_ISO8601, UNIT_ISO8601, UNIT_MILLISECONDS_TEXT, UNIT_SECONDS_OR_MILLISECONDS };

enum leaf_flags {
    LEAF_REQUIRED = 1,  /* whoever judges times later wants even those that no calendar has */
    LEAF_OTHER = 2,     /* another place of a value: taken only if the value is not there */
    LEAF_LIST = 4,      /* JSON text of a list */
    LEAF_WHOLE_TEXT = 8,  /* a text that spells a whole number of 64 bits */
    LEAF_NUMBER_TEXT = 16, /* a number that may stand there as a text */
    LEAF_LONG_SESSION = 32 /* the full id of a session, of which the short one is the hash */
};

struct leaf {
    int32_t way;
    int32_t unit;
    int32_t flags;
    int32_t column;        /* where its value goes; of a map its own column */
    int32_t presets;       /* the node of the members that have places of their own; -1: none */
    struct span constant;  /* as canonical JSON */
    struct span retyped;   /* the note that it stands there in another form: a number in a text's place, a time without a zone */
    struct span floored;   /* the note that a time was finer than milliseconds */
    struct span strayed;   /* the beginning of the note that a member is of another type: its key follows */
    struct span rounded;   /* the beginning of the note that a member was rounded to a double */
    struct span member;    /* of a user: the member that is the user's id */
    struct span beyond;    /* the note that a stamp is passed over */
    int32_t first_name;    /* the events that it is a place of its own for, by name; of all: none */
    int32_t n_names;
};

/* A value that may hide in what is carried whole: if its column is empty and the map has this key, Python looks. */
struct peek {
    int32_t column;
    int32_t map;
    struct span key;
};

struct column_name {
    int32_t name; /* where it begins in the texts; it ends with a zero */
    int32_t type;
};

/* A step on the way down to the events of a request: a member's name, or any name, which then goes into a column. */
struct step {
    struct span name;
    int32_t is_any;
    int32_t column; /* -1: the name says nothing */
};

/* What a request says of all its events, where one of them may say otherwise. */
struct overruled {
    int32_t outer;
    int32_t inner;
    struct span note;
};

/* What can be wrong with a text that should be a record, as far as Python need not look; what is no JSON is told with its place. */
enum fault {
    FAULT_NONE, FAULT_UNDECIDED, FAULT_CUT, FAULT_LIST, FAULT_PLAIN,
    FAULT_VALUE, FAULT_NAME, FAULT_COLON, FAULT_COMMA, FAULT_ESCAPE, FAULT_UNICODE, FAULT_CONTROL
};

/* What is said of a fault. */
struct reason {
    struct span code;
    struct span message;
};

/* The columns that every layout has, and those of free-form values. */
enum fixed {
    COLUMN_LINE, COLUMN_PART, COLUMN_NULLS, COLUMN_ODD, COLUMN_TEXT, COLUMN_NOTES, COLUMN_CODE, COLUMN_MESSAGE,
    COLUMN_ORIGINAL_NAME, N_FIXED
};

struct program {
    const char *texts;
    const struct node *nodes;
    const struct child *children;
    const struct leaf *leaves;
    const struct span *names;
    const struct peek *peeks;
    const struct column_name *columns;
    int32_t n_children;
    int32_t n_columns;
    int32_t n_peeks;
    int32_t event;             /* the node of an event */
    int32_t name_column;       /* the event's name; -1: none */
    int32_t time_column;
    int32_t session_column;    /* a session that an empty text stands for none of; -1: no such place */
    int32_t attributes;        /* columns of the maps */
    int32_t metrics;
    int32_t other;
    int32_t extra;
    int32_t user_properties;
    int32_t user_times;
    int32_t request;           /* the node of what lies around the events; -1: a record is an event */
    int32_t n_steps;
    int32_t n_overruled;
    int32_t n_undecided;
    int32_t n_opened;
    int32_t takes_list;        /* a bare list of events is a request, too */
    int32_t n_named;
    const struct step *steps;
    const struct overruled *overruled;
    const struct span *undecided; /* members of a request that are for Python to judge */
    const struct span *opened;    /* members that may be texts that hold JSON */
    const struct span *named;     /* members that name values; anything but an object is for Python to take apart */
    const struct reason *reasons; /* by fault, from FAULT_CUT on */
    struct span emptied;       /* the note that an empty session stands for none */
    struct span note_end;      /* what follows the key in a note that names one */
    int64_t record_bytes;      /* the largest size of a record */
};

#endif
