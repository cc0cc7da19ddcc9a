/* The least and the greatest of plain values, in the orders that the format defines. */
#include "native.h"

#include <math.h>

static int sign(int less, int more)
{
    return more - less;
}

static int compare_bytes(View one, View other)
{
    size_t size = one.size < other.size ? one.size : other.size;
    int found = size ? memcmp(one.data, other.data, size) : 0;
    return found ? found : sign(one.size < other.size, one.size > other.size);
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
static void number_bounds(Order order, const uint8_t *from, size_t width, size_t count, View *low, View *high)
{
    uint64_t half = order == SIGNED ? UINT64_C(1) << (8 * width - 1) : 0, least = UINT64_MAX, most = 0;
    size_t first = 0, last = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t number = (width == 4 ? load_u32(from + 4 * i) : load_u64(from + 8 * i)) ^ half;
        first = number < least ? i : first;
        least = number < least ? number : least;
        last = number > most ? i : last;
        most = number > most ? number : most;
    }
    *low = (View){from + first * width, width};
    *high = (View){from + last * width, width};
}

/* The first eight bytes, as a number that is in the order of the values as far as it differs. Of numbers in two's
 * complement, only where all are of one length. */
static uint64_t head_of(Order order, View value)
{
    uint64_t head = 0;
    if (value.size >= 8) {
        for (int i = 0; i < 8; i++)
            head = head << 8 | value.data[i];
    } else {
        for (size_t i = 0; i < value.size; i++)
            head |= (uint64_t)value.data[i] << (56 - 8 * i);
    }
    return order == BIG_ENDIAN ? head ^ UINT64_C(1) << 63 : head;
}

/* Texts, and numbers of many bytes: most are told apart by their first ones. */
static Fault long_bounds(Kind kind, Order order, View from, size_t count, View *low, View *high)
{
    uint64_t least = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        View value;
        Fault fault = plain_next(kind, &from, &value);
        if (fault != NULL)
            return fault;
        uint64_t head = head_of(order, value);
        if (i == 0 || head < least || (head == least && compare(order, value, *low) < 0)) {
            *low = value;
            least = head;
        }
        if (i == 0 || head > most || (head == most && compare(order, value, *high) > 0)) {
            *high = value;
            most = head;
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
        if (count != 0)
            number_bounds(order, from.data, width, count, low, high);
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
