/* Page headers: what it takes to walk a chunk, to open a page, and to write a header like another one. */
#ifndef LETHE_HEADS_H
#define LETHE_HEADS_H

#include "native.h"

enum { DATA_PAGE = 0, INDEX_PAGE = 1, DICTIONARY_PAGE = 2, DATA_PAGE_V2 = 3, DETAILS = 4 };

/* A number that a header does not give; no number of a header that holds is as low. */
#define ABSENT INT64_MIN

typedef struct {
    size_t size;              /* bytes of the header itself */
    int64_t kind;
    int64_t unpacked, packed; /* bytes of the body */
    int64_t details[DETAILS]; /* fields 1 to 4 of the part that is of its kind */
} Head;

/* Takes one page, its body included, off the beginning of a chunk. */
Fault head_next(View *from, Head *head);

/* A truth that a header does not tell. */
enum { UNTOLD = -1 };

enum { OLD_MAX = 0, OLD_MIN, MAX, MIN, BOUNDS };

/* What a header says of the values of its page. */
typedef struct {
    View bounds[BOUNDS]; /* without data where they are not there */
    int64_t nulls;       /* or ABSENT */
    int exact[2];        /* whether MAX and MIN are values: 0, 1, or UNTOLD */
} Statistics;

/* What it takes to open a page, and to write it anew. */
typedef struct {
    int64_t crc;                          /* or ABSENT */
    int64_t definition_size, repetition_size; /* of the levels, in version 2 */
    int flag;                             /* version 2: it is compressed; a dictionary: it is sorted; or UNTOLD */
    int has_statistics;
    Statistics statistics;
} Said;

/* Of a page of one of the kinds that are cut. */
Fault head_said(View head, int kind, Said *said);

enum { NUMBERS = 7 };

/* What a new header says otherwise than the old one. */
typedef struct {
    int64_t unpacked, packed;
    int64_t crc;                      /* where the old header has one */
    int64_t numbers[NUMBERS];         /* fields 1 to 7 of the part that is of its kind; ABSENT where the old one counts */
    int flag;                         /* as of `Said`; UNTOLD where the old one counts */
    const Statistics *statistics;     /* NULL where there are none */
} Changes;

/* Whatever else the old header has, also what nobody here understands, stays byte for byte. */
Fault head_rewrite(View old, int kind, const Changes *changes, Bytes *to);

#endif
