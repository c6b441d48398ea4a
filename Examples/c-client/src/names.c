#include "names.h"

#include <stdlib.h>
#include <string.h>

static void append(struct names *names, char *name) {
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 8;
        char **items = must_allocate(capacity, sizeof *items);
        if (names->count) memcpy(items, names->items, names->count * sizeof *items);
        free(names->items);
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count++] = name;
}

void names_add(struct names *names, const char *name) { append(names, must_copy(name)); }

void names_add_all(struct names *names, const struct names *others) {
    for (size_t i = 0; i < others->count; i++) names_add(names, others->items[i]);
}

static int compare(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

bool names_sort(struct names *names) {
    if (names->count < 2) return false;
    qsort(names->items, names->count, sizeof *names->items, compare);
    size_t kept = 1;
    for (size_t i = 1; i < names->count; i++) {
        if (strcmp(names->items[kept - 1], names->items[i]) == 0) free(names->items[i]);
        else names->items[kept++] = names->items[i];
    }
    bool twice = kept != names->count;
    names->count = kept;
    return twice;
}

bool names_have(const struct names *names, const char *name) {
    return names->count && bsearch(&name, names->items, names->count, sizeof *names->items, compare);
}

struct names names_without(const struct names *left, const struct names *right) {
    struct names rest = {0};
    for (size_t i = 0; i < left->count; i++)
        if (!names_have(right, left->items[i])) append(&rest, left->items[i]);
    return rest;
}

void names_free(struct names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
    *names = (struct names){0};
}
