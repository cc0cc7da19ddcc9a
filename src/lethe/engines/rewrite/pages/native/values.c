/* The values of a page: cut by marks, made plain, selected, blanked. */
#include "native.h"

#include <stdlib.h>

/* Prefixes repeat bytes without storing them: what a small page unfolds to needs a bound. */
static const size_t PLAIN_MAX = (size_t)1 << 30;

const char VALUES_SHORT[] = "the values of a page lead out of it";

static size_t unmarked_in(const uint8_t *marks, size_t count)
{
    size_t marked = 0;
    for (size_t i = 0; i < count; i++)
        marked += marks[i];
    return count - marked;
}

static inline void move_value(uint8_t *to, const uint8_t *from, size_t width)
{
    if (width >= 8 && width <= 16) {
        /* In two halves that overlap. */
        memcpy(to, from, 8);
        memcpy(to + width - 8, from + width - 8, 8);
    } else
        memcpy(to, from, width);
}

/* Values of one width, sorted by their marks: one run for all up to the next mark, then one by one, each to both places,
 * so that there is no branch that cannot be foreseen. Behind both is room for one value more. Made for each usual width,
 * so that a value is moved without a call. */
static inline void sort_fixed(const uint8_t *from, size_t width, const uint8_t *marks, size_t count, uint8_t *kept, uint8_t *gone)
{
    for (size_t i = 0; i < count;) {
        size_t marked = marks_skip(marks, i, count);
        if (marked != i)
            memcpy(kept, from + i * width, (marked - i) * width);
        kept += (marked - i) * width;
        size_t end = count - marked < 8 ? count : marked + 8;
        for (i = marked; i < end; i++) {
            move_value(kept, from + i * width, width);
            move_value(gone, from + i * width, width);
            kept += (size_t)(marks[i] ^ 1) * width;
            gone += (size_t)marks[i] * width;
        }
    }
}

static Fault cut_fixed(View from, size_t width, const uint8_t *marks, size_t count, Bytes *kept, Bytes *gone)
{
    if (width == 0 || count > from.size / width)
        return VALUES_SHORT;
    size_t unmarked = unmarked_in(marks, count);
    Fault fault = bytes_reserve(kept, (unmarked + 1) * width);
    if (fault == NULL)
        fault = bytes_reserve(gone, (count - unmarked + 1) * width);
    if (fault != NULL)
        return fault;
    uint8_t *stays = kept->data + kept->size, *goes = gone->data + gone->size;
    if (width == 1)
        sort_fixed(from.data, 1, marks, count, stays, goes);
    else if (width == 4)
        sort_fixed(from.data, 4, marks, count, stays, goes);
    else if (width == 8)
        sort_fixed(from.data, 8, marks, count, stays, goes);
    else if (width == 16)
        sort_fixed(from.data, 16, marks, count, stays, goes);
    else
        sort_fixed(from.data, width, marks, count, stays, goes);
    kept->size += unmarked * width;
    gone->size += (count - unmarked) * width;
    return NULL;
}

static Fault cut_strings(View from, const uint8_t *marks, size_t count, Bytes *kept, Bytes *gone)
{
    Fault fault = bytes_reserve(kept, from.size);
    for (size_t i = 0; i < count && fault == NULL;) {
        const uint8_t *start = from.data;
        uint8_t mark = marks[i];
        for (; i < count && marks[i] == mark; i++) {
            View value;
            fault = take_string(&from, &value);
            if (fault != NULL)
                return fault;
        }
        fault = bytes_append(mark ? gone : kept, start, (size_t)(from.data - start));
    }
    return fault;
}

/* Bits as bytes, which can be cut like any other value of a width. */
static Fault unpack_bits(View from, size_t count, uint8_t *bytes)
{
    if ((count + 7) / 8 > from.size)
        return VALUES_SHORT;
    for (size_t i = 0; i < count; i++)
        bytes[i] = from.data[i >> 3] >> (i & 7) & 1;
    return NULL;
}

