/* Page headers, skimmed: what it takes to walk a chunk. Whatever else a header says is stepped over. */
#include "heads.h"

/* The types of Thrift's compact protocol. */
enum { STOP = 0, IS_TRUE, IS_FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID };

enum { DEPTH_MAX = 32, LONG_LIST = 15 };

static const char SHORT[] = "a page header leads out of its chunk";
static const char DEEP[] = "a page header is nested too deeply";

static Fault take_byte(View *from, uint8_t *byte)
{
    if (from->size == 0)
        return SHORT;
    *byte = *from->data;
    from->data++;
    from->size--;
    return NULL;
}

static Fault step_over(View *from, uint64_t size)
{
    if (size > from->size)
        return SHORT;
    from->data += size;
    from->size -= (size_t)size;
    return NULL;
}

/* The number and type of the next field; the type is STOP behind the last one. */
static Fault take_field(View *from, int64_t *number, int *type)
{
    uint8_t byte;
    Fault fault = take_byte(from, &byte);
    if (fault != NULL)
        return fault;
    *type = byte & 0x0f;
    if (byte == 0)
        return NULL;
    if (*type == STOP)
        return "a page header holds a value of an unknown type";
    if (byte >> 4 == 0)
        return take_zigzag(from, number);
    /* Wrapping is defined for what has no sign: such a number names no field that is looked for. */
    *number = (int64_t)((uint64_t)*number + (byte >> 4));
    return NULL;
}

static Fault skip(View *from, int type, int depth);

static Fault skip_struct(View *from, int depth)
{
    int64_t number = 0;
    int type;
    for (;;) {
        Fault fault = take_field(from, &number, &type);
        if (fault != NULL || type == STOP)
            return fault;
        if (type == IS_TRUE || type == IS_FALSE)
            continue; /* The value of such a field is its type. */
        fault = skip(from, type, depth);
        if (fault != NULL)
            return fault;
    }
}

static Fault skip_items(View *from, int depth)
{
    uint8_t byte = 0;
    Fault fault = take_byte(from, &byte);
    uint64_t count = byte >> 4;
    if (fault == NULL && count == LONG_LIST)
        fault = take_varint(from, &count);
    if (fault == NULL && count > from->size)
        fault = SHORT;
    for (uint64_t i = 0; i < count && fault == NULL; i++)
        fault = skip(from, byte & 0x0f, depth);
    return fault;
}

static Fault skip_pairs(View *from, int depth)
{
    uint64_t count = 0;
    uint8_t types = 0;
    Fault fault = take_varint(from, &count);
    if (fault == NULL && count != 0)
        fault = take_byte(from, &types);
    if (fault == NULL && count > from->size)
        fault = SHORT;
    for (uint64_t i = 0; i < count && fault == NULL; i++) {
        fault = skip(from, types >> 4, depth);
        if (fault == NULL)
            fault = skip(from, types & 0x0f, depth);
    }
    return fault;
}

static Fault skip(View *from, int type, int depth)
{
    uint64_t size;
    Fault fault;
    if (depth >= DEPTH_MAX)
        return DEEP;
    switch (type) {
    case IS_TRUE:
    case IS_FALSE:
    case BYTE:
        return step_over(from, 1);
    case I16:
    case I32:
    case I64:
        return take_varint(from, &size);
    case DOUBLE:
        return step_over(from, 8);
    case UUID:
        return step_over(from, 16);
    case BINARY:
        fault = take_varint(from, &size);
        return fault != NULL ? fault : step_over(from, size);
    case LIST:
    case SET:
        return skip_items(from, depth + 1);
    case MAP:
        return skip_pairs(from, depth + 1);
    case STRUCT:
        return skip_struct(from, depth + 1);
    default:
        return "a page header holds a value of an unknown type";
    }
}

static int is_number(int type)
{
    return type == I16 || type == I32 || type == I64;
}

/* The first fields of the part of a header that is of its kind. Where one stands twice, the last one counts. */
static Fault take_details(View *from, int64_t details[DETAILS])
{
    int64_t number = 0;
    int type;
    for (int i = 0; i < DETAILS; i++)
        details[i] = ABSENT;
    for (;;) {
        Fault fault = take_field(from, &number, &type);
        if (fault != NULL || type == STOP)
            return fault;
        if (type == IS_TRUE || type == IS_FALSE)
            continue;
        if (is_number(type) && number >= 1 && number <= DETAILS)
            fault = take_zigzag(from, &details[number - 1]);
        else
            fault = skip(from, type, 1);
        if (fault != NULL)
            return fault;
    }
}

Fault head_next(View *from, Head *head)
{
    static const int64_t KIND = 1, UNPACKED = 2, PACKED = 3, OF_DATA = 5, OF_DICTIONARY = 7, OF_DATA_V2 = 8;
    View rest = *from;
    int64_t data[DETAILS], dictionary[DETAILS], data_v2[DETAILS], number = 0;
    int64_t *of_kind[] = {data, NULL, dictionary, data_v2};
    int type, seen[] = {0, 1, 0, 0};
    head->kind = head->unpacked = head->packed = ABSENT;
    for (;;) {
        Fault fault = take_field(&rest, &number, &type);
        if (fault != NULL)
            return fault;
        if (type == STOP)
            break;
        if (type == IS_TRUE || type == IS_FALSE)
            continue;
        if (is_number(type) && number == KIND)
            fault = take_zigzag(&rest, &head->kind);
        else if (is_number(type) && number == UNPACKED)
            fault = take_zigzag(&rest, &head->unpacked);
        else if (is_number(type) && number == PACKED)
            fault = take_zigzag(&rest, &head->packed);
        else if (type == STRUCT && (number == OF_DATA || number == OF_DICTIONARY || number == OF_DATA_V2)) {
            int kind = number == OF_DATA ? DATA_PAGE : number == OF_DICTIONARY ? DICTIONARY_PAGE : DATA_PAGE_V2;
            fault = take_details(&rest, of_kind[kind]);
            seen[kind] = 1;
        } else
            fault = skip(&rest, type, 0);
        if (fault != NULL)
            return fault;
    }
    if (head->kind == ABSENT || head->unpacked < 0 || head->packed < 0)
        return "a page header does not say what it must";
    if ((uint64_t)head->packed > rest.size)
        return "a page leads out of its chunk";
    for (int i = 0; i < DETAILS; i++)
        head->details[i] = ABSENT;
    if (head->kind >= DATA_PAGE && head->kind <= DATA_PAGE_V2) {
        if (!seen[head->kind])
            return "a page header does not say what it must";
        if (of_kind[head->kind] != NULL)
            memcpy(head->details, of_kind[head->kind], sizeof head->details);
    }
    head->size = (size_t)(rest.data - from->data);
    return step_over(from, head->size + (uint64_t)head->packed);
}
