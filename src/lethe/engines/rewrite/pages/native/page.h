/* One data page, cut. */
#ifndef LETHE_PAGE_H
#define LETHE_PAGE_H

#include "native.h"

enum { MARKS_MAX = 16 };

/* What the caller knows of a page. */
typedef struct {
    View body;            /* version 1: all of it; version 2: the levels */
    View values;          /* version 2: the values */
    int64_t rep_size;     /* version 2: bytes of repetition levels; version 1: -1 */
    int64_t def_size;
    size_t count;         /* values, nulls included */
    int max_rep, max_def;
    Kind kind;
    View gone;            /* a mark for each row of the row group: the row goes */
    size_t row;           /* the first row that begins in this page */
    View dictionary;      /* plainly; when the values are indices */
    size_t entries;
    View starts;          /* of strings in the dictionary */
    uint8_t *used;        /* a mark for each entry: a row that stays uses it */
    uint8_t *lost;        /* a row that goes uses it */
    View marks[MARKS_MAX]; /* values for which to look among those that go */
    int mark_count;
    unsigned loose;       /* bit i: marks[i] may be the shortened form of a longer value */
    Order order;          /* in which the values that stay have bounds, unless they are indices */
    int eager;            /* whether these are told also where no value goes that is a mark */
} Page;

typedef struct {
    size_t rows, rows_kept;    /* that begin in this page */
    size_t values, values_kept; /* nulls included */
    size_t nulls, nulls_kept;
    unsigned touched;          /* bit i: a value that goes is marks[i], or may be */
    int surplus;               /* rows went, and there were more values than levels tell, which are not taken along */
    Bounds bounds;             /* of the values that stay */
    Bytes body;                /* like the page's, when rows go: levels and values of version 1; else the values */
    Bytes levels;              /* version 2 */
    size_t rep_size, def_size; /* version 2 */
} Cut;

/* `room` is memory for the body; where that does not fit, it stands elsewhere. */
Fault page_cut(const Page *page, uint8_t *room, size_t room_size, Cut *cut);
void cut_free(Cut *cut);

/* Marks the entries that the values of a page use. */
Fault indices_mark(View values, size_t count, size_t entries, uint8_t *used);
/* Finds the values of a page: after the levels. Counts those that are not null. */
Fault page_values(const Page *page, View *values, size_t *present);

/* The rows of a page that may hold one of some values. */
typedef struct {
    size_t begun; /* rows that begin in the page */
    Bytes rows;   /* signed numbers of 32 bits, counted from the first of these; -1 is the row before */
    Bytes sizes;  /* of their values, 32 bits each */
    Bytes values; /* one behind the other, without lengths */
} Sifted;

/* In the sieve are all values that are looked for, `folded` as `sieve_pass` has it; where values are indices, `entries`
 * has a mark for each entry of the dictionary that may be one of them. */
Fault page_sift(const Page *page, View sieve, int folded, const uint8_t *entries, Sifted *sifted);
void sifted_free(Sifted *of);

#endif