static Fault pack_bits(Bytes *to, View bytes)
{
    size_t size = (bytes.size + 7) / 8;
    Fault fault = bytes_reserve(to, size);
    if (fault != NULL || size == 0)
        return fault;
    uint8_t *out = to->data + to->size;
    memset(out, 0, size);
    for (size_t i = 0; i < bytes.size; i++)
        out[i >> 3] |= (uint8_t)((bytes.data[i] & 1) << (i & 7));
    to->size += size;
    return NULL;
}

static Fault put_run_length_bits(Bytes *to, View bytes)
{
    Fault fault = bytes_reserve(to, 4);
    if (fault != NULL)
        return fault;
    size_t start = to->size;
    to->size += 4;
    fault = hybrid_encode_levels(to, 1, bytes.size, bytes.data);
    if (fault == NULL)
        store_u32(to->data + start, (uint32_t)(to->size - start - 4));
    return fault;
}

/* Every encoding of booleans becomes bytes. */
static Fault bits_decode(Encoding encoding, View from, size_t count, uint8_t *bytes)
{
    if (encoding == PLAIN)
        return unpack_bits(from, count, bytes);
    if (from.size < 4)
        return count ? VALUES_SHORT : NULL;
    View runs = {from.data + 4, load_u32(from.data)};
    int uniform;
    if (runs.size > from.size - 4)
        return VALUES_SHORT;
    return hybrid_decode_levels(runs, 1, count, bytes, &uniform);
}

static Fault split_decode(View from, size_t width, size_t count, Bytes *plain)
{
    if (width == 0 || count > from.size / width)
        return VALUES_SHORT;
    /* The first bytes of all values stand before the second ones: where each begins depends on how many there are. */
    if (from.size != count * width)
        return MORE_VALUES;
    Fault fault = bytes_reserve(plain, count * width);
    if (fault != NULL || count == 0)
        return fault;
    uint8_t *out = plain->data + plain->size;
    for (size_t stream = 0; stream < width; stream++)
        for (size_t i = 0; i < count; i++)
            out[i * width + stream] = from.data[stream * count + i];
    plain->size += count * width;
    return NULL;
}

static Fault split_encode(View plain, size_t width, Bytes *to)
{
    size_t count = plain.size / width;
    Fault fault = bytes_reserve(to, plain.size);
    if (fault != NULL || count == 0)
        return fault;
    uint8_t *out = to->data + to->size;
    for (size_t stream = 0; stream < width; stream++)
        for (size_t i = 0; i < count; i++)
            out[stream * count + i] = plain.data[i * width + stream];
    to->size += plain.size;
    return NULL;
}

static Fault numbers_decode(View from, size_t width, size_t count, Bytes *plain)
{
    int64_t *numbers = malloc((count ? count : 1) * sizeof(int64_t));
    if (numbers == NULL)
        return NO_MEMORY;
    Fault fault = delta_decode(&from, count, numbers);
    if (fault == NULL)
        fault = bytes_reserve(plain, count * width);
    if (fault == NULL)
        for (size_t i = 0; i < count; i++) {
            uint8_t *out = plain->data + plain->size;
            store_u32(out, (uint32_t)(uint64_t)numbers[i]);
            if (width == 8)
                store_u32(out + 4, (uint32_t)((uint64_t)numbers[i] >> 32));
            plain->size += width;
        }
    free(numbers);
    return fault;
}

static Fault numbers_encode(View plain, size_t width, Bytes *to)
{
    size_t count = plain.size / width;
    int64_t *numbers = malloc((count ? count : 1) * sizeof(int64_t));
    if (numbers == NULL)
        return NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = plain.data + i * width;
        numbers[i] = width == 4 ? (int32_t)load_u32(at) : (int64_t)load_u64(at);
    }
    Fault fault = delta_encode(to, count, numbers, width == 4 ? 32 : 64);
    free(numbers);
    return fault;
}

