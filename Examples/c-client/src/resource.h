/* One resource of xDS: its type, what it is called, what it says, and whom it names. */
#pragma once

#include "names.h"
#include "wire.h"

enum kind { CLUSTERS, ENDPOINTS, LISTENERS, ROUTES, KINDS };

struct kind_facts {
    const char *brief;                          /* cds, eds, lds, rds */
    const char *url;                            /* the Any's type */
    const ProtobufCMessageDescriptor *type;
    int parent;                                 /* the kind whose resources name these; -1: all are asked for */
};
extern const struct kind_facts KIND[KINDS];

enum { MAX_NAME_BYTES = 4096 };

/* What is kept of it, and what is printed: the message itself is not. */
struct resource {
    char *name, *version;
    struct names references;                    /* clusters: of endpoints; listeners: of routes */
    struct text shown, json;                    /* the particulars: words; members of an object, with a comma before each */
};

/* Decodes the inner message; false with the reason, and then `out` is empty. `name` and `version` are the envelope's; the message must
   bear the same name. */
bool resource_read(enum kind kind, const char *name, const char *version, const void *bytes, size_t count, struct resource *out,
                   struct text *why);
void resource_free(struct resource *resource);
/* Bytes that keeping it takes. */
size_t resource_size(const struct resource *resource);
