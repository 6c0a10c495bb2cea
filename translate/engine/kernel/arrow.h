/* The Arrow C data interface and C stream interface: the structures that polars hands over and takes back.
 * Their layout is an ABI: https://arrow.apache.org/docs/format/CDataInterface.html */
#ifndef TRANSLATE_ARROW_H
#define TRANSLATE_ARROW_H

#include <stdint.h>

#define ARROW_FLAG_NULLABLE 2
#define VIEW_INSIDE 12

/* A text in an array of string views: up to twelve bytes lie in the view, more of them in one of the buffers. */
struct view {
    int32_t length;
    union {
        uint8_t inside[VIEW_INSIDE];
        struct {
            uint8_t prefix[4];
            int32_t buffer;
            int32_t offset;
        } outside;
    } text;
};

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif
