/* Page headers, in Thrift's compact protocol: skimmed, read as far as is needed, and written with other words. */
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

/* The fields in which a header has what is of its kind, its statistics, and its flag. */
static int details_of(int kind)
{
    return kind == DATA_PAGE ? 5 : kind == DICTIONARY_PAGE ? 7 : 8;
}

static int statistics_of(int kind)
{
    return kind == DATA_PAGE ? 5 : kind == DICTIONARY_PAGE ? 0 : 8;
}

static int flag_of(int kind)
{
    return kind == DATA_PAGE ? 0 : kind == DICTIONARY_PAGE ? 3 : 7;
}

static const int BOUND_FIELDS[BOUNDS] = {1, 2, 5, 6};

enum { NULLS_FIELD = 3, EXACT_FIELD = 7 };

/* One field: its number, its type, and the bytes of its value. A truth has none. */
typedef struct {
    int64_t number;
    int type;
    View value;
} Field;

static Fault next_field(View *from, Field *field)
{
    Fault fault = take_field(from, &field->number, &field->type);
    const uint8_t *start = from->data;
    if (fault == NULL && field->type != STOP && field->type != IS_TRUE && field->type != IS_FALSE)
        fault = skip(from, field->type, 0);
    field->value = (View){start, (size_t)(from->data - start)};
    return fault;
}

static int is_truth(int type)
{
    return type == IS_TRUE || type == IS_FALSE;
}

static Fault take_bound(View from, View *bound)
{
    uint64_t size = 0;
    Fault fault = take_varint(&from, &size);
    *bound = (View){from.data, (size_t)size};
    return fault;
}

static Fault take_statistics(View from, Statistics *found)
{
    Field field = {0, STOP, {NULL, 0}};
    *found = (Statistics){{{NULL, 0}}, ABSENT, {UNTOLD, UNTOLD}};
    for (;;) {
        Fault fault = next_field(&from, &field);
        if (fault != NULL || field.type == STOP)
            return fault;
        for (int i = 0; i < BOUNDS && fault == NULL; i++)
            if (field.number == BOUND_FIELDS[i])
                fault = field.type == BINARY ? take_bound(field.value, &found->bounds[i]) : "a bound that is no bytes";
        if (field.number == NULLS_FIELD && is_number(field.type))
            fault = take_zigzag(&field.value, &found->nulls);
        if ((field.number == EXACT_FIELD || field.number == EXACT_FIELD + 1) && is_truth(field.type))
            found->exact[field.number - EXACT_FIELD] = field.type == IS_TRUE;
        if (fault != NULL)
            return fault;
    }
}

static Fault said_of_kind(View from, int kind, Said *said)
{
    Field field = {0, STOP, {NULL, 0}};
    for (;;) {
        Fault fault = next_field(&from, &field);
        if (fault != NULL || field.type == STOP)
            return fault;
        if (kind == DATA_PAGE_V2 && field.number == 5 && is_number(field.type))
            fault = take_zigzag(&field.value, &said->definition_size);
        else if (kind == DATA_PAGE_V2 && field.number == 6 && is_number(field.type))
            fault = take_zigzag(&field.value, &said->repetition_size);
        else if (field.number == flag_of(kind) && is_truth(field.type))
            said->flag = field.type == IS_TRUE;
        else if (field.number == statistics_of(kind) && field.type == STRUCT) {
            said->has_statistics = 1;
            fault = take_statistics(field.value, &said->statistics);
        }
        if (fault != NULL)
            return fault;
    }
}

Fault head_said(View head, int kind, Said *said)
{
    Field field = {0, STOP, {NULL, 0}};
    memset(said, 0, sizeof *said);
    said->crc = said->definition_size = said->repetition_size = ABSENT;
    said->flag = UNTOLD;
    for (;;) {
        Fault fault = next_field(&head, &field);
        if (fault != NULL || field.type == STOP)
            return fault;
        if (field.number == 4 && is_number(field.type))
            fault = take_zigzag(&field.value, &said->crc);
        else if (field.number == details_of(kind) && field.type == STRUCT)
            fault = said_of_kind(field.value, kind, said);
        if (fault != NULL)
            return fault;
    }
}

static Fault put_byte(Bytes *to, int byte)
{
    uint8_t one = (uint8_t)byte;
    return bytes_append(to, &one, 1);
}

static Fault put_field(Bytes *to, int64_t *last, const Field *field)
{
    int64_t apart = field->number - *last;
    Fault fault = put_byte(to, apart < 16 ? (int)apart << 4 | field->type : field->type);
    if (fault == NULL && apart >= 16)
        fault = put_zigzag(to, field->number);
    *last = field->number;
    return fault != NULL ? fault : bytes_append(to, field->value.data, field->value.size);
}

/* Another value for a field, ascending by number. */
typedef struct {
    Field field;       /* STOP: the field goes */
    int if_there;      /* only where the old struct has it */
    uint8_t number[10]; /* room for the value of a number */
} Change;

