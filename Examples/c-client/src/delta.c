#include "delta.h"

#include "node.h"

#include "envoy/service/discovery/v3/discovery.pb-c.h"

#include <stdlib.h>
#include <string.h>

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest Request;
typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest__InitialResourceVersionsEntry Version;
typedef Envoy__Service__Discovery__V3__DeltaDiscoveryResponse Response;
typedef Envoy__Service__Discovery__V3__Resource Envelope;

enum { MAX_ARENA_BYTES = 256 << 20, MAX_URL_BYTES = 256, MAX_VERSION_BYTES = 1024, INVALID_ARGUMENT = 3 };

static bool is_wildcard(enum kind kind) { return KIND[kind].parent < 0; }

/* Held resources */

static int compare_resources(const void *left, const void *right) {
    return strcmp((*(struct resource *const *)left)->name, (*(struct resource *const *)right)->name);
}

static struct resource **find(const struct subscription *of, const char *name) {
    struct resource probe = {.name = (char *)(uintptr_t)name}, *key = &probe;
    return of->held_count ? bsearch(&key, of->held, of->held_count, sizeof *of->held, compare_resources) : NULL;
}

/* Puts it behind the others; the caller sorts. */
static void append(struct subscription *of, struct resource *resource) {
    if (of->held_count == of->held_capacity) {
        size_t capacity = of->held_capacity ? of->held_capacity * 2 : 16;
        struct resource **held = must_allocate(capacity, sizeof *held);
        if (of->held_count) memcpy(held, of->held, of->held_count * sizeof *held);
        free(of->held);
        of->held = held;
        of->held_capacity = capacity;
    }
    of->held[of->held_count++] = resource;
}

static void drop(struct delta *delta, struct resource *resource) {
    delta->held_bytes -= resource_size(resource);
    resource_free(resource);
    free(resource);
}

/* Removes those of these names that are held, and tells it. Linear, whatever their number. */
static void remove_all(struct delta *delta, enum kind kind, const struct names *gone) {
    struct subscription *of = &delta->of[kind];
    size_t kept = 0;
    for (size_t i = 0; i < of->held_count; i++) {
        struct resource *resource = of->held[i];
        if (names_have(gone, resource->name)) {
            report_resource(delta->report, kind, REMOVED, resource);
            drop(delta, resource);
        } else {
            of->held[kept++] = resource;
        }
    }
    of->held_count = kept;
}

/* Requests */

static void queue(struct delta *delta, Request *request) {
    Envoy__Config__Core__V3__Node *node = NULL;
    if (!delta->node_told) request->node = node = node_make(delta->arguments);
    delta->node_told = true;
    struct request *waiting = must_allocate(1, sizeof *waiting);
    wire_pack(&request->base, &waiting->bytes);
    if (node) node_free(node);
    if (delta->last) delta->last->next = waiting;
    else delta->first = waiting;
    delta->last = waiting;
}

/* The first request of a kind on a stream: what we want, and what we have. */
static void ask_first(struct delta *delta, enum kind kind) {
    struct subscription *of = &delta->of[kind];
    static char star[] = "*", *all[] = {star};
    Request request = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    request.type_url = (char *)(uintptr_t)KIND[kind].url;
    request.resource_names_subscribe = is_wildcard(kind) ? all : of->asked.items;
    request.n_resource_names_subscribe = is_wildcard(kind) ? 1 : of->asked.count;
    Version *entries = must_allocate(of->held_count, sizeof *entries);
    Version **list = must_allocate(of->held_count, sizeof *list);
    for (size_t i = 0; i < of->held_count; i++) {
        envoy__service__discovery__v3__delta_discovery_request__initial_resource_versions_entry__init(&entries[i]);
        entries[i].key = of->held[i]->name;
        entries[i].value = of->held[i]->version;
        list[i] = &entries[i];
    }
    request.initial_resource_versions = list;
    request.n_initial_resource_versions = of->held_count;
    queue(delta, &request);
    of->open = true;
    free(list);
    free(entries);
}

/* `why` NULL: an ACK. */
static void answer(struct delta *delta, char *url, char *nonce, struct text *why) {
    Request request = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    request.type_url = url;
    request.response_nonce = nonce;
    if (why) {
        if (why->length > MAX_REASON_BYTES) why->data[why->length = MAX_REASON_BYTES] = 0;
        status.code = INVALID_ARGUMENT;
        status.message = why->data;
        request.error_detail = &status;
    }
    queue(delta, &request);
}

