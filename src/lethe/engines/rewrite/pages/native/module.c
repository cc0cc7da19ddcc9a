/* The module as Python sees it. Buffers come in, bytes go out; the loops run without the interpreter's lock. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "heads.h"
#include "page.h"

#include <stdlib.h>

static PyObject *Malformed, *Uncut;

static PyObject *raised(Fault fault)
{
    if (fault == NO_MEMORY)
        return PyErr_NoMemory();
    PyErr_SetString(fault == MORE_VALUES || fault == UNORDERED ? Uncut : Malformed, fault);
    return NULL;
}

static View view_of(const Py_buffer *buffer)
{
    View view = {buffer->buf, (size_t)buffer->len};
    return view;
}

static int kind_of(int encoding, int shape, Py_ssize_t width, Kind *kind)
{
    /* A dictionary's old name is another one of the same encoding. */
    kind->encoding = encoding == 2 ? DICTIONARY : (Encoding)encoding;
    kind->shape = (Shape)shape;
    kind->width = (size_t)width;
    if (shape < BITS || shape > STRINGS || width < 0 || width > INT32_MAX || (shape == FIXED && width == 0)) {
        PyErr_SetString(PyExc_ValueError, "no such shape of values");
        return 0;
    }
    return 1;
}

static PyObject *bytes_of(const Bytes *from)
{
    return PyBytes_FromStringAndSize((const char *)from->data, (Py_ssize_t)from->size);
}

static PyObject *taken(Bytes *from, Fault fault)
{
    PyObject *result = fault == NULL ? bytes_of(from) : raised(fault);
    bytes_free(from);
    return result;
}

static const Py_ssize_t COUNT_MAX = (Py_ssize_t)1 << 31;

static int countable(Py_ssize_t count)
{
    if (count >= 0 && count < COUNT_MAX)
        return 1;
    raised("a count that is not possible");
    return 0;
}

/* The least and the greatest, or None. */
static PyObject *bounds_of(const Bounds *from)
{
    return from->known ? Py_BuildValue("NN", bytes_of(&from->low), bytes_of(&from->high)) : Py_NewRef(Py_None);
}

/* cut(body, rep_size, def_size, values, count, max_rep, max_def, encoding, shape, width, gone, row,
 *     dictionary, entries, starts, used, lost, marks, loose, order, eager, room) */
static PyObject *py_cut(PyObject *self, PyObject *args)
{
    Py_buffer body, values, gone, dictionary, starts, used, lost, room, marks[MARKS_MAX];
    PyObject *wanted, *lender, *result = NULL;
    Page page = {0};
    Cut cut = {0};
    Py_ssize_t count, width, row, entries;
    long long rep_size, def_size;
    int encoding, shape, order, held = 0;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*LLy*niiiiny*ny*ny*w*w*O!IipO", &body, &rep_size, &def_size, &values, &count, &page.max_rep,
                          &page.max_def, &encoding, &shape, &width, &gone, &row, &dictionary, &entries, &starts, &used,
                          &lost, &PyTuple_Type, &wanted, &page.loose, &order, &page.eager, &lender))
        return NULL;
    if (PyObject_GetBuffer(lender, &room, PyBUF_WRITABLE) < 0) {
        room.obj = NULL;
        goto done;
    }
    if (!kind_of(encoding, shape, width, &page.kind) || !countable(count) || !countable(row) || !countable(entries))
        goto done;
    if (PyTuple_Size(wanted) > MARKS_MAX || used.len < entries || lost.len < entries || order < NO_ORDER ||
        order > BIG_ENDIAN) {
        PyErr_SetString(PyExc_ValueError, "too many values to look for, too few marks, or no such order");
        goto done;
    }
    for (; held < PyTuple_Size(wanted); held++) {
        if (PyObject_GetBuffer(PyTuple_GetItem(wanted, held), &marks[held], PyBUF_SIMPLE) < 0)
            goto done;
        page.marks[held] = view_of(&marks[held]);
    }
    page.mark_count = held;
    page.body = view_of(&body);
    page.values = view_of(&values);
    page.rep_size = rep_size;
    page.def_size = def_size;
    page.count = (size_t)count;
    page.gone = view_of(&gone);
    page.row = (size_t)row;
    page.dictionary = view_of(&dictionary);
    page.entries = (size_t)entries;
    page.starts = view_of(&starts);
    page.used = used.buf;
    page.lost = lost.buf;
    page.order = (Order)order;
    Fault fault;
    Py_BEGIN_ALLOW_THREADS
    fault = page_cut(&page, room.buf, (size_t)room.len, &cut);
    Py_END_ALLOW_THREADS
    if (fault != NULL) {
        raised(fault);
        goto done;
    }
    PyObject *new_body = cut.body.lent ? PySequence_GetSlice(lender, 0, (Py_ssize_t)cut.body.size) : bytes_of(&cut.body);
    PyObject *levels = bytes_of(&cut.levels), *bounds = bounds_of(&cut.bounds);
    if (new_body != NULL && levels != NULL && bounds != NULL)
        result = Py_BuildValue("nnnnnnIOOnnOi", (Py_ssize_t)cut.rows, (Py_ssize_t)cut.rows_kept, (Py_ssize_t)cut.values,
                               (Py_ssize_t)cut.values_kept, (Py_ssize_t)cut.nulls, (Py_ssize_t)cut.nulls_kept,
                               cut.touched, new_body, levels, (Py_ssize_t)cut.rep_size, (Py_ssize_t)cut.def_size, bounds,
                               cut.surplus);
    Py_XDECREF(new_body);
    Py_XDECREF(levels);
    Py_XDECREF(bounds);