static void set_number(Change *change, int64_t field, int type, int64_t number)
{
    Bytes room = {change->number, 0, sizeof change->number, 1};
    put_zigzag(&room, number);
    change->field = (Field){field, type, {change->number, room.size}};
}

static void set_truth(Change *change, int64_t field, int truth)
{
    change->field = (Field){field, truth ? IS_TRUE : IS_FALSE, {NULL, 0}};
}

/* A struct with changes; all its other fields stay as they are. */
static Fault merge(View old, const Change *changes, int count, Bytes *to)
{
    Field field = {0, STOP, {NULL, 0}};
    int64_t last = 0;
    int next = 0;
    for (;;) {
        int64_t before = field.number;
        Fault fault = next_field(&old, &field);
        if (fault != NULL)
            return fault;
        if (field.type != STOP && (field.number <= before || field.number > INT16_MAX))
            return UNORDERED;
        for (; next < count && (field.type == STOP || changes[next].field.number < field.number); next++)
            if (changes[next].field.type != STOP && !changes[next].if_there &&
                (fault = put_field(to, &last, &changes[next].field)) != NULL)
                return fault;
        if (field.type == STOP)
            return put_byte(to, STOP);
        const Field *kept = &field;
        if (next < count && changes[next].field.number == field.number)
            kept = &changes[next++].field;
        if (kept->type != STOP && (fault = put_field(to, &last, kept)) != NULL)
            return fault;
    }
}

static Fault put_statistics(const Statistics *statistics, Bytes *to)
{
    Bytes bounds[BOUNDS] = {{0}};
    Change changes[BOUNDS + 3];
    int count = 0;
    Fault fault = NULL;
    memset(changes, 0, sizeof changes);
    for (int number = 1; number <= EXACT_FIELD + 1 && fault == NULL; number++) {
        for (int i = 0; i < BOUNDS && fault == NULL; i++) {
            View bound = statistics->bounds[i];
            if (number != BOUND_FIELDS[i] || bound.data == NULL)
                continue;
            fault = put_varint(&bounds[i], bound.size);
            if (fault == NULL)
                fault = bytes_append(&bounds[i], bound.data, bound.size);
            changes[count++].field = (Field){number, BINARY, {bounds[i].data, bounds[i].size}};
        }
        if (number == NULLS_FIELD && statistics->nulls != ABSENT)
            set_number(&changes[count++], number, I64, statistics->nulls);
        if (number >= EXACT_FIELD && statistics->exact[number - EXACT_FIELD] != UNTOLD)
            set_truth(&changes[count++], number, statistics->exact[number - EXACT_FIELD]);
    }
    static const uint8_t EMPTY[] = {STOP};
    if (fault == NULL)
        fault = merge((View){EMPTY, 1}, changes, count, to);
    for (int i = 0; i < BOUNDS; i++)
        bytes_free(&bounds[i]);
    return fault;
}

static Fault put_details(View old, int kind, const Changes *new, Bytes *to)
{
    Bytes statistics = {0};
    Change changes[NUMBERS + 1];
    int count = 0;
    Fault fault = new->statistics == NULL ? NULL : put_statistics(new->statistics, &statistics);
    memset(changes, 0, sizeof changes);
    for (int number = 1; number <= NUMBERS + 1; number++) {
        if (number == statistics_of(kind)) {
            int type = new->statistics == NULL ? STOP : STRUCT;
            changes[count++].field = (Field){number, type, {statistics.data, statistics.size}};
        } else if (number == flag_of(kind) && new->flag != UNTOLD)
            set_truth(&changes[count++], number, new->flag);
        else if (number <= NUMBERS && new->numbers[number - 1] != ABSENT)
            set_number(&changes[count++], number, I32, new->numbers[number - 1]);
    }
    if (fault == NULL)
        fault = merge(old, changes, count, to);
    bytes_free(&statistics);
    return fault;
}

Fault head_rewrite(View old, int kind, const Changes *new, Bytes *to)
{
    Field field = {0, STOP, {NULL, 0}};
    View rest = old, details = {NULL, 0};
    Bytes inner = {0};
    Change changes[4];
    memset(changes, 0, sizeof changes);
    Fault fault = next_field(&rest, &field);
    for (; fault == NULL && field.type != STOP; fault = next_field(&rest, &field))
        if (field.number == details_of(kind) && field.type == STRUCT)
            details = field.value;
    if (fault == NULL && details.data == NULL)
        fault = "a page header does not say what it must";
    if (fault == NULL)
        fault = put_details(details, kind, new, &inner);
    set_number(&changes[0], 2, I32, new->unpacked);
    set_number(&changes[1], 3, I32, new->packed);
    set_number(&changes[2], 4, I32, new->crc);
    changes[2].if_there = 1;
    changes[3].field = (Field){details_of(kind), STRUCT, {inner.data, inner.size}};
    if (fault == NULL)
        fault = merge(old, changes, 4, to);
    bytes_free(&inner);
    return fault;
}