/* The names that the resources of `parent` refer to are what is asked for of `kind`: says what is new and what is not wanted now. */
static void follow(struct delta *delta, enum kind parent, enum kind kind) {
    struct subscription *of = &delta->of[kind];
    struct names named = {0};
    for (size_t i = 0; i < delta->of[parent].held_count; i++) names_add_all(&named, &delta->of[parent].held[i]->references);
    names_sort(&named);
    struct names more = names_without(&named, &of->asked), less = names_without(&of->asked, &named);
    if (of->open && (more.count || less.count)) {
        Request request = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
        request.type_url = (char *)(uintptr_t)KIND[kind].url;
        request.resource_names_subscribe = more.items;
        request.n_resource_names_subscribe = more.count;
        request.resource_names_unsubscribe = less.items;
        request.n_resource_names_unsubscribe = less.count;
        queue(delta, &request);
    }
    remove_all(delta, kind, &less);
    struct names absent = {0};
    for (size_t i = 0; i < of->absent.count; i++)
        if (names_have(&named, of->absent.items[i])) names_add(&absent, of->absent.items[i]);
    free(more.items);
    free(less.items);
    names_free(&of->absent);
    names_free(&of->asked);
    of->absent = absent;
    of->asked = named;
    if (!of->open && named.count) ask_first(delta, kind);
}

/* Life */

void delta_open(struct delta *delta, const struct arguments *arguments, const struct report *report) {
    *delta = (struct delta){.arguments = arguments, .report = report};
    for (int kind = 0; kind < KINDS; kind++) delta->of[kind].wanted = arguments->types[kind];
}

static void forget_requests(struct delta *delta) {
    for (struct request *request; (request = delta_take(delta));) request_free(request);
}

void delta_close(struct delta *delta) {
    forget_requests(delta);
    for (int kind = 0; kind < KINDS; kind++) {
        struct subscription *of = &delta->of[kind];
        for (size_t i = 0; i < of->held_count; i++) drop(delta, of->held[i]);
        free(of->held);
        names_free(&of->asked);
        names_free(&of->absent);
    }
    *delta = (struct delta){0};
}

void delta_start(struct delta *delta) {
    forget_requests(delta);
    delta->node_told = false;
    for (int kind = 0; kind < KINDS; kind++) {
        struct subscription *of = &delta->of[kind];
        of->open = false;
        if (of->wanted && (is_wildcard((enum kind)kind) || of->asked.count)) ask_first(delta, (enum kind)kind);
    }
}

/* Responses */

/* One resource of a response, decoded; false with the reason, which names it. */
static bool read_envelope(enum kind kind, const Envelope *envelope, struct resource *out, struct text *why) {
    struct text reason = {0};
    bool good = false;
    if (!*envelope->name || strlen(envelope->name) > MAX_NAME_BYTES)
        text_addf(&reason, "its name is empty or longer than %d bytes", MAX_NAME_BYTES);
    else if (strlen(envelope->version) > MAX_VERSION_BYTES)
        text_addf(&reason, "its version is longer than %d bytes", MAX_VERSION_BYTES);
    else if (envelope->ttl)
        text_add(&reason, "ttl: this client keeps no times to live");
    else if (!envelope->resource)
        text_add(&reason, "it has no message");
    else if (strcmp(envelope->resource->type_url, KIND[kind].url) != 0) {
        text_add(&reason, "its message is of the type ");
        text_add_shown(&reason, envelope->resource->type_url, 200);
    } else {
        good = resource_read(kind, envelope->name, envelope->version, envelope->resource->value.data,
                             envelope->resource->value.len, out, &reason);
    }
    if (!good) {
        text_add(why, "resource \"");
        text_add_shown(why, envelope->name, 200);
        text_addf(why, "\": %s", text_string(&reason));
    }
    text_free(&reason);
    return good;
}

/* All of them, or none. */
static bool read_resources(const struct delta *delta, enum kind kind, const Response *response, struct resource **out,
                           struct text *why) {
    struct names names = {0};
    struct resource *all = must_allocate(response->n_resources, sizeof *all);
    const struct subscription *of = &delta->of[kind];
    size_t bytes = delta->held_bytes, printed = 0, fresh = 0, count = 0;
    bool good = true;
    for (; good && count < response->n_resources; count++) {
        good = read_envelope(kind, response->resources[count], &all[count], why);
        if (!good) break;
        names_add(&names, all[count].name);
        bytes += resource_size(&all[count]);
        fresh += find(of, all[count].name) ? 0 : 1;
        if (bytes > MAX_HELD_BYTES || of->held_count + fresh > MAX_RESOURCES) {
            text_addf(why, "more than %d resources, or more than %d MiB of names", MAX_RESOURCES, MAX_HELD_BYTES >> 20);
            good = false;
        }
        printed += all[count].shown.length + all[count].json.length;
        if (good && printed > MAX_PRINTED_BYTES) {
            text_addf(why, "more than %d MiB to be printed", MAX_PRINTED_BYTES >> 20);
            good = false;
        }
    }
    if (good && names_sort(&names)) {
        text_add(why, "a resource is there twice");
        good = false;
    }
    names_free(&names);
    if (!good) {
        for (size_t i = 0; i < response->n_resources; i++) resource_free(&all[i]);
        free(all);
        return false;
    }
    *out = all;
    return true;
}