done:
    cut_free(&cut);
    if (room.obj != NULL)
        PyBuffer_Release(&room);
    while (held > 0)
        PyBuffer_Release(&marks[--held]);
    PyBuffer_Release(&body);
    PyBuffer_Release(&values);
    PyBuffer_Release(&gone);
    PyBuffer_Release(&dictionary);
    PyBuffer_Release(&starts);
    PyBuffer_Release(&used);
    PyBuffer_Release(&lost);
    return result;
}

/* values(body, rep_size, def_size, values, count, max_rep, max_def, encoding, shape, width) */
static PyObject *py_values(PyObject *self, PyObject *args)
{
    Py_buffer body, values;
    Page page = {0};
    Bytes plain = {0};
    PyObject *result = NULL;
    Py_ssize_t count, width;
    long long rep_size, def_size;
    int encoding, shape;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*LLy*niiiin", &body, &rep_size, &def_size, &values, &count, &page.max_rep, &page.max_def,
                          &encoding, &shape, &width))
        return NULL;
    if (kind_of(encoding, shape, width, &page.kind) && countable(count)) {
        page.body = view_of(&body);
        page.values = view_of(&values);
        page.rep_size = rep_size;
        page.def_size = def_size;
        page.count = (size_t)count;
        Fault fault;
        View found;
        size_t present = 0;
        Py_BEGIN_ALLOW_THREADS
        fault = page_values(&page, &found, &present);
        if (fault == NULL)
            fault = page.kind.encoding == DICTIONARY ? bytes_append(&plain, found.data, found.size)
                                                     : values_plain(page.kind, found, present, &plain);
        Py_END_ALLOW_THREADS
        PyObject *bytes = taken(&plain, fault);
        if (bytes != NULL) {
            result = Py_BuildValue("On", bytes, (Py_ssize_t)present);
            Py_DECREF(bytes);
        }
    }
    PyBuffer_Release(&body);
    PyBuffer_Release(&values);
    return result;
}

/* mark(indices, count, entries, used) */
static PyObject *py_mark(PyObject *self, PyObject *args)
{
    Py_buffer values, used;
    Py_ssize_t count, entries;
    PyObject *result = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*nnw*", &values, &count, &entries, &used))
        return NULL;
    if (countable(count) && countable(entries)) {
        Fault fault = "too few marks";
        if (used.len >= entries) {
            Py_BEGIN_ALLOW_THREADS
            fault = indices_mark(view_of(&values), (size_t)count, (size_t)entries, used.buf);
            Py_END_ALLOW_THREADS
        }
        result = fault == NULL ? Py_NewRef(Py_None) : raised(fault);
    }
    PyBuffer_Release(&values);
    PyBuffer_Release(&used);
    return result;
}

