/* The client's side of incremental xDS on an aggregated stream, without a socket: bytes of responses in, bytes of requests out.

   Clusters and listeners are asked for by wildcard; endpoints by the names in the clusters of type EDS, routes by the names in the
   listeners' connection managers. A response is taken whole, and acknowledged, or not at all, and refused with the reason. */
#pragma once

#include "arguments.h"
#include "report.h"
#include "resource.h"

enum {
    MAX_RESPONSE_BYTES = 16 << 20,
    /* Per kind; and bytes that all resources together may keep. */
    MAX_RESOURCES = 100000,
    MAX_HELD_BYTES = 64 << 20,
    /* What the resources of one response may be printed as. */
    MAX_PRINTED_BYTES = 256 << 20,
    MAX_NONCE_BYTES = 1024,
    MAX_REASON_BYTES = 1000,
};

struct request {
    struct request *next;
    struct text bytes;
};

struct subscription {
    bool wanted;                    /* the user asked for this kind */
    bool open;                      /* on this stream */
    bool answered;                  /* a response was taken, on any stream */
    struct names asked;             /* sorted; not for wildcards */
    struct names absent;            /* sorted: asked for, and said not to exist */
    struct resource **held;         /* sorted by name */
    size_t held_count, held_capacity;
};

struct delta {
    const struct arguments *arguments;
    const struct report *report;
    struct subscription of[KINDS];
    struct request *first, *last;   /* to be sent */
    bool node_told;                 /* on this stream */
    size_t held_bytes;
    size_t refused;                 /* responses that were */
};

void delta_open(struct delta *delta, const struct arguments *arguments, const struct report *report);
void delta_close(struct delta *delta);

/* A new stream: the first requests, which say what is held already. */
void delta_start(struct delta *delta);

/* One response. False if nothing can be answered and the stream must end; `why` says so. */
bool delta_receive(struct delta *delta, const void *bytes, size_t count, struct text *why);

/* Whether all that was asked for is there (or is known not to exist). */
bool delta_synced(const struct delta *delta);
void delta_held(const struct delta *delta, size_t held[KINDS]);

/* The oldest request that is not sent, NULL if there is none. The caller frees it with request_free. */
struct request *delta_take(struct delta *delta);
void request_free(struct request *request);
