/* Cutting rows out of a data page: out of its repetition levels, its definition levels and its values. */
#include "page.h"

#include <stdlib.h>

static int width_of(int level)
{
    int width = 0;
    for (; level != 0; level >>= 1)
        width++;
    return width;
}

void cut_free(Cut *cut)
{
    bytes_free(&cut->body);
    bytes_free(&cut->levels);
    bounds_free(&cut->bounds);
}

/* The parts of a page. */
typedef struct {
    View rep, def, values;
} Parts;

static Fault take_levels(View *from, View *levels)
{
    if (from->size < 4)
        return "levels lead out of their page";
    uint32_t size = load_u32(from->data);
    if (size > from->size - 4)
        return "levels lead out of their page";
    levels->data = from->data + 4;
    levels->size = size;
    from->data += 4 + (size_t)size;
    from->size -= 4 + (size_t)size;
    return NULL;
}

static Fault parts_of(const Page *page, Parts *parts)
{
    memset(parts, 0, sizeof *parts);
    if (page->rep_size < 0) {
        View rest = page->body;
        Fault fault = page->max_rep ? take_levels(&rest, &parts->rep) : NULL;
        if (fault == NULL && page->max_def)
            fault = take_levels(&rest, &parts->def);
        parts->values = rest;
        return fault;
    }
    if (page->def_size < 0 || (uint64_t)page->rep_size > page->body.size ||
        (uint64_t)page->def_size > page->body.size - (uint64_t)page->rep_size)
        return "levels lead out of their page";
    parts->rep.data = page->body.data;
    parts->rep.size = (size_t)page->rep_size;
    parts->def.data = page->body.data + page->rep_size;
    parts->def.size = (size_t)page->def_size;
    parts->values = page->values;
    return NULL;
}

static Fault decode_levels(View from, int max, size_t count, uint8_t *levels, int *uniform)
{
    Fault fault = hybrid_decode_levels(from, width_of(max), count, levels, uniform);
    if (fault != NULL)
        return fault;
    uint8_t highest = 0;
    for (size_t i = 0; i < count; i++)
        highest = levels[i] > highest ? levels[i] : highest;
    return highest > max ? "a level is higher than its column allows" : NULL;
}

/* The entries of `from` that have no mark, in their order; returns how many. */
static size_t squeeze(const uint8_t *from, const uint8_t *marks, size_t count, uint8_t *to)
{
    size_t kept = 0;
    for (size_t i = 0; i < count;) {
        size_t marked = marks_skip(marks, i, count);
        if (marked != i)
            memmove(to + kept, from + i, marked - i);
        kept += marked - i;
        size_t end = count - marked < 8 ? count : marked + 8;
        for (i = marked; i < end; i++) {
            to[kept] = from[i];
            kept += !marks[i];
        }
    }
    return kept;
}

/* Levels of both kinds, decoded, and a mark for each value whose row goes. */
typedef struct {
    uint8_t *room;
    uint8_t *rep;
    uint8_t *def;         /* where not each is the highest */
    const uint8_t *marks; /* a value each, nulls included */
    const uint8_t *here;  /* a mark for each value that is not null */
    int def_uniform;
    size_t present;
} Levels;

static Fault levels_of(const Page *page, const Parts *parts, Levels *levels)
{
    memset(levels, 0, sizeof *levels);
    levels->def_uniform = -1;
    size_t count = page->count;
    if (page->max_def < 0 || page->max_def > 255 || page->max_rep < 0 || page->max_rep > 255)
        return "a column is nested too deeply";
    if (page->max_rep == 0 && page->gone.data != NULL && (page->row > page->gone.size || count > page->gone.size - page->row))
        return "a column has more rows than its row group";
    levels->room = malloc(4 * count + 1);
    if (levels->room == NULL)
        return NO_MEMORY;
    levels->rep = levels->room;
    levels->def = levels->room + count;
    Fault fault = NULL;
    int uniform;
    if (page->max_rep)
        fault = decode_levels(parts->rep, page->max_rep, count, levels->rep, &uniform);
    if (page->max_def && hybrid_is_all(parts->def, width_of(page->max_def), count, (uint32_t)page->max_def))
        levels->def_uniform = page->max_def;
    else if (fault == NULL && page->max_def)
        fault = decode_levels(parts->def, page->max_def, count, levels->def, &levels->def_uniform);
    if (fault != NULL)
        return fault;
    if (page->max_def == 0 || levels->def_uniform == page->max_def) {
        levels->present = count;
    } else {
        for (size_t i = 0; i < count; i++)
            levels->present += levels->def[i] == page->max_def;
    }
    return NULL;
}

