/* Split-block bloom filters over XXH64, as parquet-format's BloomFilter.md defines them. */
#include "native.h"

static const uint64_t P1 = 11400714785074694791u, P2 = 14029467366897019727u, P3 = 1609587929392839161u,
                      P4 = 9650029242287828579u, P5 = 2870177450012600261u;

static uint64_t rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static uint64_t mix(uint64_t lane, uint64_t word)
{
    return rotate(lane + word * P2, 31) * P1;
}

uint64_t xxh64(View of)
{
    uint64_t hash = P5, size = of.size;
    if (of.size >= 32) {
        uint64_t lanes[4] = {P1 + P2, P2, 0, 0 - P1};
        for (; of.size >= 32; of.data += 32, of.size -= 32)
            for (int i = 0; i < 4; i++)
                lanes[i] = mix(lanes[i], load_u64(of.data + 8 * i));
        hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
        for (int i = 0; i < 4; i++)
            hash = (hash ^ mix(0, lanes[i])) * P1 + P4;
    }
    hash += size;
    for (; of.size >= 8; of.data += 8, of.size -= 8)
        hash = rotate(hash ^ mix(0, load_u64(of.data)), 27) * P1 + P4;
    if (of.size >= 4) {
        hash = rotate(hash ^ load_u32(of.data) * P1, 23) * P2 + P3;
        of.data += 4;
        of.size -= 4;
    }
    for (; of.size > 0; of.data++, of.size--)
        hash = rotate(hash ^ *of.data * P5, 11) * P1;
    hash = (hash ^ hash >> 33) * P2;
    hash = (hash ^ hash >> 29) * P3;
    return hash ^ hash >> 32;
}

static const uint32_t SALT[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

static uint32_t bit_of(uint64_t hash, int word)
{
    return UINT32_C(1) << ((uint32_t)hash * SALT[word] >> 27);
}

/* Where the block of a hash begins. */
static size_t block_of(uint64_t hash, uint64_t blocks)
{
    return 32 * (size_t)(((hash >> 32) * blocks) >> 32);
}

static Fault blocks_of(size_t size, uint64_t *blocks)
{
    *blocks = size / 32;
    return size == 0 || size % 32 != 0 || *blocks > UINT32_MAX ? "a bloom filter has a size that is not possible" : NULL;
}

Fault bloom_add(Kind kind, View from, size_t count, uint8_t *filter, size_t size)
{
    uint64_t blocks;
    Fault fault = blocks_of(size, &blocks);
    for (size_t i = 0; i < count && fault == NULL; i++) {
        View value;
        fault = plain_next(kind, &from, &value);
        if (fault != NULL)
            break;
        uint64_t hash = xxh64(value);
        uint8_t *block = filter + block_of(hash, blocks);
        for (int word = 0; word < 8; word++)
            store_u32(block + 4 * word, load_u32(block + 4 * word) | bit_of(hash, word));
    }
    return fault;
}

Fault bloom_any(Kind kind, View from, size_t count, View filter, int *any)
{
    uint64_t blocks;
    Fault fault = blocks_of(filter.size, &blocks);
    *any = 0;
    for (size_t i = 0; i < count && fault == NULL && !*any; i++) {
        View value;
        fault = plain_next(kind, &from, &value);
        if (fault != NULL)
            break;
        uint64_t hash = xxh64(value);
        const uint8_t *block = filter.data + block_of(hash, blocks);
        int word = 0;
        while (word < 8 && (load_u32(block + 4 * word) & bit_of(hash, word)) != 0)
            word++;
        *any = word == 8;
    }
    return fault;
}
