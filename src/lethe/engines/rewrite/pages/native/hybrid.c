/* The hybrid of runs and bit-packed groups, in which levels and dictionary indices are written. */
#include "native.h"

#include <stdlib.h>
#include <string.h>

static const size_t GROUP = 8;

/* One run, as far as `wanted` values of it count. */
typedef struct {
    int packed;
    size_t values;
    uint32_t number; /* of a run that is not packed */
    View bits;
    int longer; /* than what counts, by more than padding */
} Run;

static Fault take_run(View *from, int width, size_t wanted, Run *run)
{
    uint64_t header = 0;
    Fault fault = take_varint(from, &header);
    if (fault != NULL)
        return fault;
    uint64_t length = header >> 1;
    if (length == 0)
        return "a run of no values";
    run->packed = (int)(header & 1);
    if (run->packed) {
        uint64_t values = length > UINT32_MAX ? UINT32_MAX : length * GROUP;
        run->values = values > wanted ? wanted : (size_t)values;
        run->longer = values - run->values >= GROUP;
        /* Some writers cut the padding of the last group. */
        size_t needed = (run->values * (size_t)width + 7) / 8;
        if (needed > from->size)
            return "packed values lead out of their page";
        uint64_t declared = length > UINT32_MAX ? UINT64_MAX : length * (uint64_t)width;
        size_t skipped = declared > from->size ? from->size : (size_t)declared;
        run->bits.data = from->data;
        run->bits.size = skipped;
        from->data += skipped;
        from->size -= skipped;
        return NULL;
    }
    size_t size = ((size_t)width + 7) / 8;
    if (size > from->size)
        return "a run leads out of its page";
    uint32_t number = 0;
    for (size_t i = 0; i < size; i++)
        number |= (uint32_t)from->data[i] << (8 * i);
    if (width < 32 && number >> width != 0)
        return "a run repeats a number that is wider than it may be";
    from->data += size;
    from->size -= size;
    run->values = length > wanted ? wanted : (size_t)length;
    run->longer = length > wanted;
    run->number = number;
    return NULL;
}

static const int NARROW = 16;

/* Whole groups of narrow numbers, each out of two words, as far as these can be read. Returns how many numbers. */
static size_t unpack_groups(View bits, int width, size_t count, uint32_t *numbers)
{
    uint64_t mask = (UINT64_C(1) << width) - 1;
    size_t middle = (size_t)width / 2, done = 0;
    int shift = 4 * width & 7;
    for (size_t at = 0; count - done >= GROUP && at + middle + 8 <= bits.size; at += (size_t)width, done += GROUP) {
        uint64_t low = load_u64(bits.data + at), high = load_u64(bits.data + at + middle) >> shift;
        for (int i = 0; i < 4; i++) {
            numbers[done + (size_t)i] = (uint32_t)(low >> i * width & mask);
            numbers[done + 4 + (size_t)i] = (uint32_t)(high >> i * width & mask);
        }
    }
    return done;
}

/* Packed numbers, which the caller has checked to be there. */
static void unpack(View bits, int width, size_t count, uint32_t *numbers)
{
    uint64_t mask = (UINT64_C(1) << width) - 1;
    /* Those at whose beginning eight bytes can be read: seven bits of the number before, and it. */
    size_t whole = bits.size < 8 ? 0 : ((bits.size - 7) * 8 - 1) / (size_t)width + 1;
    size_t i = width <= NARROW ? unpack_groups(bits, width, count, numbers) : 0;
    for (; i < count && i < whole; i++) {
        size_t bit = i * (size_t)width;
        numbers[i] = (uint32_t)(load_u64(bits.data + (bit >> 3)) >> (bit & 7) & mask);
    }
    for (; i < count; i++)
        numbers[i] = (uint32_t)load_bits(bits, i * (size_t)width, width);
}

Fault hybrid_decode(View from, int width, size_t count, uint32_t *numbers, int *more)
{
    if (width < 0 || width > 32)
        return "a width of bits that is not possible";
    if (width == 0) {
        memset(numbers, 0, count * sizeof(uint32_t));
        return NULL;
    }
    for (size_t done = 0; done < count;) {
        Run run;
        Fault fault = take_run(&from, width, count - done, &run);
        if (fault != NULL)
            return fault;
        if (run.packed)
            unpack(run.bits, width, run.values, numbers + done);
        else {
            for (size_t i = 0; i < run.values; i++)
                numbers[done + i] = run.number;
        }
        done += run.values;
        if (more != NULL && done == count)
            *more = run.longer || from.size != 0;
    }
    return NULL;
}