static Fault mark_values(const Page *page, Levels *levels, Cut *cut)
{
    size_t count = page->count;
    if (page->row > page->gone.size)
        return "a column has more rows than its row group";
    if (page->max_rep == 0) {
        if (count > page->gone.size - page->row)
            return "a column has more rows than its row group";
        levels->marks = page->gone.data + page->row;
        cut->rows = count;
    } else {
        uint8_t *marks = levels->room + 2 * count;
        size_t row = page->row;
        levels->marks = marks;
        for (size_t i = 0; i < count; i++) {
            if (levels->rep[i] == 0) {
                if (row >= page->gone.size)
                    return "a column has more rows than its row group";
                row++;
            } else if (row == 0)
                return "a column begins in the middle of a row";
            marks[i] = page->gone.data[row - 1];
        }
        cut->rows = row - page->row;
    }
    /* In sums of their own, without a way out, so that the compiler makes vectors of them. */
    size_t rows_gone = 0, values_gone = 0;
    uint8_t seen = 0;
    for (size_t i = 0; i < cut->rows; i++)
        rows_gone += page->gone.data[page->row + i];
    for (size_t i = 0; i < count; i++) {
        values_gone += levels->marks[i];
        seen |= levels->marks[i];
    }
    if (seen > 1)
        return "a mark that is none";
    cut->rows_kept = cut->rows - rows_gone;
    cut->values_kept = count - values_gone;
    cut->values = count;
    cut->nulls = cut->nulls_kept = count - levels->present;
    if (levels->present == count) {
        levels->here = levels->marks;
        return NULL;
    }
    uint8_t *here = levels->room + 3 * count;
    size_t present = 0;
    levels->here = here;
    for (size_t i = 0; i < count; i++) {
        if (levels->def[i] == page->max_def)
            here[present++] = levels->marks[i];
        else
            cut->nulls_kept -= levels->marks[i];
    }
    return NULL;
}

/* A greatest value that was shortened had its last character raised; of UTF-8, that may be four bytes. */
static const size_t LAST_CHARACTER = 4;

static unsigned touches(const Page *page, View value, unsigned touched)
{
    for (int i = 0; i < page->mark_count; i++) {
        View mark = page->marks[i];
        size_t compared = mark.size;
        if (page->loose >> i & 1 && value.size > mark.size)
            compared = mark.size < LAST_CHARACTER ? 0 : mark.size - LAST_CHARACTER;
        else if (value.size != mark.size)
            continue;
        /* The last byte and the first one: texts of a column often begin alike, and numbers end alike. */
        if (compared == 0 || (value.data[compared - 1] == mark.data[compared - 1] && value.data[0] == mark.data[0] &&
                              memcmp(value.data, mark.data, compared) == 0))
            touched |= 1u << i;
    }
    return touched;
}

static Fault entry_of(const Page *page, uint32_t index, View *value)
{
    if (page->kind.shape == STRINGS) {
        if (index >= page->starts.size / 4)
            return "an index leads out of its dictionary";
        uint32_t start = load_u32(page->starts.data + 4 * (size_t)index);
        if (start > page->dictionary.size)
            return "an index leads out of its dictionary";
        View rest = {page->dictionary.data + start, page->dictionary.size - start};
        return plain_next(page->kind, &rest, value);
    }
    if (page->kind.width == 0 || index >= page->dictionary.size / page->kind.width)
        return "an index leads out of its dictionary";
    value->data = page->dictionary.data + (size_t)index * page->kind.width;
    value->size = page->kind.width;
    return NULL;
}

