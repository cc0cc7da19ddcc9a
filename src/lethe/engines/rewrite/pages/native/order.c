/* The least and the greatest of plain values, in the orders that the format defines. */
#include "native.h"

#include <math.h>

static int sign(int less, int more)
{
    return more - less;
}

/* The first eight bytes, as a number that is in the order of the values as far as it differs. */
static inline uint64_t head_of(const uint8_t *from, size_t size)
{
    uint64_t head = 0;
    if (size >= 8)
        return (uint64_t)from[0] << 56 | (uint64_t)from[1] << 48 | (uint64_t)from[2] << 40 | (uint64_t)from[3] << 32 |
               (uint64_t)from[4] << 24 | (uint64_t)from[5] << 16 | (uint64_t)from[6] << 8 | (uint64_t)from[7];
    for (size_t i = 0; i < size; i++)
        head |= (uint64_t)from[i] << (56 - 8 * i);
    return head;
}

static int compare_bytes(View one, View other)
{
    size_t size = one.size < other.size ? one.size : other.size, i = 0;
    for (; i < size; i += 8) {
        uint64_t a = head_of(one.data + i, size - i), b = head_of(other.data + i, size - i);
        if (a != b)
            return sign(a < b, a > b);
    }
    return sign(one.size < other.size, one.size > other.size);
}

/* Numbers in two's complement, the most significant byte first, maybe of different lengths. */
static int compare_big_endian(View one, View other)
{
    int negative = one.size && one.data[0] & 0x80, other_negative = other.size && other.data[0] & 0x80;
    if (negative != other_negative)
        return negative ? -1 : 1;
    size_t size = one.size > other.size ? one.size : other.size;
    uint8_t filler = negative ? 0xff : 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t a = i < size - one.size ? filler : one.data[i - (size - one.size)];
        uint8_t b = i < size - other.size ? filler : other.data[i - (size - other.size)];
        if (a != b)
            return a < b ? -1 : 1;
    }
    return 0;
}

/* Half precision: five bits of exponent, ten of mantissa. */
static double half(uint32_t bits)
{
    double number = bits & 0x3ff;
    int exponent = (int)(bits >> 10 & 0x1f);
    if (exponent == 31)
        return number != 0 ? (double)NAN : bits & 0x8000 ? -(double)INFINITY : (double)INFINITY;
    if (exponent != 0)
        number += 1024;
    number = ldexp(number, (exponent ? exponent : 1) - 25);
    return bits & 0x8000 ? -number : number;
}

static double floating(View value)
{
    if (value.size == 2)
        return half((uint32_t)value.data[0] | (uint32_t)value.data[1] << 8);
    if (value.size == 4) {
        uint32_t bits = load_u32(value.data);
        float number;
        memcpy(&number, &bits, 4);
        return (double)number;
    }
    uint64_t bits = load_u64(value.data);
    double number;
    memcpy(&number, &bits, 8);
    return number;
}

static int compare(Order order, View one, View other)
{
    if (order == BYTEWISE)
        return compare_bytes(one, other);
    if (order == BIG_ENDIAN)
        return compare_big_endian(one, other);
    if (order == FLOATING)
        return sign(floating(one) < floating(other), floating(one) > floating(other));
    if (one.size == 1)
        return sign(one.data[0] < other.data[0], one.data[0] > other.data[0]);
    uint64_t a = one.size == 4 ? load_u32(one.data) : load_u64(one.data);
    uint64_t b = one.size == 4 ? load_u32(other.data) : load_u64(other.data);
    if (order == SIGNED) {
        /* Moved by half of the range, signed numbers are in the order of unsigned ones. */
        uint64_t half = UINT64_C(1) << (8 * one.size - 1);
        a ^= half;
        b ^= half;
    }
    return sign(a < b, a > b);
}