int hybrid_is_all(View from, int width, size_t count, uint32_t number)
{
    Run run;
    return width >= 1 && width <= 32 && count != 0 && take_run(&from, width, count, &run) == NULL && !run.packed &&
           run.values == count && run.number == number;
}

/* `uniform` becomes the level that all values have where the first run says so, else -1. */
Fault hybrid_decode_levels(View from, int width, size_t count, uint8_t *levels, int *uniform)
{
    *uniform = -1;
    if (width < 1 || width > 8)
        return "a width of levels that is not possible";
    for (size_t done = 0; done < count;) {
        Run run;
        Fault fault = take_run(&from, width, count - done, &run);
        if (fault != NULL)
            return fault;
        if (run.packed) {
            for (size_t i = 0; i < run.values; i++)
                levels[done + i] = (uint8_t)load_bits(run.bits, i * (size_t)width, width);
        } else {
            memset(levels + done, (int)run.number, run.values);
            if (run.values == count)
                *uniform = (int)run.number;
        }
        done += run.values;
    }
    return NULL;
}

/* Whole groups of narrow numbers, each put together in two words. Behind them is room for 16 bytes. */
static void pack_groups(int width, size_t groups, const uint32_t *numbers, uint8_t *out)
{
    int half = 4 * width;
    for (size_t i = 0; i < groups; i++, numbers += GROUP, out += width) {
        uint64_t low = numbers[0] | (uint64_t)numbers[1] << width | (uint64_t)numbers[2] << 2 * width |
                       (uint64_t)numbers[3] << 3 * width;
        uint64_t high = numbers[4] | (uint64_t)numbers[5] << width | (uint64_t)numbers[6] << 2 * width |
                        (uint64_t)numbers[7] << 3 * width;
        store_u64(out, half == 64 ? low : low | high << half);
        store_u64(out + 8, half == 64 ? high : high >> (64 - half));
    }
}

static Fault put_packed(Bytes *to, int width, size_t count, const uint32_t *numbers)
{
    size_t groups = (count + GROUP - 1) / GROUP;
    Fault fault = put_varint(to, (uint64_t)groups << 1 | 1);
    if (fault == NULL)
        fault = bytes_reserve(to, groups * (size_t)width + 16);
    if (fault != NULL)
        return fault;
    uint8_t *out = to->data + to->size;
    uint64_t window = 0;
    int held = 0;
    size_t whole = width <= NARROW ? count / GROUP : 0;
    pack_groups(width, whole, numbers, out);
    out += whole * (size_t)width;
    for (size_t i = whole * GROUP; i < groups * GROUP; i++) {
        window |= (uint64_t)(i < count ? numbers[i] : 0) << held;
        held += width;
        if (held >= 32) {
            store_u32(out, (uint32_t)window);
            out += 4;
            window >>= 32;
            held -= 32;
        }
    }
    for (; held > 0; held -= 8) {
        *out++ = (uint8_t)window;
        window >>= 8;
    }
    to->size += groups * (size_t)width;
    return NULL;
}

Fault hybrid_encode_run(Bytes *to, int width, size_t count, uint32_t number)
{
    if (count == 0)
        return NULL;
    uint8_t bytes[4];
    store_u32(bytes, number);
    Fault fault = put_varint(to, (uint64_t)count << 1);
    return fault != NULL ? fault : bytes_append(to, bytes, ((size_t)width + 7) / 8);
}

static int begins_run(const uint32_t *numbers, size_t left)
{
    if (left < GROUP)
        return 0;
    for (size_t i = 1; i < GROUP; i++)
        if (numbers[i] != numbers[0])
            return 0;
    return 1;
}

Fault hybrid_encode(Bytes *to, int width, size_t count, const uint32_t *numbers)
{
    Fault fault = NULL;
    for (size_t i = 0; i < count && fault == NULL;) {
        size_t start = i;
        if (begins_run(numbers + i, count - i)) {
            while (i < count && numbers[i] == numbers[start])
                i++;
            fault = hybrid_encode_run(to, width, i - start, numbers[start]);
        } else {
            do
                i = count - i < GROUP ? count : i + GROUP;
            while (i < count && !begins_run(numbers + i, count - i));
            fault = put_packed(to, width, i - start, numbers + start);
        }
    }
    return fault;
}

Fault hybrid_encode_levels(Bytes *to, int width, size_t count, const uint8_t *levels)
{
    size_t same = 0;
    while (same < count && levels[same] == levels[0])
        same++;
    if (same == count && count != 0)
        return hybrid_encode_run(to, width, count, levels[0]);
    uint32_t *wide = malloc((count ? count : 1) * sizeof(uint32_t));
    if (wide == NULL)
        return NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        wide[i] = levels[i];
    Fault fault = hybrid_encode(to, width, count, wide);
    free(wide);
    return fault;
}