typedef Fault (*Marked)(Kind, View, const uint8_t *, size_t, Bytes *);

static PyObject *marked(PyObject *args, Marked function)
{
    Py_buffer values, marks;
    Bytes out = {0};
    Kind kind;
    Py_ssize_t width;
    int shape;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*iny*", &values, &shape, &width, &marks))
        return NULL;
    if (kind_of(PLAIN, shape, width, &kind)) {
        Fault fault = NULL;
        Py_BEGIN_ALLOW_THREADS
        uint8_t seen = 0;
        for (Py_ssize_t i = 0; i < marks.len; i++)
            seen |= ((const uint8_t *)marks.buf)[i];
        if (seen > 1)
            fault = "a mark that is none";
        if (fault == NULL)
            fault = function(kind, view_of(&values), marks.buf, (size_t)marks.len, &out);
        Py_END_ALLOW_THREADS
        result = taken(&out, fault);
    }
    PyBuffer_Release(&values);
    PyBuffer_Release(&marks);
    return result;
}

/* select(plain, shape, width, marks) */
static PyObject *py_select(PyObject *self, PyObject *args)
{
    (void)self;
    return marked(args, plain_select);
}

/* scrub(plain, shape, width, marks) */
static PyObject *py_scrub(PyObject *self, PyObject *args)
{
    (void)self;
    return marked(args, plain_scrub);
}

/* starts(plain, count) */
static PyObject *py_starts(PyObject *self, PyObject *args)
{
    Py_buffer values;
    Bytes out = {0};
    Py_ssize_t count;
    PyObject *result = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*n", &values, &count))
        return NULL;
    if (countable(count)) {
        Fault fault;
        Py_BEGIN_ALLOW_THREADS
        fault = count > values.len / 4 ? "a dictionary has fewer entries than it says"
                                       : plain_starts(view_of(&values), (size_t)count, &out);
        Py_END_ALLOW_THREADS
        result = taken(&out, fault);
    }
    PyBuffer_Release(&values);
    return result;
}

/* bounds(plain, count, shape, width, order) */
static PyObject *py_bounds(PyObject *self, PyObject *args)
{
    Py_buffer values;
    Kind kind;
    Py_ssize_t count, width;
    int shape, order;
    PyObject *result = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*nini", &values, &count, &shape, &width, &order))
        return NULL;
    if (kind_of(PLAIN, shape, width, &kind) && countable(count)) {
        View low, high;
        Fault fault;
        Py_BEGIN_ALLOW_THREADS
        fault = order < SIGNED || order > BIG_ENDIAN
                    ? "no such order"
                    : plain_bounds(kind, (Order)order, view_of(&values), (size_t)count, &low, &high);
        Py_END_ALLOW_THREADS
        if (fault != NULL)
            raised(fault);
        else if (low.data == NULL)
            result = Py_NewRef(Py_None);
        else
            result = Py_BuildValue("y#y#", low.data, (Py_ssize_t)low.size, high.data, (Py_ssize_t)high.size);
    }
    PyBuffer_Release(&values);
    return result;
}

typedef Fault (*Added)(Kind, View, size_t, uint8_t *, size_t);

static PyObject *added(PyObject *args, Added function)
{
    Py_buffer to, values;
    Kind kind;
    Py_ssize_t count, width;
    int shape;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "w*y*nin", &to, &values, &count, &shape, &width))
        return NULL;
    if (kind_of(PLAIN, shape, width, &kind) && countable(count)) {
        Fault fault;
        Py_BEGIN_ALLOW_THREADS
        fault = function(kind, view_of(&values), (size_t)count, to.buf, (size_t)to.len);
        Py_END_ALLOW_THREADS
        result = fault == NULL ? Py_NewRef(Py_None) : raised(fault);
    }
    PyBuffer_Release(&to);
    PyBuffer_Release(&values);
    return result;
}

/* bloom_add(filter, plain, count, shape, width) */
static PyObject *py_bloom_add(PyObject *self, PyObject *args)
{
    (void)self;
    return added(args, bloom_add);
}