/* Strings whose lengths, and for DELTA_STRINGS the lengths of prefixes that they share with the one before, stand apart. */
static Fault strings_decode(Kind kind, View from, size_t count, Bytes *plain)
{
    int shared = kind.encoding == DELTA_STRINGS;
    int64_t *numbers = malloc((count ? 2 * count : 1) * sizeof(int64_t));
    if (numbers == NULL)
        return NO_MEMORY;
    int64_t *prefixes = numbers, *lengths = numbers + count;
    Fault fault = shared ? delta_decode(&from, count, prefixes) : NULL;
    if (fault == NULL)
        fault = delta_decode(&from, count, lengths);
    size_t last = 0, last_size = 0;
    for (size_t i = 0; i < count && fault == NULL; i++) {
        size_t prefix = 0;
        if (lengths[i] < 0 || (uint64_t)lengths[i] > from.size)
            fault = VALUES_SHORT;
        else if (shared && (prefixes[i] < 0 || (uint64_t)prefixes[i] > last_size))
            fault = "a prefix is longer than the value before";
        if (fault != NULL)
            break;
        if (shared)
            prefix = (size_t)prefixes[i];
        size_t length = (size_t)lengths[i], size = prefix + length;
        if (kind.shape == FIXED ? size != kind.width : size > UINT32_MAX) {
            fault = "a value has a length that is not possible";
            break;
        }
        if (size > PLAIN_MAX || plain->size > PLAIN_MAX - size) {
            fault = "the values of a page are too large together";
            break;
        }
        fault = bytes_reserve(plain, size + 4);
        if (fault != NULL)
            break;
        if (kind.shape == STRINGS) {
            store_u32(plain->data + plain->size, (uint32_t)size);
            plain->size += 4;
        }
        if (prefix != 0)
            memcpy(plain->data + plain->size, plain->data + last, prefix);
        if (length != 0)
            memcpy(plain->data + plain->size + prefix, from.data, length);
        last = plain->size;
        last_size = size;
        plain->size += size;
        from.data += length;
        from.size -= length;
    }
    free(numbers);
    return fault;
}

static size_t shared_prefix(View one, View other)
{
    size_t size = one.size < other.size ? one.size : other.size, i = 0;
    while (i < size && one.data[i] == other.data[i])
        i++;
    return i;
}

static Fault strings_encode(Kind kind, View plain, size_t count, Bytes *to)
{
    Kind plainly = {PLAIN, kind.shape, kind.width};
    int64_t *numbers = malloc((count ? 2 * count : 1) * sizeof(int64_t));
    Bytes suffixes = {0};
    if (numbers == NULL)
        return NO_MEMORY;
    int64_t *prefixes = numbers, *lengths = numbers + count;
    Fault fault = NULL;
    View last = {NULL, 0}, value;
    for (size_t i = 0; i < count && fault == NULL; i++) {
        fault = plain_next(plainly, &plain, &value);
        if (fault != NULL)
            break;
        size_t prefix = kind.encoding == DELTA_STRINGS ? shared_prefix(last, value) : 0;
        prefixes[i] = (int64_t)prefix;
        lengths[i] = (int64_t)(value.size - prefix);
        fault = bytes_append(&suffixes, value.data + prefix, value.size - prefix);
        last = value;
    }
    if (fault == NULL && kind.encoding == DELTA_STRINGS)
        fault = delta_encode(to, count, prefixes, 32);
    if (fault == NULL)
        fault = delta_encode(to, count, lengths, 32);
    if (fault == NULL)
        fault = bytes_append(to, suffixes.data, suffixes.size);
    bytes_free(&suffixes);
    free(numbers);
    return fault;
}