static Fault decode_indices(View values, size_t count, size_t entries, uint32_t *indices, int *width, int *more)
{
    *width = 0;
    if (count == 0) {
        /* Their width may stand there all the same. */
        if (more != NULL)
            *more = values.size > 1;
        return NULL;
    }
    if (values.size == 0)
        return "indices lead out of their page";
    *width = values.data[0];
    View rest = {values.data + 1, values.size - 1};
    Fault fault = hybrid_decode(rest, *width, count, indices, more);
    if (fault != NULL)
        return fault;
    uint32_t highest = 0;
    for (size_t i = 0; i < count; i++)
        highest = indices[i] > highest ? indices[i] : highest;
    return highest >= entries ? "an index leads out of its dictionary" : NULL;
}

/* Below null structs some writers put values that no row has, and count them in bounds and dictionary. */
static void found_surplus(Cut *cut)
{
    cut->surplus = 1;
    cut->touched = ~0u;
}

static Fault cut_indices(const Page *page, View values, const uint8_t *marks, size_t count, Cut *cut, Bytes *to)
{
    uint32_t *indices = malloc((count ? 2 * count : 1) * sizeof(uint32_t));
    if (indices == NULL)
        return NO_MEMORY;
    uint32_t *gone = indices + count;
    int width = 0, more = 0;
    size_t kept = 0, lost = 0;
    Fault fault = decode_indices(values, count, page->entries, indices, &width, &more);
    if (fault == NULL && more && to != NULL)
        found_surplus(cut);
    for (size_t i = 0; i < count && fault == NULL;) {
        for (; count - i >= 8 && load_u64(marks + i) == 0; i += 8, kept += 8) {
            uint32_t eight[8];
            memcpy(eight, indices + i, sizeof eight);
            memcpy(indices + kept, eight, sizeof eight);
        }
        size_t end = count - i < 8 ? count : i + 8;
        for (; i < end; i++) {
            /* Both at every value, so that there is no branch that cannot be foreseen. */
            uint32_t index = indices[i];
            indices[kept] = index;
            gone[lost] = index;
            kept += !marks[i];
            lost += marks[i];
        }
    }
    uint8_t *used = page->used;
    for (size_t i = 0; i < kept; i++)
        used[indices[i]] = 1;
    for (size_t i = 0; i < lost && fault == NULL; i++) {
        /* An entry that went before in this page was looked at then. One that a row of the page still uses touches no
         * bound: its value is there as before. */
        uint32_t index = gone[i];
        if (page->lost[index])
            continue;
        page->lost[index] = 1;
        if (page->mark_count && !page->used[index]) {
            View value;
            fault = entry_of(page, index, &value);
            if (fault == NULL)
                cut->touched = touches(page, value, cut->touched);
        }
    }
    if (fault == NULL && to != NULL) {
        uint8_t first = (uint8_t)width;
        fault = bytes_append(to, &first, 1);
        if (fault == NULL)
            fault = width == 0 && kept ? put_varint(to, (uint64_t)kept << 1) : hybrid_encode(to, width, kept, indices);
    }
    free(indices);
    return fault;
}

static Fault cut_values(const Page *page, View values, const uint8_t *marks, size_t count, Cut *cut, Bytes *to)
{
    if (page->kind.encoding == DICTIONARY)
        return cut_indices(page, values, marks, count, cut, to);
    Bytes gone = {0}, decoded = {0};
    Kind plainly = {PLAIN, page->kind.shape, page->kind.width};
    Bytes *kept = is_plain(page->kind) ? to : &decoded;
    size_t start = kept->size, left = 0;
    Fault fault = bytes_reserve(to, values.size);
    if (fault == NULL)
        fault = values_cut(page->kind, values, marks, count, kept, &left, &gone);
    if (fault == NULL && is_plain(page->kind) && kept->size - start + gone.size < values.size)
        found_surplus(cut);
    View rest = {gone.data, gone.size}, value;
    while (fault == NULL && page->mark_count && rest.size != 0) {
        fault = plain_next(plainly, &rest, &value);
        if (fault == NULL)
            cut->touched = touches(page, value, cut->touched);
    }
    if (fault == NULL && left != 0 && page->order != NO_ORDER && (page->eager || cut->touched)) {
        View plain = {kept->data + start, kept->size - start};
        fault = bounds_find(plainly, plain, left, &cut->bounds);
    }
    if (fault == NULL && kept != to) {
        View plain = {decoded.data, decoded.size};
        fault = values_encode(page->kind, plain, left, to);
    }
    bytes_free(&gone);
    bytes_free(&decoded);
    return fault;
}

