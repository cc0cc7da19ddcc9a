/* What the parts of the module share. No part but module.c knows Python, so that each can be read, and sanitized, alone.
 *
 * Every function that reads from a file's bytes takes them as a View and checks before it reads. A Fault is NULL when
 * all is well, else a text that names what is wrong; it never quotes what was read.
 */
#ifndef LETHE_NATIVE_H
#define LETHE_NATIVE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef const char *Fault;

extern const char NO_MEMORY[];
extern const char VALUES_SHORT[];

/* No contradiction, but nothing that is cut: DuckDB also writes values that lie below a null struct, and readers take
 * only the first ones. */
extern const char MORE_VALUES[];
/* Of a header whose fields do not ascend, nobody knows which of two alike counts. */
extern const char UNORDERED[];

typedef struct {
    const uint8_t *data;
    size_t size;
} View;

/* Bytes that grow. Freed by whoever made them. What is lent stands in somebody else's memory as long as it fits there. */
typedef struct {
    uint8_t *data;
    size_t size;
    size_t room;
    int lent;
} Bytes;

Fault bytes_reserve(Bytes *to, size_t more);
Fault bytes_append(Bytes *to, const void *from, size_t size);
void bytes_free(Bytes *of);

/* Reads that are told where the end is. */
Fault take_varint(View *from, uint64_t *number);
Fault take_zigzag(View *from, int64_t *number);
Fault put_varint(Bytes *to, uint64_t number);
Fault put_zigzag(Bytes *to, int64_t number);
static inline uint32_t load_u32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline uint64_t load_u64(const uint8_t *from)
{
    return (uint64_t)load_u32(from) | (uint64_t)load_u32(from + 4) << 32;
}

static inline void store_u32(uint8_t *to, uint32_t number)
{
    to[0] = (uint8_t)number;
    to[1] = (uint8_t)(number >> 8);
    to[2] = (uint8_t)(number >> 16);
    to[3] = (uint8_t)(number >> 24);
}

static inline void store_u64(uint8_t *to, uint64_t number)
{
    store_u32(to, (uint32_t)number);
    store_u32(to + 4, (uint32_t)(number >> 32));
}

/* Up to 64 bits. The caller has checked that they are there; what lies behind the end reads as zeros. */
static inline uint64_t load_bits(View from, size_t bit, int width)
{
    size_t byte = bit >> 3;
    int shift = (int)(bit & 7);
    uint64_t low = 0, high = 0;
    if (width == 0)
        return 0;
    if (byte + 9 <= from.size) {
        low = load_u64(from.data + byte);
        high = from.data[byte + 8];
    } else {
        uint8_t window[9] = {0};
        if (byte < from.size)
            memcpy(window, from.data + byte, from.size - byte < 9 ? from.size - byte : 9);
        low = load_u64(window);
        high = window[8];
    }
    uint64_t value = low >> shift;
    if (shift != 0)
        value |= high << (64 - shift);
    return width == 64 ? value : value & ((UINT64_C(1) << width) - 1);
}

/* Marks are bytes, 0 or 1. The first of those from `from` on that is followed by a mark within seven more, or the count. */
static inline size_t marks_skip(const uint8_t *marks, size_t from, size_t count)
{
    while (count - from >= 8 && load_u64(marks + from) == 0)
        from += 8;
    return from;
}

/* hybrid.c: runs and bit-packed groups. */
/* `more`, where it is given, becomes 1 where others stand behind these, beyond the padding of a group. */
Fault hybrid_decode(View from, int width, size_t count, uint32_t *numbers, int *more);
Fault hybrid_decode_levels(View from, int width, size_t count, uint8_t *levels, int *uniform);
/* Whether the first run says of all values that they are this number. */
int hybrid_is_all(View from, int width, size_t count, uint32_t number);
Fault hybrid_encode(Bytes *to, int width, size_t count, const uint32_t *numbers);
Fault hybrid_encode_levels(Bytes *to, int width, size_t count, const uint8_t *levels);
/* One run, or nothing where it has no values. */
Fault hybrid_encode_run(Bytes *to, int width, size_t count, uint32_t number);

