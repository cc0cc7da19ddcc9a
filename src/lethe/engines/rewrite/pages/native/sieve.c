/* A sieve: all wanted values are in it, and it lets few others through. It is made, asked and thrown away within one
 * process, so that its hash may be a quick one. Whoever writes values that pass by design only makes more of them be
 * looked at. */
#include "native.h"

static const uint64_t FACTOR = 0x9e3779b97f4a7c15u;

static inline uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * FACTOR;
    return hash ^ hash >> 32;
}

static const uint64_t HIGH = 0x8080808080808080u;

/* Eight letters, the capitals among them small; those that are not ASCII stay. */
static inline uint64_t small(uint64_t word)
{
    uint64_t low = word & ~HIGH;
    uint64_t from_a = low + 0x3f3f3f3f3f3f3f3fu, behind_z = low + 0x2525252525252525u;
    return word | ((from_a & ~behind_z & ~word & HIGH) >> 2);
}

/* With `folded`, of a value in small letters; `seen` collects all that was read. Both are constants to whoever calls. */
static inline uint64_t hash_in(View value, int folded, uint64_t *seen)
{
    uint64_t hash = (uint64_t)value.size * FACTOR, word = 0;
    size_t at = 0;
    for (; value.size - at >= 8; at += 8) {
        word = load_u64(value.data + at);
        *seen |= word;
        hash = mixed(hash, folded ? small(word) : word);
    }
    if (value.size >= 8) {
        /* The rest, with bytes that were taken in before. */
        word = load_u64(value.data + value.size - 8);
    } else {
        uint8_t bytes[8] = {0};
        if (value.size != 0)
            memcpy(bytes, value.data, value.size);
        word = load_u64(bytes);
    }
    *seen |= word;
    hash = mixed(hash, folded ? small(word) : word);
    return hash * FACTOR;
}

/* Two bits of one word. */
static inline uint64_t bits_of(uint64_t hash)
{
    return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63);
}

static inline size_t word_of(uint64_t hash, size_t words)
{
    return (size_t)(((hash >> 32) * (uint64_t)words) >> 32);
}

static Fault words_of(size_t size, size_t *words)
{
    *words = size / 8;
    return size == 0 || size % 8 != 0 || *words > UINT32_MAX ? "a sieve has a size that is not possible" : NULL;
}

Fault sieve_add(Kind kind, View from, size_t count, uint8_t *sieve, size_t size)
{
    size_t words;
    uint64_t seen = 0;
    Fault fault = words_of(size, &words);
    for (size_t i = 0; i < count && fault == NULL; i++) {
        View value;
        fault = plain_next(kind, &from, &value);
        if (fault != NULL)
            break;
        uint64_t hash = hash_in(value, 0, &seen);
        uint8_t *word = sieve + 8 * word_of(hash, words);
        uint64_t bits = load_u64(word) | bits_of(hash);
        store_u32(word, (uint32_t)bits);
        store_u32(word + 4, (uint32_t)(bits >> 32));
    }
    return fault;
}

static inline Fault pass(Kind kind, View from, size_t count, View sieve, int folded, Passed *passed, size_t *number)
{
    size_t words;
    const uint8_t *begin = from.data;
    *number = 0;
    Fault fault = from.size > UINT32_MAX ? "values that are too large together" : words_of(sieve.size, &words);
    for (size_t i = 0; i < count && fault == NULL; i++) {
        const uint8_t *start = from.data;
        View value;
        fault = plain_next(kind, &from, &value);
        if (fault != NULL)
            break;
        uint64_t seen = 0, hash = hash_in(value, folded, &seen), bits = bits_of(hash);
        int passes = (load_u64(sieve.data + 8 * word_of(hash, words)) & bits) == bits;
        /* Written down in any case, and kept by counting it: no branch that cannot be foreseen. */
        passed[*number].number = (uint32_t)i;
        passed[*number].start = (uint32_t)(start - begin);
        *number += (size_t)(passes | (folded && (seen & HIGH) != 0));
    }
    return fault;
}

Fault sieve_pass(Kind kind, View from, size_t count, View sieve, int folded, Passed *passed, size_t *number)
{
    if (folded)
        return pass(kind, from, count, sieve, 1, passed, number);
    return pass(kind, from, count, sieve, 0, passed, number);
}