/* `uniform` is the level that all have, or -1. */
static Fault put_levels(Bytes *to, int max, const uint8_t *levels, int uniform, size_t count, int prefixed, size_t *size)
{
    *size = 0;
    if (max == 0)
        return NULL;
    Fault fault = prefixed ? bytes_append(to, "\0\0\0\0", 4) : NULL;
    size_t start = to->size;
    if (fault == NULL)
        fault = uniform < 0 ? hybrid_encode_levels(to, width_of(max), count, levels)
                            : hybrid_encode_run(to, width_of(max), count, (uint32_t)uniform);
    if (fault != NULL)
        return fault;
    *size = to->size - start;
    if (prefixed)
        store_u32(to->data + start - 4, (uint32_t)*size);
    return NULL;
}

Fault page_cut(const Page *page, uint8_t *room, size_t room_size, Cut *cut)
{
    Parts parts;
    Levels levels;
    memset(cut, 0, sizeof *cut);
    cut->body = (Bytes){room, 0, room_size, 1};
    cut->bounds.order = page->order;
    Fault fault = parts_of(page, &parts);
    if (fault != NULL)
        return fault;
    fault = levels_of(page, &parts, &levels);
    if (fault == NULL)
        fault = mark_values(page, &levels, cut);
    if (fault == NULL && cut->values_kept == cut->values) {
        /* Nothing goes: only what the page uses of its dictionary is of interest. */
        if (page->kind.encoding == DICTIONARY)
            fault = cut_indices(page, parts.values, levels.here, levels.present, cut, NULL);
    } else if (fault == NULL) {
        size_t kept = cut->values_kept;
        int prefixed = page->rep_size < 0;
        Bytes *to = prefixed ? &cut->body : &cut->levels;
        fault = bytes_reserve(&cut->body, page->body.size + parts.values.size / 8 + 64);
        if (fault == NULL && page->max_rep) {
            squeeze(levels.rep, levels.marks, page->count, levels.rep);
            fault = put_levels(to, page->max_rep, levels.rep, -1, kept, prefixed, &cut->rep_size);
        }
        if (fault == NULL && page->max_def) {
            if (levels.def_uniform < 0)
                squeeze(levels.def, levels.marks, page->count, levels.def);
            fault = put_levels(to, page->max_def, levels.def, levels.def_uniform, kept, prefixed, &cut->def_size);
        }
        if (fault == NULL)
            fault = cut_values(page, parts.values, levels.here, levels.present, cut, &cut->body);
    }
    free(levels.room);
    return fault;
}

Fault indices_mark(View values, size_t count, size_t entries, uint8_t *used)
{
    uint32_t *indices = malloc((count ? count : 1) * sizeof(uint32_t));
    int width;
    if (indices == NULL)
        return NO_MEMORY;
    Fault fault = decode_indices(values, count, entries, indices, &width, NULL);
    for (size_t i = 0; i < count && fault == NULL; i++)
        used[indices[i]] = 1;
    free(indices);
    return fault;
}

void sifted_free(Sifted *of)
{
    bytes_free(&of->rows);
    bytes_free(&of->sizes);
    bytes_free(&of->values);
}

static Fault sifted_add(Sifted *to, int32_t row, View value)
{
    if (value.size > INT32_MAX)
        return "a value is too long";
    Fault fault = bytes_reserve(&to->rows, 4);
    if (fault == NULL)
        fault = bytes_reserve(&to->sizes, 4);
    if (fault == NULL)
        fault = bytes_append(&to->values, value.data, value.size);
    if (fault != NULL)
        return fault;
    store_u32(to->rows.data + to->rows.size, (uint32_t)row);
    store_u32(to->sizes.data + to->sizes.size, (uint32_t)value.size);
    to->rows.size += 4;
    to->sizes.size += 4;
    return NULL;
}