/* bloom_any(filter, plain, count, shape, width) */
static PyObject *py_bloom_any(PyObject *self, PyObject *args)
{
    Py_buffer filter, values;
    Kind kind;
    Py_ssize_t count, width;
    int shape, any = 0;
    PyObject *result = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*y*nin", &filter, &values, &count, &shape, &width))
        return NULL;
    if (kind_of(PLAIN, shape, width, &kind) && countable(count)) {
        Fault fault;
        Py_BEGIN_ALLOW_THREADS
        fault = bloom_any(kind, view_of(&values), (size_t)count, view_of(&filter), &any);
        Py_END_ALLOW_THREADS
        result = fault == NULL ? PyBool_FromLong(any) : raised(fault);
    }
    PyBuffer_Release(&filter);
    PyBuffer_Release(&values);
    return result;
}

/* sieve_add(sieve, plain, count, shape, width) */
static PyObject *py_sieve_add(PyObject *self, PyObject *args)
{
    (void)self;
    return added(args, sieve_add);
}

static Fault marks_of(Kind kind, View values, size_t count, View sieve, int folded, Bytes *marks)
{
    Passed *passed = malloc((count + 1) * sizeof(Passed));
    size_t number = 0;
    Fault fault = passed == NULL ? NO_MEMORY : bytes_reserve(marks, count + 1);
    if (fault == NULL)
        fault = sieve_pass(kind, values, count, sieve, folded, passed, &number);
    if (fault == NULL) {
        memset(marks->data, 0, count);
        for (size_t i = 0; i < number; i++)
            marks->data[passed[i].number] = 1;
        marks->size = count;
    }
    free(passed);
    return fault;
}

/* sieve_marks(sieve, folded, plain, count, shape, width) */
static PyObject *py_sieve_marks(PyObject *self, PyObject *args)
{
    Py_buffer sieve, values;
    Kind kind;
    Py_ssize_t count, width;
    int shape, folded;
    Bytes marks = {0};
    PyObject *result = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*py*nin", &sieve, &folded, &values, &count, &shape, &width))
        return NULL;
    if (kind_of(PLAIN, shape, width, &kind) && countable(count)) {
        Fault fault;
        Py_BEGIN_ALLOW_THREADS
        fault = marks_of(kind, view_of(&values), (size_t)count, view_of(&sieve), folded, &marks);
        Py_END_ALLOW_THREADS
        result = taken(&marks, fault);
    }
    PyBuffer_Release(&sieve);
    PyBuffer_Release(&values);
    return result;
}

/* sift(body, rep_size, def_size, values, count, max_rep, max_def, encoding, shape, width, sieve, folded, dictionary,
 *      starts, entries) */
static PyObject *py_sift(PyObject *self, PyObject *args)
{
    Py_buffer body, values, sieve, dictionary, starts, entries;
    Page page = {0};
    Sifted sifted = {0};
    Py_ssize_t count, width;
    long long rep_size, def_size;
    int encoding, shape, folded;
    PyObject *result = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*LLy*niiiiny*py*y*y*", &body, &rep_size, &def_size, &values, &count, &page.max_rep,
                          &page.max_def, &encoding, &shape, &width, &sieve, &folded, &dictionary, &starts, &entries))
        return NULL;
    if (kind_of(encoding, shape, width, &page.kind) && countable(count)) {
        page.body = view_of(&body);
        page.values = view_of(&values);
        page.rep_size = rep_size;
        page.def_size = def_size;
        page.count = (size_t)count;
        page.dictionary = view_of(&dictionary);
        page.starts = view_of(&starts);
        page.entries = (size_t)entries.len;
        Fault fault;
        Py_BEGIN_ALLOW_THREADS
        fault = page_sift(&page, view_of(&sieve), folded, entries.buf, &sifted);
        Py_END_ALLOW_THREADS
        if (fault != NULL)
            raised(fault);
        else
            result = Py_BuildValue("nNNN", (Py_ssize_t)sifted.begun, bytes_of(&sifted.rows), bytes_of(&sifted.sizes),
                                   bytes_of(&sifted.values));
    }
    sifted_free(&sifted);
    PyBuffer_Release(&body);
    PyBuffer_Release(&values);
    PyBuffer_Release(&sieve);
    PyBuffer_Release(&dictionary);
    PyBuffer_Release(&starts);
    PyBuffer_Release(&entries);
    return result;
}

