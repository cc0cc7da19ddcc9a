/* The sizes in an LZ4 block, without its content. */
#include "native.h"

static const char CUT_OFF[] = "a compressed block ends in the middle";

/* A length of four bits that goes on in bytes while they are full. */
static Fault take_length(View *from, unsigned nibble, uint64_t *length)
{
    *length = nibble;
    if (nibble != 15)
        return NULL;
    for (;;) {
        if (from->size == 0)
            return CUT_OFF;
        uint8_t byte = *from->data;
        from->data++;
        from->size--;
        *length += byte;
        if (byte != 255)
            return NULL;
    }
}

Fault lz4_size(View from, uint64_t *size)
{
    *size = 0;
    while (from.size != 0) {
        unsigned token = *from.data;
        uint64_t literals, match;
        from.data++;
        from.size--;
        Fault fault = take_length(&from, token >> 4, &literals);
        if (fault != NULL)
            return fault;
        if (literals > from.size)
            return CUT_OFF;
        from.data += literals;
        from.size -= literals;
        *size += literals;
        if (from.size == 0)
            return NULL;
        if (from.size < 2)
            return CUT_OFF;
        from.data += 2;
        from.size -= 2;
        fault = take_length(&from, token & 15, &match);
        if (fault != NULL)
            return fault;
        *size += match + 4;
    }
    return NULL;
}