/* Numbers of four or eight bytes, the most usual ones: by the sizes of their order alone. */
static inline void number_bounds(Order order, const uint8_t *from, size_t width, size_t count, View *low, View *high)
{
    uint64_t half = order == SIGNED ? UINT64_C(1) << (8 * width - 1) : 0, least = UINT64_MAX, most = 0;
    /* Only the numbers, and then where they stand: less is carried from one step to the next. */
    for (size_t i = 0; i < count; i++) {
        uint64_t number = (width == 4 ? load_u32(from + 4 * i) : load_u64(from + 8 * i)) ^ half;
        least = number < least ? number : least;
        most = number > most ? number : most;
    }
    size_t first = 0, last = 0;
    while ((width == 4 ? load_u32(from + 4 * first) : load_u64(from + 8 * first)) != (least ^ half))
        first++;
    while ((width == 4 ? load_u32(from + 4 * last) : load_u64(from + 8 * last)) != (most ^ half))
        last++;
    *low = (View){from + first * width, width};
    *high = (View){from + last * width, width};
}

/* How a value begins, as numbers that are in the order of the values as far as they differ. */
typedef struct {
    uint64_t first, second;
} Begin;

static inline Begin begin_of(View value, uint64_t half)
{
    Begin begin = {head_of(value.data, value.size) ^ half, 0};
    if (value.size > 8)
        begin.second = head_of(value.data + 8, value.size - 8);
    return begin;
}

static inline int before(Begin one, Begin other)
{
    return one.first < other.first || (one.first == other.first && one.second < other.second);
}

static inline int alike(Begin one, Begin other)
{
    return one.first == other.first && one.second == other.second;
}

/* Texts, and numbers of many bytes that are all of one length: most are told apart by their first ones. */
static Fault long_bounds(Kind kind, Order order, View from, size_t count, View *low, View *high)
{
    /* Moved by half of the range, numbers in two's complement are in the order of bytes. */
    uint64_t half = order == BIG_ENDIAN ? UINT64_C(1) << 63 : 0;
    Begin least = {0, 0}, most = {0, 0};
    for (size_t i = 0; i < count; i++) {
        View value;
        Fault fault = plain_next(kind, &from, &value);
        if (fault != NULL)
            return fault;
        Begin begin = begin_of(value, half);
        if (i == 0 || before(begin, least) || (alike(begin, least) && compare(order, value, *low) < 0)) {
            *low = value;
            least = begin;
        }
        if (i == 0 || before(most, begin) || (alike(begin, most) && compare(order, value, *high) > 0)) {
            *high = value;
            most = begin;
        }
    }
    return NULL;
}

/* `low` stays without data where no value has an order: there is none, or each is not a number. */
Fault plain_bounds(Kind kind, Order order, View from, size_t count, View *low, View *high)
{
    size_t width = kind.shape == BITS ? 1 : kind.width;
    int number = order == SIGNED || order == UNSIGNED || order == FLOATING;
    low->data = high->data = NULL;
    if (number && (kind.shape == STRINGS || (width != 4 && width != 8 && width != (order == FLOATING ? 2 : 1))))
        return "an order that values of this type do not have";
    if (kind.shape == FIXED && (width == 4 || width == 8) && (order == SIGNED || order == UNSIGNED)) {
        if (count > from.size / width)
            return "the values of a page lead out of it";
        if (count != 0 && width == 4)
            number_bounds(order, from.data, 4, count, low, high);
        else if (count != 0)
            number_bounds(order, from.data, 8, count, low, high);
        return NULL;
    }
    if (order == BYTEWISE || (order == BIG_ENDIAN && kind.shape == FIXED))
        return long_bounds(kind, order, from, count, low, high);
    for (size_t i = 0; i < count; i++) {
        View value;
        Fault fault = plain_next(kind, &from, &value);
        if (fault != NULL)
            return fault;
        if (order == FLOATING && floating(value) != floating(value))
            continue;
        if (low->data == NULL || compare(order, value, *low) < 0)
            *low = value;
        if (high->data == NULL || compare(order, value, *high) > 0)
            *high = value;
    }
    return NULL;
}

Fault bounds_find(Kind kind, View plain, size_t count, Bounds *bounds)
{
    View low, high;
    Fault fault = plain_bounds(kind, bounds->order, plain, count, &low, &high);
    if (fault != NULL || low.data == NULL)
        return fault;
    bounds->known = 1;
    fault = bytes_append(&bounds->low, low.data, low.size);
    return fault != NULL ? fault : bytes_append(&bounds->high, high.data, high.size);
}

void bounds_free(Bounds *of)
{
    bytes_free(&of->low);
    bytes_free(&of->high);
}