/* lz4_size(block) */
static PyObject *py_lz4_size(PyObject *self, PyObject *args)
{
    Py_buffer block;
    uint64_t size = 0;
    Fault fault;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*", &block))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    fault = lz4_size(view_of(&block), &size);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&block);
    return fault == NULL ? PyLong_FromUnsignedLongLong(size) : raised(fault);
}

/* heads(chunk): for each page its kind, the sizes of its body, unpacked and packed, four numbers of its kind's own, and
 * where header and body begin. */
static PyObject *py_heads(PyObject *self, PyObject *args)
{
    Py_buffer chunk;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*", &chunk))
        return NULL;
    PyObject *heads = PyList_New(0);
    View rest = view_of(&chunk);
    while (heads != NULL && rest.size != 0) {
        Py_ssize_t start = chunk.len - (Py_ssize_t)rest.size;
        Head head;
        Fault fault = head_next(&rest, &head);
        PyObject *one = fault != NULL ? raised(fault)
                                      : Py_BuildValue("LLLLLLLnn", (long long)head.kind, (long long)head.unpacked,
                                                      (long long)head.packed, (long long)head.details[0],
                                                      (long long)head.details[1], (long long)head.details[2],
                                                      (long long)head.details[3], start, start + (Py_ssize_t)head.size);
        if (one == NULL || PyList_Append(heads, one) < 0)
            Py_CLEAR(heads);
        Py_XDECREF(one);
    }
    PyBuffer_Release(&chunk);
    return heads;
}

static PyObject *number_or_none(int64_t number)
{
    return number == ABSENT ? Py_NewRef(Py_None) : PyLong_FromLongLong(number);
}

static PyObject *truth_or_none(int truth)
{
    return truth == UNTOLD ? Py_NewRef(Py_None) : PyBool_FromLong(truth);
}

static PyObject *view_or_none(View view)
{
    return view.data == NULL ? Py_NewRef(Py_None) : PyBytes_FromStringAndSize((const char *)view.data, (Py_ssize_t)view.size);
}

static PyObject *statistics_or_none(const Said *said)
{
    const Statistics *of = &said->statistics;
    if (!said->has_statistics)
        return Py_NewRef(Py_None);
    return Py_BuildValue("NNNNNNN", view_or_none(of->bounds[OLD_MAX]), view_or_none(of->bounds[OLD_MIN]),
                         number_or_none(of->nulls), view_or_none(of->bounds[MAX]), view_or_none(of->bounds[MIN]),
                         truth_or_none(of->exact[0]), truth_or_none(of->exact[1]));
}

static int is_cut(int kind)
{
    if (kind == DATA_PAGE || kind == DATA_PAGE_V2 || kind == DICTIONARY_PAGE)
        return 1;
    PyErr_SetString(PyExc_ValueError, "no kind of page that is cut");
    return 0;
}

/* said(head, kind): checksum, sizes of the levels, flag, statistics. */
static PyObject *py_said(PyObject *self, PyObject *args)
{
    Py_buffer head;
    PyObject *result = NULL;
    int kind;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*i", &head, &kind))
        return NULL;
    if (is_cut(kind)) {
        Said said;
        Fault fault = head_said(view_of(&head), kind, &said);
        result = fault != NULL ? raised(fault)
                               : Py_BuildValue("NNNNN", number_or_none(said.crc), number_or_none(said.definition_size),
                                               number_or_none(said.repetition_size), truth_or_none(said.flag),
                                               statistics_or_none(&said));
    }
    PyBuffer_Release(&head);
    return result;
}

/* The reverse of the above. With an exception set, the answers do not count. */
static int64_t number_of(PyObject *from)
{
    return from == NULL || from == Py_None ? ABSENT : PyLong_AsLongLong(from);
}

static int truth_of(PyObject *from)
{
    return from == NULL || from == Py_None ? UNTOLD : PyObject_IsTrue(from);
}

static View bytes_in(PyObject *from)
{
    View view = {NULL, 0};
    char *data;
    Py_ssize_t size;
    if (from != NULL && from != Py_None && PyBytes_AsStringAndSize(from, &data, &size) == 0)
        view = (View){(const uint8_t *)data, (size_t)size};
    return view;
}

