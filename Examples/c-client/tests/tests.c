/* The parts that read strangers' bytes, tested without a control plane; made for the sanitizers.

   Responses are built with protobuf-c, fed to the client's machine, and its requests are decoded again. At the end good responses are
   mutilated in some ten thousand ways: nothing may happen but an ACK, a NACK or the end of the stream. */
#include "delta.h"
#include "node.h"

#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include "envoy/config/endpoint/v3/endpoint.pb-c.h"
#include "envoy/config/listener/v3/listener.pb-c.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb-c.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"

#include <stdlib.h>
#include <string.h>

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest Request;
typedef Envoy__Service__Discovery__V3__DeltaDiscoveryResponse Response;
typedef Envoy__Service__Discovery__V3__Resource Envelope;

static int facts, failures;

static void check(bool holds, const char *what, const char *found) {
    facts++;
    if (holds) return;
    failures++;
    fprintf(stderr, "FAIL %s: %s\n", what, found);
}

static char *as_char(const char *string) { return (char *)(uintptr_t)string; }

/* Building */

static struct text cluster(const char *name, const char *service) {
    Envoy__Config__Cluster__V3__Cluster message = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__INIT;
    Envoy__Config__Cluster__V3__Cluster__EdsClusterConfig eds = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__EDS_CLUSTER_CONFIG__INIT;
    message.name = as_char(name);
    message.cluster_discovery_type_case = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
    message.type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS;
    eds.service_name = as_char(service);
    message.eds_cluster_config = &eds;
    struct text bytes = {0};
    wire_pack(&message.base, &bytes);
    return bytes;
}

static struct text assignment(const char *name, const char *address) {
    Envoy__Config__Endpoint__V3__ClusterLoadAssignment message = ENVOY__CONFIG__ENDPOINT__V3__CLUSTER_LOAD_ASSIGNMENT__INIT;
    Envoy__Config__Endpoint__V3__LocalityLbEndpoints group = ENVOY__CONFIG__ENDPOINT__V3__LOCALITY_LB_ENDPOINTS__INIT;
    Envoy__Config__Endpoint__V3__LbEndpoint member = ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__INIT;
    Envoy__Config__Endpoint__V3__Endpoint endpoint = ENVOY__CONFIG__ENDPOINT__V3__ENDPOINT__INIT;
    Envoy__Config__Core__V3__Address where = ENVOY__CONFIG__CORE__V3__ADDRESS__INIT;
    Envoy__Config__Core__V3__SocketAddress socket = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__INIT;
    socket.address = as_char(address);
    socket.port_specifier_case = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
    socket.port_value = 80;
    where.address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS;
    where.socket_address = &socket;
    endpoint.address = &where;
    member.host_identifier_case = ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
    member.endpoint = &endpoint;
    Envoy__Config__Endpoint__V3__LbEndpoint *members[] = {&member};
    Envoy__Config__Endpoint__V3__LocalityLbEndpoints *groups[] = {&group};
    group.lb_endpoints = members;
    group.n_lb_endpoints = 1;
    message.cluster_name = as_char(name);
    message.endpoints = groups;
    message.n_endpoints = 1;
    struct text bytes = {0};
    wire_pack(&message.base, &bytes);
    return bytes;
}

/* A listener whose connection manager asks for `route`; with `broken` its configuration is no message. */
static struct text listener(const char *name, const char *route, bool broken) {
    Envoy__Config__Listener__V3__Listener message = ENVOY__CONFIG__LISTENER__V3__LISTENER__INIT;
    Envoy__Config__Listener__V3__FilterChain chain = ENVOY__CONFIG__LISTENER__V3__FILTER_CHAIN__INIT;
    Envoy__Config__Listener__V3__Filter filter = ENVOY__CONFIG__LISTENER__V3__FILTER__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__Rds rds =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__RDS__INIT;
    Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager manager =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__INIT;
    manager.route_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
    manager.rds = &rds;
    rds.route_config_name = as_char(route);
    struct text inner = {0}, bytes = {0};
    if (broken) text_add(&inner, "\xff\xff\xff");
    else wire_pack(&manager.base, &inner);
    any.type_url = as_char("type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager");
    any.value = (ProtobufCBinaryData){inner.length, (uint8_t *)inner.data};
    filter.config_type_case = ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_TYPED_CONFIG;
    filter.typed_config = &any;
    Envoy__Config__Listener__V3__Filter *filters[] = {&filter};
    Envoy__Config__Listener__V3__FilterChain *chains[] = {&chain};
    chain.filters = filters;
    chain.n_filters = 1;
    message.name = as_char(name);
    message.filter_chains = chains;
    message.n_filter_chains = 1;
    wire_pack(&message.base, &bytes);
    text_free(&inner);
    return bytes;
}

struct item {
    const char *name, *version;
    struct text bytes;
    int ttl;
};

/* A response; the items' bytes are freed. `type` NULL: the URL of the kind. */
static struct text response(enum kind kind, const char *type, const char *nonce, struct item *items, size_t count,
                            const char *removed) {
    Response message = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_RESPONSE__INIT;
    Envelope *envelopes = must_allocate(count, sizeof *envelopes), **list = must_allocate(count, sizeof *list);
    Google__Protobuf__Any *anys = must_allocate(count, sizeof *anys);
    Google__Protobuf__Duration second = GOOGLE__PROTOBUF__DURATION__INIT;
    for (size_t i = 0; i < count; i++) {
        envoy__service__discovery__v3__resource__init(&envelopes[i]);
        google__protobuf__any__init(&anys[i]);
        anys[i].type_url = as_char(KIND[kind].url);
        anys[i].value = (ProtobufCBinaryData){items[i].bytes.length, (uint8_t *)items[i].bytes.data};
        envelopes[i].name = as_char(items[i].name);
        envelopes[i].version = as_char(items[i].version);
        envelopes[i].resource = &anys[i];
        if (items[i].ttl) envelopes[i].ttl = &second;
        list[i] = &envelopes[i];
    }
    char *gone[] = {as_char(removed ? removed : "")};
    message.type_url = as_char(type ? type : KIND[kind].url);
    message.nonce = as_char(nonce);
    message.resources = list;
    message.n_resources = count;
    message.removed_resources = gone;
    message.n_removed_resources = removed ? 1 : 0;
    struct text bytes = {0};
    wire_pack(&message.base, &bytes);
    for (size_t i = 0; i < count; i++) text_free(&items[i].bytes);
    free(envelopes);
    free(list);
    free(anys);
    return bytes;
}

/* Asking */

/* The oldest request in words: "cds node +* -x =a:1 nonce n error ..." */
static void words(struct delta *delta, struct text *out) {
    struct request *waiting = delta_take(delta);
    text_free(out);
    if (!waiting) {
        text_add(out, "(nothing)");
        return;
    }
    struct text why = {0};
    struct arena arena;
    arena_open(&arena, 16 << 20);
    Request *request = (void *)wire_read(&envoy__service__discovery__v3__delta_discovery_request__descriptor,
                                         waiting->bytes.data, waiting->bytes.length, &arena, &why);
    if (!request) {
        text_addf(out, "unreadable: %s", text_string(&why));
    } else {
        const char *brief = request->type_url;
        for (int kind = 0; kind < KINDS; kind++)
            if (strcmp(KIND[kind].url, request->type_url) == 0) brief = KIND[kind].brief;
        text_add(out, brief);
        if (request->node) text_addf(out, " node %s", request->node->id);
        for (size_t i = 0; i < request->n_resource_names_subscribe; i++)
            text_addf(out, " +%s", request->resource_names_subscribe[i]);
        for (size_t i = 0; i < request->n_resource_names_unsubscribe; i++)
            text_addf(out, " -%s", request->resource_names_unsubscribe[i]);
        for (size_t i = 0; i < request->n_initial_resource_versions; i++)
            text_addf(out, " =%s:%s", request->initial_resource_versions[i]->key, request->initial_resource_versions[i]->value);
        if (*request->response_nonce) text_addf(out, " nonce %s", request->response_nonce);
        if (request->error_detail) text_addf(out, " error %d %s", request->error_detail->code, request->error_detail->message);
    }
    arena_close(&arena);
    text_free(&why);
    request_free(waiting);
}

static void expect(struct delta *delta, const char *wanted) {
    struct text found = {0};
    words(delta, &found);
    check(strcmp(text_string(&found), wanted) == 0, wanted, text_string(&found));
    text_free(&found);
}

static bool feed(struct delta *delta, struct text bytes) {
    struct text why = {0};
    bool good = delta_receive(delta, bytes.data, bytes.length, &why);
    text_free(&why);
    text_free(&bytes);
    return good;
}

static struct arguments arguments = {
    .name = "x", .workload_namespace = "shop", .service_account = "cart", .ip = "127.0.0.1", .types = {true, true, true, true}};
static struct report report;

static void conversation(void) {
    struct delta delta;
    delta_open(&delta, &arguments, &report);
    delta_start(&delta);
    expect(&delta, "cds node sidecar~127.0.0.1~x.shop~shop.svc.cluster.local +*");
    expect(&delta, "lds +*");
    expect(&delta, "(nothing)");
    check(!delta_synced(&delta), "synced before anything came", "");

    struct item two[] = {{"a", "1", cluster("a", ""), 0}, {"b", "1", cluster("b", "other"), 0}};
    check(feed(&delta, response(CLUSTERS, NULL, "n1", two, 2, NULL)), "two clusters", "");
    expect(&delta, "cds nonce n1");
    expect(&delta, "eds +a +other");
    struct item door[] = {{"l", "1", listener("l", "r", false), 0}};
    feed(&delta, response(LISTENERS, NULL, "n2", door, 1, NULL));
    expect(&delta, "lds nonce n2");
    expect(&delta, "rds +r");
    check(!delta_synced(&delta), "synced without endpoints and routes", "");
    struct item one[] = {{"a", "1", assignment("a", "10.0.0.1"), 0}};
    feed(&delta, response(ENDPOINTS, NULL, "n3", one, 1, "other"));
    expect(&delta, "eds nonce n3");
    feed(&delta, response(ROUTES, NULL, "n4", NULL, 0, "r"));
    expect(&delta, "rds nonce n4");
    check(delta_synced(&delta), "not synced, though the rest is known not to exist", "");

    /* Refused as a whole, with the resource's name and the reason. */
    struct item broken[] = {{"c", "1", cluster("c", ""), 0}, {"d", "1", {0}, 0}};
    text_add(&broken[1].bytes, "\x0a\x02\xff\xff");
    feed(&delta, response(CLUSTERS, NULL, "n5", broken, 2, NULL));
    expect(&delta, "cds nonce n5 error 3 resource \"d\": name of envoy.config.cluster.v3.Cluster is no text (UTF-8 without NUL)");
    check(delta.of[CLUSTERS].held_count == 2, "a part of a refused response was kept", "");
    struct item other[] = {{"e", "1", cluster("f", ""), 0}};
    feed(&delta, response(CLUSTERS, NULL, "n6", other, 1, NULL));
    expect(&delta, "cds nonce n6 error 3 resource \"e\": the message bears another name");
    struct item twice[] = {{"g", "1", cluster("g", ""), 0}, {"g", "2", cluster("g", ""), 0}};
    feed(&delta, response(CLUSTERS, NULL, "n7", twice, 2, NULL));
    expect(&delta, "cds nonce n7 error 3 a resource is there twice");
    struct item brief[] = {{"h", "1", cluster("h", ""), 1}};
    feed(&delta, response(CLUSTERS, NULL, "n8", brief, 1, NULL));
    expect(&delta, "cds nonce n8 error 3 resource \"h\": ttl: this client keeps no times to live");
    struct item manager[] = {{"m", "1", listener("m", "", true), 0}};
    feed(&delta, response(LISTENERS, NULL, "n9", manager, 1, NULL));
    expect(&delta, "lds nonce n9 error 3 resource \"m\": a field of envoy.extensions.filters.network.http_connection_manager.v3"
                   ".HttpConnectionManager has no number");
    feed(&delta, response(CLUSTERS, "type.googleapis.com/x", "n10", NULL, 0, NULL));
    expect(&delta, "type.googleapis.com/x nonce n10 error 3 this type was not asked for");
    check(delta.refused == 6, "refused responses", "miscounted");

    /* A cluster goes: its endpoints are not asked for any more. Another's change of name is followed. */
    struct item moved[] = {{"b", "2", cluster("b", "third"), 0}};
    feed(&delta, response(CLUSTERS, NULL, "n11", moved, 1, "a"));
    expect(&delta, "cds nonce n11");
    expect(&delta, "eds +third -a -other");
    check(delta.of[ENDPOINTS].held_count == 0, "endpoints of a cluster that is gone are kept", "");
    check(!delta_synced(&delta), "synced without the new name", "");
    struct item late[] = {{"a", "2", assignment("a", "10.0.0.1"), 0}, {"third", "1", assignment("third", "10.0.0.2"), 0}};
    feed(&delta, response(ENDPOINTS, NULL, "n12", late, 2, NULL));
    expect(&delta, "eds nonce n12");
    check(delta.of[ENDPOINTS].held_count == 1, "what is not asked for any more is kept", "");

    /* A new stream says what is held. */
    delta_start(&delta);
    expect(&delta, "cds node sidecar~127.0.0.1~x.shop~shop.svc.cluster.local +* =b:2");
    expect(&delta, "eds +third =third:1");
    expect(&delta, "lds +* =l:1");
    expect(&delta, "rds +r");
    expect(&delta, "(nothing)");
    check(delta_synced(&delta), "not synced after a reconnection that changed nothing", "");
    delta_close(&delta);
}