/* values.c: the values of a page, by encoding. */
typedef enum { PLAIN = 0, RLE = 3, DELTA_PACKED = 5, DELTA_LENGTHS = 6, DELTA_STRINGS = 7, DICTIONARY = 8, SPLIT = 9 } Encoding;
typedef enum { BITS = 0, FIXED = 1, STRINGS = 2 } Shape;

typedef struct {
    Encoding encoding;
    Shape shape;
    size_t width; /* bytes of a FIXED value */
} Kind;

typedef enum { NO_ORDER = -1, SIGNED = 0, UNSIGNED = 1, FLOATING = 2, BYTEWISE = 3, BIG_ENDIAN = 4 } Order;

/* The least and the greatest of some values; not known where they have no order. */
typedef struct {
    Order order;
    int known;
    Bytes low, high;
} Bounds;

/* Into `kept` go the values without a mark, `left` of them, into `gone` the others, both plainly. */
Fault values_cut(Kind kind, View from, const uint8_t *marks, size_t count, Bytes *kept, size_t *left, Bytes *gone);
/* Whether values in an encoding are what plain ones are. */
int is_plain(Kind kind);
/* Plain values in another encoding. */
Fault values_encode(Kind kind, View plain, size_t count, Bytes *to);
/* The values, plainly. */
Fault values_plain(Kind kind, View from, size_t count, Bytes *plain);
/* The marked values of plain ones. */
Fault plain_select(Kind kind, View from, const uint8_t *marks, size_t count, Bytes *selected);
/* Plain values with the marked ones blank. */
Fault plain_scrub(Kind kind, View from, const uint8_t *marks, size_t count, Bytes *scrubbed);
/* Where each string stands, as 32-bit numbers. */
Fault plain_starts(View from, size_t count, Bytes *starts);
/* The next one of plain strings. */
static inline Fault take_string(View *from, View *value)
{
    if (from->size < 4)
        return VALUES_SHORT;
    uint32_t size = load_u32(from->data);
    if (size > from->size - 4)
        return VALUES_SHORT;
    value->data = from->data + 4;
    value->size = size;
    from->data += 4 + (size_t)size;
    from->size -= 4 + (size_t)size;
    return NULL;
}

/* One step through plain values: the bytes of the next one. */
static inline Fault plain_next(Kind kind, View *from, View *value)
{
    if (kind.shape == STRINGS)
        return take_string(from, value);
    size_t width = kind.shape == BITS ? 1 : kind.width;
    if (width > from->size)
        return VALUES_SHORT;
    value->data = from->data;
    value->size = width;
    from->data += width;
    from->size -= width;
    return NULL;
}

/* delta.c */
Fault delta_decode(View *from, size_t count, int64_t *numbers);
Fault delta_encode(Bytes *to, size_t count, const int64_t *numbers, int bits);

/* order.c: bounds of plain values. */
Fault plain_bounds(Kind kind, Order order, View from, size_t count, View *low, View *high);
/* The same, to keep. */
Fault bounds_find(Kind kind, View plain, size_t count, Bounds *bounds);
void bounds_free(Bounds *of);

/* lz4.c: the size that a block has when decompressed; its decoder does not tell. */
Fault lz4_size(View from, uint64_t *size);

/* bloom.c: split-block filters. */
Fault bloom_add(Kind kind, View from, size_t count, uint8_t *filter, size_t size);
/* Whether the filter may hold one of the values. */
Fault bloom_any(Kind kind, View from, size_t count, View filter, int *any);
uint64_t xxh64(View of);

/* sieve.c: values that are looked for, among many. */
typedef struct {
    uint32_t number; /* of a value */
    uint32_t start;  /* where it begins among the others */
} Passed;

Fault sieve_add(Kind kind, View from, size_t count, uint8_t *sieve, size_t size);
/* The plain values that the sieve lets through: those that were added, and few others. There is room for all.
 * With `folded`, those that were added in small letters, in whatever case, and all that are not ASCII: which of these
 * are alike without regard to case, is not known here. */
Fault sieve_pass(Kind kind, View from, size_t count, View sieve, int folded, Passed *passed, size_t *number);

#endif