static Statistics statistics_of(PyObject *from)
{
    enum { OF_OLD_MAX, OF_OLD_MIN, OF_NULLS, OF_MAX, OF_MIN, OF_MAX_EXACT, OF_MIN_EXACT };
    Statistics found = {{{NULL, 0}}, ABSENT, {UNTOLD, UNTOLD}};
    if (!PyTuple_Check(from) || PyTuple_Size(from) != OF_MIN_EXACT + 1) {
        PyErr_SetString(PyExc_ValueError, "no statistics");
        return found;
    }
    found.bounds[OLD_MAX] = bytes_in(PyTuple_GetItem(from, OF_OLD_MAX));
    found.bounds[OLD_MIN] = bytes_in(PyTuple_GetItem(from, OF_OLD_MIN));
    found.nulls = number_of(PyTuple_GetItem(from, OF_NULLS));
    found.bounds[MAX] = bytes_in(PyTuple_GetItem(from, OF_MAX));
    found.bounds[MIN] = bytes_in(PyTuple_GetItem(from, OF_MIN));
    found.exact[0] = truth_of(PyTuple_GetItem(from, OF_MAX_EXACT));
    found.exact[1] = truth_of(PyTuple_GetItem(from, OF_MIN_EXACT));
    return found;
}

/* reheaded(head, kind, unpacked, packed, crc, numbers, flag, statistics) */
static PyObject *py_reheaded(PyObject *self, PyObject *args)
{
    Py_buffer head;
    PyObject *numbers, *flag, *statistics, *result = NULL;
    long long unpacked, packed, crc;
    int kind;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*iLLLO!OO", &head, &kind, &unpacked, &packed, &crc, &PyTuple_Type, &numbers, &flag,
                          &statistics))
        return NULL;
    Changes changes = {unpacked, packed, crc, {0}, truth_of(flag), NULL};
    Statistics new;
    Bytes written = {0};
    for (int i = 0; i < NUMBERS; i++)
        changes.numbers[i] = i < PyTuple_Size(numbers) ? number_of(PyTuple_GetItem(numbers, i)) : ABSENT;
    if (statistics != Py_None) {
        new = statistics_of(statistics);
        changes.statistics = &new;
    }
    if (!PyErr_Occurred() && is_cut(kind)) {
        Fault fault = head_rewrite(view_of(&head), kind, &changes, &written);
        result = taken(&written, fault);
    }
    PyBuffer_Release(&head);
    return result;
}

static PyMethodDef METHODS[] = {
    {"heads", py_heads, METH_VARARGS, NULL},
    {"said", py_said, METH_VARARGS, NULL},
    {"reheaded", py_reheaded, METH_VARARGS, NULL},
    {"cut", py_cut, METH_VARARGS, NULL},
    {"values", py_values, METH_VARARGS, NULL},
    {"mark", py_mark, METH_VARARGS, NULL},
    {"select", py_select, METH_VARARGS, NULL},
    {"scrub", py_scrub, METH_VARARGS, NULL},
    {"starts", py_starts, METH_VARARGS, NULL},
    {"bounds", py_bounds, METH_VARARGS, NULL},
    {"bloom_add", py_bloom_add, METH_VARARGS, NULL},
    {"bloom_any", py_bloom_any, METH_VARARGS, NULL},
    {"sieve_add", py_sieve_add, METH_VARARGS, NULL},
    {"sieve_marks", py_sieve_marks, METH_VARARGS, NULL},
    {"sift", py_sift, METH_VARARGS, NULL},
    {"lz4_size", py_lz4_size, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int fill(PyObject *module)
{
    Malformed = PyErr_NewException("lethe.engines.rewrite.pages._native.Malformed", PyExc_ValueError, NULL);
    Uncut = PyErr_NewException("lethe.engines.rewrite.pages._native.Uncut", PyExc_ValueError, NULL);
    if (Malformed == NULL || Uncut == NULL || PyModule_AddObjectRef(module, "Malformed", Malformed) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "Uncut", Uncut);
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, fill}, {0, NULL}};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_native", "The loops over bytes that Python would run too slowly.", 0, METHODS, SLOTS, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&MODULE);
}
