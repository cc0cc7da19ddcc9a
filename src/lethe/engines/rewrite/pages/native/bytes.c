/* Bytes that grow, numbers of any length, bits. */
#include "native.h"

#include <stdlib.h>
#include <string.h>

const char NO_MEMORY[] = "out of memory";
const char UNORDERED[] = "a page header whose fields are not in their order";
const char MORE_VALUES[] = "a page with more values than its levels tell";

Fault bytes_reserve(Bytes *to, size_t more)
{
    if (more > SIZE_MAX / 4 - to->size)
        return NO_MEMORY;
    size_t needed = to->size + more;
    if (needed <= to->room)
        return NULL;
    size_t room = to->room + to->room / 2;
    if (room < needed)
        room = needed;
    uint8_t *data = realloc(to->lent ? NULL : to->data, room);
    if (data == NULL)
        return NO_MEMORY;
    if (to->lent && to->size != 0)
        memcpy(data, to->data, to->size);
    to->lent = 0;
    to->data = data;
    to->room = room;
    return NULL;
}

Fault bytes_append(Bytes *to, const void *from, size_t size)
{
    if (size == 0)
        return NULL;
    Fault fault = bytes_reserve(to, size);
    if (fault != NULL)
        return fault;
    memcpy(to->data + to->size, from, size);
    to->size += size;
    return NULL;
}

void bytes_free(Bytes *of)
{
    if (!of->lent)
        free(of->data);
    of->lent = 0;
    of->data = NULL;
    of->size = of->room = 0;
}

Fault take_varint(View *from, uint64_t *number)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (from->size == 0)
            return "a number leads out of its page";
        uint8_t byte = *from->data;
        from->data++;
        from->size--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *number = value;
            return NULL;
        }
    }
    return "a number is too long";
}

Fault take_zigzag(View *from, int64_t *number)
{
    uint64_t raw = 0;
    Fault fault = take_varint(from, &raw);
    *number = (int64_t)((raw >> 1) ^ (~(raw & 1) + 1));
    return fault;
}

Fault put_varint(Bytes *to, uint64_t number)
{
    Fault fault = bytes_reserve(to, 10);
    if (fault != NULL)
        return fault;
    while (number >= 0x80) {
        to->data[to->size++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    to->data[to->size++] = (uint8_t)number;
    return NULL;
}

Fault put_zigzag(Bytes *to, int64_t number)
{
    uint64_t raw = (uint64_t)number;
    return put_varint(to, (raw << 1) ^ (~(raw >> 63) + 1));
}