Fault values_plain(Kind kind, View from, size_t count, Bytes *plain)
{
    if (kind.shape == BITS) {
        Bytes bytes = {0};
        Fault fault = bytes_reserve(&bytes, count + 1);
        if (fault == NULL)
            fault = bits_decode(kind.encoding, from, count, bytes.data);
        if (fault == NULL)
            fault = bytes_append(plain, bytes.data, count);
        bytes_free(&bytes);
        return fault;
    }
    switch (kind.encoding) {
    case PLAIN:
        if (kind.shape == FIXED)
            return kind.width == 0 || count > from.size / kind.width ? VALUES_SHORT : bytes_append(plain, from.data, count * kind.width);
        else {
            View rest = from, value;
            for (size_t i = 0; i < count; i++) {
                Fault fault = take_string(&rest, &value);
                if (fault != NULL)
                    return fault;
            }
            return bytes_append(plain, from.data, (size_t)(rest.data - from.data));
        }
    case DELTA_PACKED:
        if (kind.shape != FIXED || (kind.width != 4 && kind.width != 8))
            return "an encoding that values of this type do not have";
        return numbers_decode(from, kind.width, count, plain);
    case DELTA_LENGTHS:
        if (kind.shape != STRINGS)
            return "an encoding that values of this type do not have";
        return strings_decode(kind, from, count, plain);
    case DELTA_STRINGS:
        return strings_decode(kind, from, count, plain);
    case SPLIT:
        if (kind.shape != FIXED)
            return "an encoding that values of this type do not have";
        return split_decode(from, kind.width, count, plain);
    default:
        return "an encoding that values of this type do not have";
    }
}

int is_plain(Kind kind)
{
    return kind.encoding == PLAIN && kind.shape != BITS;
}

Fault values_cut(Kind kind, View from, const uint8_t *marks, size_t count, Bytes *kept, size_t *left, Bytes *gone)
{
    Bytes plain = {0};
    Fault fault = is_plain(kind) ? NULL : values_plain(kind, from, count, &plain);
    View all = {plain.data, plain.size};
    if (is_plain(kind))
        all = from;
    *left = unmarked_in(marks, count);
    if (fault == NULL && kind.shape == STRINGS)
        fault = cut_strings(all, marks, count, kept, gone);
    else if (fault == NULL)
        fault = cut_fixed(all, kind.shape == BITS ? 1 : kind.width, marks, count, kept, gone);
    bytes_free(&plain);
    return fault;
}

Fault values_encode(Kind kind, View plain, size_t count, Bytes *to)
{
    if (kind.shape == BITS)
        return kind.encoding == PLAIN ? pack_bits(to, plain) : put_run_length_bits(to, plain);
    if (kind.encoding == SPLIT)
        return split_encode(plain, kind.width, to);
    if (kind.encoding == DELTA_PACKED)
        return numbers_encode(plain, kind.width, to);
    return strings_encode(kind, plain, count, to);
}

static size_t width_of(Kind kind)
{
    return kind.shape == BITS ? 1 : kind.width;
}

static Fault select_fixed(View from, size_t width, const uint8_t *marks, size_t count, Bytes *selected)
{
    if (width == 0 || count > from.size / width)
        return VALUES_SHORT;
    /* Each value is moved, and kept by going on behind it: no branch that cannot be foreseen, and room for one more. */
    Fault fault = bytes_reserve(selected, (count - unmarked_in(marks, count) + 1) * width);
    if (fault != NULL)
        return fault;
    uint8_t *to = selected->data + selected->size;
    for (size_t i = 0; i < count;) {
        size_t marked = marks_skip(marks, i, count), end = count - marked < 8 ? count : marked + 8;
        for (i = marked; i < end; i++) {
            move_value(to, from.data + i * width, width);
            to += (size_t)marks[i] * width;
        }
    }
    selected->size = (size_t)(to - selected->data);
    return NULL;
}

Fault plain_select(Kind kind, View from, const uint8_t *marks, size_t count, Bytes *selected)
{
    if (kind.shape != STRINGS)
        return select_fixed(from, width_of(kind), marks, count, selected);
    Fault fault = NULL;
    for (size_t i = 0; i < count && fault == NULL; i++) {
        const uint8_t *start = from.data;
        View value;
        fault = take_string(&from, &value);
        if (fault == NULL && marks[i])
            fault = bytes_append(selected, start, (size_t)(from.data - start));
    }
    return fault;
}