/* The end of a stream: there is no nonce to answer. */
static void hostile(void) {
    struct delta delta;
    delta_open(&delta, &arguments, &report);
    delta_start(&delta);
    struct text junk = {0}, huge = {0};
    text_add(&junk, "\x0f\xff");
    check(!feed(&delta, junk), "junk was taken", "");
    while (huge.length < 2000) text_add(&huge, "nnnnnnnnnn");
    check(!feed(&delta, response(CLUSTERS, NULL, huge.data, NULL, 0, NULL)), "a nonce of 2,000 bytes was taken", "");
    text_free(&huge);
    delta_close(&delta);
}

/* Depth and memory, where protobuf-c alone would use up the stack or gigabytes. */
static void limits(void) {
    struct text why = {0}, bytes = {0};
    /* A hundred thousand values, each a list with the next in it: built from the inside. */
    size_t room = 1 << 21, at = room;
    uint8_t *nested = must_allocate(room, 1);
    for (int level = 0; level < 100000; level++) {
        size_t length = room - at;
        uint8_t head[12];
        size_t size = 0;
        head[size++] = level % 2 ? 0x32 : 0x0a;
        do {
            head[size++] = (uint8_t)((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
            length >>= 7;
        } while (length);
        at -= size;
        memcpy(nested + at, head, size);
    }
    struct arena arena;
    arena_open(&arena, 64 << 20);
    check(!wire_read(&google__protobuf__value__descriptor, nested + at, room - at, &arena, &why), "a deep message was read", "");
    check(strstr(text_string(&why), "deeper"), "why a deep message was refused", text_string(&why));
    arena_close(&arena);
    free(nested);
    /* A million empty resources of two bytes each. */
    text_free(&why);
    for (int i = 0; i < 1000000; i++) text_add_bytes(&bytes, "\x12\x00", 2);
    arena_open(&arena, 16 << 20);
    check(!wire_read(&envoy__service__discovery__v3__delta_discovery_response__descriptor, bytes.data, bytes.length, &arena,
                     &why), "2 MB became more than 16", "");
    check(arena.used <= arena.limit, "the arena is larger than its limit", "");
    check(strstr(text_string(&why), "too large"), "why a large message was refused", text_string(&why));
    arena_close(&arena);
    text_free(&bytes);
    text_free(&why);
}

static void escaping(void) {
    struct text text = {0};
    text_add_shown(&text, "a\x1b[2J\\\xc3\xa4" "bcdef", 9);
    check(strcmp(text.data, "a\\x1b[2J\\x5c\\xc3\\xa4b...") == 0, "words for a terminal", text.data);
    text_free(&text);
    text_add_json(&text, "\"\\\n\x7f\xc3\xa4\xed\xa0\x80");
    check(strcmp(text.data, "\"\\\"\\\\\\u000a\\u007f\xc3\xa4\\ufffd\\ufffd\\ufffd\"") == 0, "words for JSON", text.data);
    text_free(&text);
    static const struct { const char *bytes; size_t size; } cases[] = {
        {"\xf4\x8f\xbf\xbf", 4}, {"\xf4\x90\x80\x80", 0}, {"\xc1\xbf", 0}, {"\xe0\x9f\xbf", 0}, {"\xe2\x82", 0}, {"\x80", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(utf8_sequence((const uint8_t *)cases[i].bytes, strlen(cases[i].bytes)) == cases[i].size, "UTF-8", "misjudged");
}

/* A generator of our own, so that a failure comes again. */
static uint32_t chance(uint32_t below) {
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) % below);
}

static void mutilation(void) {
    struct delta delta;
    delta_open(&delta, &arguments, &report);
    delta_start(&delta);
    size_t taken = 0, rounds = 12000;
    for (size_t round = 0; round < rounds; round++) {
        struct item cds[] = {{"a", "1", cluster("a", ""), 0}, {"b", "1", cluster("b", "other"), 0}};
        struct item eds[] = {{"a", "1", assignment("a", "10.0.0.1"), 0}};
        struct item lds[] = {{"l", "1", listener("l", "r", false), 0}};
        struct text all[] = {response(CLUSTERS, NULL, "n", cds, 2, "x"), response(ENDPOINTS, NULL, "n", eds, 1, NULL),
                             response(LISTENERS, NULL, "n", lds, 1, NULL)};
        struct text *chosen = &all[chance(3)];
        for (uint32_t changes = 1 + chance(4); changes; changes--) {
            uint32_t at = chance((uint32_t)chosen->length);
            switch (chance(4)) {
            case 0: chosen->data[at] = (char)chance(256); break;
            case 1: chosen->data[at] = (char)(chosen->data[at] ^ (1 << chance(8))); break;
            case 2: chosen->length = at + 1; break;
            default: memmove(chosen->data + at / 2, chosen->data + at, chosen->length - at); break;
            }
        }
        struct text why = {0}, out = {0};
        if (delta_receive(&delta, chosen->data, chosen->length, &why)) taken++;
        while (delta.first) words(&delta, &out);
        text_free(&why);
        text_free(&out);
        for (int i = 0; i < 3; i++) text_free(&all[i]);
    }
    char found[64];
    snprintf(found, sizeof found, "%zu of %zu answered, %zu refused", taken, rounds, delta.refused);
    /* Neither all nor none: else the mutilation is not what it should be. */
    check(taken > rounds / 10 && taken < rounds && delta.refused > rounds / 20 && delta.refused < taken, "mutilation", found);
    delta_close(&delta);
}

int main(void) {
    report = (struct report){fopen("/dev/null", "w"), false};
    if (!report.out) return 1;
    conversation();
    hostile();
    limits();
    escaping();
    mutilation();
    report.json = true;
    conversation();
    fclose(report.out);
    printf("%d facts hold, %d do not\n", facts - failures, failures);
    return failures ? 1 : 0;
}