/* The row of each value that is not null, counted from the page's first; NULL where each row has one. A value before it
 * is of row -1. */
static Fault rows_of(const Page *page, const Levels *levels, int32_t **rows, size_t *begun)
{
    *rows = NULL;
    *begun = page->count;
    if (page->count > INT32_MAX)
        return "a page of too many values";
    if (page->max_rep == 0 && levels->present == page->count)
        return NULL;
    *rows = malloc((page->count + 1) * sizeof(int32_t));
    if (*rows == NULL)
        return NO_MEMORY;
    int all_present = levels->present == page->count;
    size_t present = 0;
    int32_t row = -1;
    for (size_t i = 0; i < page->count; i++) {
        row += page->max_rep == 0 || levels->rep[i] == 0;
        (*rows)[present] = row;
        present += all_present || levels->def[i] == page->max_def;
    }
    *begun = (size_t)(row + 1);
    return NULL;
}

static Fault sift_indices(const Page *page, View values, size_t count, const int32_t *rows, const uint8_t *entries, Sifted *sifted)
{
    uint32_t *indices = malloc((count ? count : 1) * sizeof(uint32_t));
    int width;
    if (indices == NULL)
        return NO_MEMORY;
    Fault fault = decode_indices(values, count, page->entries, indices, &width, NULL);
    for (size_t i = 0; i < count && fault == NULL; i++) {
        View value;
        if (!entries[indices[i]])
            continue;
        fault = entry_of(page, indices[i], &value);
        if (fault == NULL)
            fault = sifted_add(sifted, rows == NULL ? (int32_t)i : rows[i], value);
    }
    free(indices);
    return fault;
}

static Fault sift_plain(Kind kind, View values, size_t count, const int32_t *rows, View sieve, int folded, Sifted *sifted)
{
    Passed *passed = malloc((count + 1) * sizeof(Passed));
    size_t number = 0;
    if (passed == NULL)
        return NO_MEMORY;
    Fault fault = sieve_pass(kind, values, count, sieve, folded, passed, &number);
    for (size_t i = 0; i < number && fault == NULL; i++) {
        View rest = {values.data + passed[i].start, values.size - passed[i].start}, value;
        fault = plain_next(kind, &rest, &value);
        if (fault == NULL)
            fault = sifted_add(sifted, rows == NULL ? (int32_t)passed[i].number : rows[passed[i].number], value);
    }
    free(passed);
    return fault;
}

Fault page_sift(const Page *page, View sieve, int folded, const uint8_t *entries, Sifted *sifted)
{
    Parts parts;
    Levels levels;
    if (page->kind.shape == BITS)
        return "a column in which values are not looked for";
    Fault fault = parts_of(page, &parts);
    if (fault != NULL)
        return fault;
    fault = levels_of(page, &parts, &levels);
    Kind plainly = {PLAIN, page->kind.shape, page->kind.width};
    Bytes plain = {0};
    int32_t *rows = NULL;
    if (fault == NULL)
        fault = rows_of(page, &levels, &rows, &sifted->begun);
    if (fault == NULL && page->kind.encoding == DICTIONARY)
        fault = sift_indices(page, parts.values, levels.present, rows, entries, sifted);
    else if (fault == NULL && page->kind.encoding == PLAIN)
        fault = sift_plain(plainly, parts.values, levels.present, rows, sieve, folded, sifted);
    else if (fault == NULL) {
        fault = values_plain(page->kind, parts.values, levels.present, &plain);
        View all = {plain.data, plain.size};
        if (fault == NULL)
            fault = sift_plain(plainly, all, levels.present, rows, sieve, folded, sifted);
    }
    bytes_free(&plain);
    free(rows);
    free(levels.room);
    return fault;
}

Fault page_values(const Page *page, View *values, size_t *present)
{
    Parts parts;
    Levels levels;
    Fault fault = parts_of(page, &parts);
    if (fault != NULL)
        return fault;
    fault = levels_of(page, &parts, &levels);
    *present = levels.present;
    *values = parts.values;
    free(levels.room);
    return fault;
}
