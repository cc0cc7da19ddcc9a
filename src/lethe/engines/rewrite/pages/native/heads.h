/* The header of one page, as far as a walk through its chunk needs it. */
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

#endif
