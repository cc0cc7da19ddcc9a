/* DELTA_BINARY_PACKED: a first number, then differences in blocks, each against its least, bit-packed in miniblocks. */
#include "native.h"

#include <string.h>

static const size_t BLOCK = 128;
static const size_t MINIS = 4;

Fault delta_decode(View *from, size_t count, int64_t *numbers)
{
    uint64_t block = 0, minis = 0, total = 0;
    int64_t first = 0;
    if (count == 0 && from->size == 0)
        return NULL; /* some writers leave the body out where every value is null */
    Fault fault = take_varint(from, &block);
    if (fault == NULL)
        fault = take_varint(from, &minis);
    if (fault == NULL)
        fault = take_varint(from, &total);
    if (fault == NULL)
        fault = take_zigzag(from, &first);
    if (fault != NULL)
        return fault;
    if (total > count)
        return MORE_VALUES;
    if (total != count)
        return "a page holds another number of values than it says";
    if (count == 0)
        return NULL;
    if (minis == 0 || minis > 1024 || block == 0 || block > (1u << 24) || block % minis != 0 || block / minis % 8 != 0)
        return "blocks of differences have a size that is not possible";
    size_t per_mini = (size_t)(block / minis);
    uint64_t last = (uint64_t)first;
    numbers[0] = first;
    for (size_t done = 1; done < count;) {
        int64_t least = 0;
        fault = take_zigzag(from, &least);
        if (fault != NULL)
            return fault;
        if (from->size < minis)
            return "widths lead out of their page";
        const uint8_t *widths = from->data;
        from->data += minis;
        from->size -= (size_t)minis;
        for (size_t mini = 0; mini < minis && done < count; mini++) {
            int width = widths[mini];
            if (width > 64)
                return "a width of bits that is not possible";
            size_t values = count - done < per_mini ? count - done : per_mini;
            size_t needed = (values * (size_t)width + 7) / 8, whole = per_mini / 8 * (size_t)width;
            if (needed > from->size)
                return "differences lead out of their page";
            for (size_t i = 0; i < values; i++) {
                /* Sums wrap around, as the format wants. */
                last += (uint64_t)least + load_bits(*from, i * (size_t)width, width);
                numbers[done + i] = (int64_t)last;
            }
            size_t skipped = whole > from->size ? from->size : whole;
            from->data += skipped;
            from->size -= skipped;
            done += values;
        }
    }
    return NULL;
}

static int bits_of(uint64_t number)
{
    int bits = 0;
    for (; number != 0; number >>= 1)
        bits++;
    return bits;
}

static Fault put_bits(Bytes *to, int width, size_t count, const uint64_t *numbers)
{
    size_t size = count / 8 * (size_t)width;
    Fault fault = bytes_reserve(to, size);
    if (fault != NULL || size == 0)
        return fault;
    uint8_t *out = to->data + to->size;
    memset(out, 0, size);
    for (size_t i = 0; i < count; i++) {
        size_t bit = i * (size_t)width;
        uint64_t number = numbers[i];
        for (int done = 0; done < width;) {
            int room = 8 - (int)(bit & 7), some = width - done < room ? width - done : room;
            out[bit >> 3] |= (uint8_t)((number & ((1u << some) - 1)) << (bit & 7));
            number >>= some;
            bit += (size_t)some;
            done += some;
        }
    }
    to->size += size;
    return NULL;
}

/* Differences of 32-bit numbers wrap around in 32 bits: readers must not be asked for more. */
static int64_t difference(int64_t after, int64_t before, int bits)
{
    uint64_t apart = (uint64_t)after - (uint64_t)before;
    return bits == 32 ? (int64_t)(int32_t)(uint32_t)apart : (int64_t)apart;
}

Fault delta_encode(Bytes *to, size_t count, const int64_t *numbers, int bits)
{
    const size_t per_mini = BLOCK / MINIS;
    Fault fault = put_varint(to, BLOCK);
    if (fault == NULL)
        fault = put_varint(to, MINIS);
    if (fault == NULL)
        fault = put_varint(to, count);
    if (fault == NULL)
        fault = put_zigzag(to, count ? numbers[0] : 0);
    for (size_t done = 1; done < count && fault == NULL; done += BLOCK) {
        int64_t apart[128];
        uint64_t above[128] = {0};
        size_t values = count - done < BLOCK ? count - done : BLOCK;
        int64_t least = INT64_MAX;
        for (size_t i = 0; i < values; i++) {
            apart[i] = difference(numbers[done + i], numbers[done + i - 1], bits);
            if (apart[i] < least)
                least = apart[i];
        }
        for (size_t i = 0; i < values; i++) {
            above[i] = (uint64_t)apart[i] - (uint64_t)least;
            if (bits == 32)
                above[i] &= UINT32_MAX;
        }
        uint8_t widths[4] = {0};
        for (size_t i = 0; i < values; i++) {
            int width = bits_of(above[i]);
            if (width > widths[i / per_mini])
                widths[i / per_mini] = (uint8_t)width;
        }
        fault = put_zigzag(to, least);
        if (fault == NULL)
            fault = bytes_append(to, widths, MINIS);
        for (size_t mini = 0; mini * per_mini < values && fault == NULL; mini++)
            fault = put_bits(to, widths[mini], per_mini, above + mini * per_mini);
    }
    return fault;
}