/* Blank strings: the empty one, then words of control characters, as numbers count up. No two entries may be alike:
 * who reads a dictionary into one of its own would number those behind them in another way. */
static const size_t DIGITS = 31;

static size_t blank_of(size_t number, uint8_t *to)
{
    size_t size = 0;
    for (; number != 0; number = (number - 1) / DIGITS)
        to[size++] = (uint8_t)((number - 1) % DIGITS + 1);
    return size;
}

/* The number of a string that looks like a blank one, or the limit. */
static size_t number_of(View value, size_t limit)
{
    size_t number = 0;
    for (size_t i = value.size; i-- > 0;) {
        if (value.data[i] == 0 || value.data[i] > DIGITS || number >= limit)
            return limit;
        number = number * DIGITS + value.data[i];
    }
    return number < limit ? number : limit;
}

static Fault scrub_strings(View from, const uint8_t *marks, size_t count, Bytes *scrubbed)
{
    uint8_t *taken = calloc(count + 1, 1);
    Fault fault = taken == NULL ? NO_MEMORY : NULL;
    View rest = from, value;
    for (size_t i = 0; i < count && fault == NULL; i++) {
        fault = take_string(&rest, &value);
        if (fault == NULL && !marks[i])
            taken[number_of(value, count)] = 1;
    }
    rest = from;
    size_t number = 0;
    if (fault == NULL)
        fault = bytes_reserve(scrubbed, from.size);
    for (size_t i = 0; i < count && fault == NULL; i++) {
        const uint8_t *start = rest.data;
        for (; i < count && !marks[i] && fault == NULL; i++)
            fault = take_string(&rest, &value);
        if (fault == NULL)
            fault = bytes_append(scrubbed, start, (size_t)(rest.data - start));
        if (fault == NULL && i < count)
            fault = take_string(&rest, &value);
        if (fault != NULL || i == count)
            break;
        /* As many numbers as entries: one is always free. */
        while (number < count && taken[number])
            number++;
        uint8_t blank[4 + 16];
        size_t size = blank_of(number++, blank + 4);
        store_u32(blank, (uint32_t)size);
        fault = bytes_append(scrubbed, blank, 4 + size);
    }
    free(taken);
    return fault;
}

/* A value of a width becomes the first one that has no mark, so that no value is made up. */
Fault plain_scrub(Kind kind, View from, const uint8_t *marks, size_t count, Bytes *scrubbed)
{
    if (kind.shape == STRINGS)
        return scrub_strings(from, marks, count, scrubbed);
    size_t width = width_of(kind), first = 0;
    if (width == 0 || count > from.size / width)
        return VALUES_SHORT;
    while (first < count && marks[first])
        first++;
    if (count != 0 && first == count)
        return "no entry of the dictionary stays";
    size_t start = scrubbed->size;
    Fault fault = bytes_append(scrubbed, from.data, count * width);
    for (size_t i = 0; i < count && fault == NULL;) {
        size_t marked = marks_skip(marks, i, count), end = count - marked < 8 ? count : marked + 8;
        for (i = marked; i < end; i++)
            if (marks[i])
                memcpy(scrubbed->data + start + i * width, from.data + first * width, width);
    }
    return fault;
}

Fault plain_starts(View from, size_t count, Bytes *starts)
{
    const uint8_t *begin = from.data;
    Fault fault = from.size > UINT32_MAX ? "a dictionary is too large" : bytes_reserve(starts, 4 * count + 4);
    for (size_t i = 0; i < count && fault == NULL; i++) {
        View value;
        store_u32(starts->data + starts->size, (uint32_t)(from.data - begin));
        starts->size += 4;
        fault = take_string(&from, &value);
    }
    return fault;
}
