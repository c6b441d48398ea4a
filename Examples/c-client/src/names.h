/* Sets of names: filled in any order, then sorted. */
#pragma once

#include "text.h"

struct names {
    char **items;
    size_t count, capacity;
};

/* Appends a copy. */
void names_add(struct names *names, const char *name);
void names_add_all(struct names *names, const struct names *others);
/* Sorts, and drops what is there twice. True if something was. */
bool names_sort(struct names *names);
/* In sorted names. */
bool names_have(const struct names *names, const char *name);
/* Those of `left` that are not in `right`, both sorted; the items stay `left`'s. Free `items` alone. */
struct names names_without(const struct names *left, const struct names *right);
void names_free(struct names *names);