/* Takes the resources, which are moved from. */
static void take_resources(struct delta *delta, enum kind kind, struct resource *all, size_t count) {
    struct subscription *of = &delta->of[kind];
    size_t before = of->held_count;
    struct names came = {0};
    for (size_t i = 0; i < count; i++) {
        struct resource *resource = &all[i];
        if (!is_wildcard(kind) && !names_have(&of->asked, resource->name)) {
            /* It was on its way when we took back the question. */
            resource_free(resource);
            continue;
        }
        names_add(&came, resource->name);
        size_t all_held = of->held_count;
        /* Only the part that was there before is sorted. */
        of->held_count = before;
        struct resource **place = find(of, resource->name);
        of->held_count = all_held;
        bool changed = !place || strcmp((*place)->version, resource->version) != 0;
        if (changed) report_resource(delta->report, kind, place ? CHANGED : ADDED, resource);
        text_free(&resource->shown);
        text_free(&resource->json);
        struct resource *own = place ? *place : must_allocate(1, sizeof *own);
        if (place) {
            delta->held_bytes -= resource_size(own);
            resource_free(own);
        }
        *own = *resource;
        delta->held_bytes += resource_size(own);
        if (!place) append(of, own);
    }
    if (of->held_count > before) qsort(of->held, of->held_count, sizeof *of->held, compare_resources);
    names_sort(&came);
    struct names absent = {0};
    for (size_t i = 0; i < of->absent.count; i++)
        if (!names_have(&came, of->absent.items[i])) names_add(&absent, of->absent.items[i]);
    names_free(&of->absent);
    of->absent = absent;
    names_free(&came);
}

static void take_removals(struct delta *delta, enum kind kind, const Response *response) {
    struct subscription *of = &delta->of[kind];
    struct names gone = {0};
    for (size_t i = 0; i < response->n_removed_resources; i++) {
        const char *name = response->removed_resources[i];
        names_add(&gone, name);
        if (!is_wildcard(kind) && names_have(&of->asked, name)) names_add(&of->absent, name);
    }
    names_sort(&gone);
    names_sort(&of->absent);
    remove_all(delta, kind, &gone);
    names_free(&gone);
}

/* A response whose envelope was read: ACK or NACK. */
static void take_response(struct delta *delta, Response *response) {
    struct text why = {0};
    struct resource *all = NULL;
    int kind = 0;
    while (kind < KINDS && strcmp(KIND[kind].url, response->type_url) != 0) kind++;
    bool good = kind < KINDS && delta->of[kind].open;
    if (!good)
        text_add(&why, "this type was not asked for");
    else
        good = read_resources(delta, (enum kind)kind, response, &all, &why);
    if (!good) {
        delta->refused++;
        report_refused(delta->report, kind < KINDS ? KIND[kind].brief : response->type_url, text_string(&why));
        answer(delta, response->type_url, response->nonce, &why);
    } else {
        take_removals(delta, (enum kind)kind, response);
        take_resources(delta, (enum kind)kind, all, response->n_resources);
        delta->of[kind].answered = true;
        report_accepted(delta->report, (enum kind)kind, response->n_resources, response->n_removed_resources);
        answer(delta, response->type_url, response->nonce, NULL);
        for (int child = 0; child < KINDS; child++)
            if (KIND[child].parent == kind && delta->of[child].wanted) follow(delta, (enum kind)kind, (enum kind)child);
    }
    free(all);
    text_free(&why);
}

bool delta_receive(struct delta *delta, const void *bytes, size_t count, struct text *why) {
    struct arena arena;
    arena_open(&arena, MAX_ARENA_BYTES);
    Response *response = (void *)wire_read(&envoy__service__discovery__v3__delta_discovery_response__descriptor, bytes, count,
                                           &arena, why);
    bool good = response != NULL;
    if (good && (strlen(response->type_url) > MAX_URL_BYTES || strlen(response->nonce) > MAX_NONCE_BYTES)) {
        text_addf(why, "a type longer than %d bytes, or a nonce longer than %d", MAX_URL_BYTES, MAX_NONCE_BYTES);
        good = false;
    }
    if (good) take_response(delta, response);
    arena_close(&arena);
    return good;
}

bool delta_synced(const struct delta *delta) {
    for (int kind = 0; kind < KINDS; kind++) {
        const struct subscription *of = &delta->of[kind];
        if (!of->wanted) continue;
        if (is_wildcard((enum kind)kind) && !of->answered) return false;
        for (size_t i = 0; i < of->asked.count; i++)
            if (!find(of, of->asked.items[i]) && !names_have(&of->absent, of->asked.items[i])) return false;
    }
    return true;
}

void delta_held(const struct delta *delta, size_t held[KINDS]) {
    for (int kind = 0; kind < KINDS; kind++) held[kind] = delta->of[kind].held_count;
}

struct request *delta_take(struct delta *delta) {
    struct request *request = delta->first;
    if (request) delta->first = request->next;
    if (!delta->first) delta->last = NULL;
    return request;
}

void request_free(struct request *request) {
    text_free(&request->bytes);
    free(request);
}
