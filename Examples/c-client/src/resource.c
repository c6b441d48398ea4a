#include "resource.h"

#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include "envoy/config/endpoint/v3/endpoint.pb-c.h"
#include "envoy/config/listener/v3/listener.pb-c.h"
#include "envoy/config/route/v3/route.pb-c.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb-c.h"

#include <stdlib.h>
#include <string.h>

typedef Envoy__Config__Cluster__V3__Cluster Cluster;
typedef Envoy__Config__Endpoint__V3__ClusterLoadAssignment Assignment;
typedef Envoy__Config__Endpoint__V3__LocalityLbEndpoints Group;
typedef Envoy__Config__Endpoint__V3__LbEndpoint Endpoint;
typedef Envoy__Config__Listener__V3__Listener Listener;
typedef Envoy__Config__Listener__V3__FilterChain FilterChain;
typedef Envoy__Config__Route__V3__RouteConfiguration RouteConfiguration;
typedef Envoy__Config__Core__V3__Address Address;
typedef Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager Manager;

#define MANAGER_TYPE \
    envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__descriptor
#define MANAGER_ROUTE(what) \
    ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_##what

#define URL(type) "type.googleapis.com/envoy.config." type

const struct kind_facts KIND[KINDS] = {
    [CLUSTERS] = {"cds", URL("cluster.v3.Cluster"), &envoy__config__cluster__v3__cluster__descriptor, -1},
    [ENDPOINTS] = {"eds", URL("endpoint.v3.ClusterLoadAssignment"),
                   &envoy__config__endpoint__v3__cluster_load_assignment__descriptor, CLUSTERS},
    [LISTENERS] = {"lds", URL("listener.v3.Listener"), &envoy__config__listener__v3__listener__descriptor, -1},
    [ROUTES] = {"rds", URL("route.v3.RouteConfiguration"), &envoy__config__route__v3__route_configuration__descriptor,
                LISTENERS},
};

enum {
    /* A resource is 16 MiB at most; read, it may take this. */
    MAX_ARENA_BYTES = 256 << 20,
    /* Bytes of a stranger's name on a line of text; JSON has all of it. */
    SHOWN_NAME = 300,
};

/* The name of a number of an enumeration, or the number: a newer peer has newer ones. */
static void add_enum(struct text *text, const ProtobufCEnumDescriptor *type, int number) {
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    if (value) text_add(text, value->name);
    else text_addf(text, "%d", number);
}

/* ",\"key\":\"value\"" of an enumeration. */
static void add_enum_member(struct text *json, const char *key, const ProtobufCEnumDescriptor *type, int number) {
    text_addf(json, ",\"%s\":\"", key);
    add_enum(json, type, number);
    text_add(json, "\"");
}

static void add_address(struct resource *out, const Address *address) {
    if (address && address->address_case == ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS) {
        const Envoy__Config__Core__V3__SocketAddress *socket = address->socket_address;
        bool numbered = socket->port_specifier_case == ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
        text_add_shown(&out->shown, socket->address, 64);
        text_addf(&out->shown, ":%u", numbered ? socket->port_value : 0);
        text_add(&out->json, "\"address\":");
        text_add_json(&out->json, socket->address);
        text_addf(&out->json, ",\"port\":%u", numbered ? socket->port_value : 0);
    } else if (address && address->address_case == ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_PIPE) {
        text_add(&out->shown, "unix:");
        text_add_shown(&out->shown, address->pipe->path, 108);
        text_add(&out->json, "\"pipe\":");
        text_add_json(&out->json, address->pipe->path);
    } else {
        text_add(&out->shown, "(internal)");
        text_add(&out->json, "\"internal\":true");
    }
}

/* A list of names as ",\"key\":[...]" . */
static void add_names(struct text *json, const char *key, const struct names *names) {
    text_addf(json, ",\"%s\":[", key);
    for (size_t i = 0; i < names->count; i++) {
        if (i) text_add(json, ",");
        text_add_json(json, names->items[i]);
    }
    text_add(json, "]");
}

static const char *read_cluster(const Cluster *cluster, struct resource *out, struct text *why) {
    const ProtobufCEnumDescriptor *types = &envoy__config__cluster__v3__cluster__discovery_type__descriptor;
    bool custom = cluster->cluster_discovery_type_case
        == ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_CLUSTER_TYPE;
    /* Without either it is STATIC, the enumeration's zero. */
    int type = cluster->cluster_discovery_type_case == ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE
        ? (int)cluster->type : 0;
    if (custom) {
        text_add_shown(&out->shown, cluster->cluster_type->name, SHOWN_NAME);
        text_add(&out->json, ",\"clusterType\":");
        text_add_json(&out->json, cluster->cluster_type->name);
    } else {
        add_enum(&out->shown, types, type);
        add_enum_member(&out->json, "clusterType", types, type);
    }
    if (!custom && type == ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS) {
        const char *other = cluster->eds_cluster_config ? cluster->eds_cluster_config->service_name : "";
        if (strlen(other) > MAX_NAME_BYTES) {
            text_addf(why, "eds_cluster_config.service_name is longer than %d bytes", MAX_NAME_BYTES);
            return NULL;
        }
        names_add(&out->references, *other ? other : cluster->name);
    }
    return cluster->name;
}

static void add_endpoint(struct resource *out, const Endpoint *endpoint, const Group *group, bool first) {
    text_add(&out->shown, first ? " " : ", ");
    text_add(&out->json, first ? "{" : ",{");
    bool named = endpoint->host_identifier_case == ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
    add_address(out, named ? endpoint->endpoint->address : NULL);
    if (endpoint->health_status != ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__UNKNOWN) {
        text_add(&out->shown, " ");
        add_enum(&out->shown, &envoy__config__core__v3__health_status__descriptor, (int)endpoint->health_status);
    }
    add_enum_member(&out->json, "health", &envoy__config__core__v3__health_status__descriptor, (int)endpoint->health_status);
    if (endpoint->load_balancing_weight)
        text_addf(&out->json, ",\"weight\":%u", endpoint->load_balancing_weight->value);
    text_addf(&out->json, ",\"priority\":%u", group->priority);
    if (group->locality) {
        const char *parts[] = {group->locality->region, group->locality->zone, group->locality->sub_zone};
        const char *keys[] = {"region", "zone", "subZone"};
        for (int i = 0; i < 3; i++) {
            if (!*parts[i]) continue;
            text_addf(&out->json, ",\"%s\":", keys[i]);
            text_add_json(&out->json, parts[i]);
        }
    }
    text_add(&out->json, "}");
}

static const char *read_assignment(const Assignment *assignment, struct resource *out, struct text *why) {
    (void)why;
    size_t count = 0;
    for (size_t i = 0; i < assignment->n_endpoints; i++) count += assignment->endpoints[i]->n_lb_endpoints;
    text_addf(&out->shown, "%zu endpoint%s", count, count == 1 ? "" : "s");
    text_add(&out->json, ",\"endpoints\":[");
    bool first = true;
    for (size_t i = 0; i < assignment->n_endpoints; i++) {
        const Group *group = assignment->endpoints[i];
        for (size_t at = 0; at < group->n_lb_endpoints; at++, first = false)
            add_endpoint(out, group->lb_endpoints[at], group, first);
    }
    text_add(&out->json, "]");
    return assignment->cluster_name;
}

/* The routes that the connection managers of a chain ask for. A manager that cannot be read is an error; what other filters are
   configured with is theirs alone. */
static bool add_routes(const FilterChain *chain, struct names *routes, struct text *why) {
    for (size_t i = 0; i < chain->n_filters; i++) {
        const Envoy__Config__Listener__V3__Filter *filter = chain->filters[i];
        if (filter->config_type_case != ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_TYPED_CONFIG) continue;
        const char *slash = strrchr(filter->typed_config->type_url, '/');
        if (!slash || strcmp(slash + 1, MANAGER_TYPE.name) != 0) continue;
        struct arena arena;
        arena_open(&arena, MAX_ARENA_BYTES);
        const Manager *manager = (const void *)wire_read(
            &MANAGER_TYPE, filter->typed_config->value.data, filter->typed_config->value.len, &arena, why);
        bool good = manager != NULL;
        if (good && manager->route_specifier_case == MANAGER_ROUTE(RDS)) {
            const char *name = manager->rds->route_config_name;
            good = *name && strlen(name) <= MAX_NAME_BYTES;
            if (good) names_add(routes, name);
            else text_addf(why, "rds.route_config_name is empty or longer than %d bytes", MAX_NAME_BYTES);
        }
        arena_close(&arena);
        if (!good) return false;
    }
    return true;
}

static const char *read_listener(const Listener *listener, struct resource *out, struct text *why) {
    if (listener->api_listener) {
        text_add(&out->shown, "api");
        text_add(&out->json, ",\"apiListener\":true");
    } else {
        text_add(&out->json, ",");
        add_address(out, listener->address);
    }
    size_t chains = listener->n_filter_chains + (listener->default_filter_chain ? 1 : 0);
    text_addf(&out->shown, ", %zu filter chain%s", chains, chains == 1 ? "" : "s");
    text_addf(&out->json, ",\"filterChains\":%zu", chains);
    for (size_t i = 0; i < listener->n_filter_chains; i++)
        if (!add_routes(listener->filter_chains[i], &out->references, why)) return NULL;
    if (listener->default_filter_chain && !add_routes(listener->default_filter_chain, &out->references, why)) return NULL;
    names_sort(&out->references);
    for (size_t i = 0; i < out->references.count; i++) {
        text_add(&out->shown, i ? ", " : ", routes ");
        text_add_shown(&out->shown, out->references.items[i], SHOWN_NAME);
    }
    add_names(&out->json, "routes", &out->references);
    return listener->name;
}

static const char *read_routes(const RouteConfiguration *configuration, struct resource *out, struct text *why) {
    (void)why;
    size_t routes = 0;
    struct names hosts = {0};
    for (size_t i = 0; i < configuration->n_virtual_hosts; i++) {
        routes += configuration->virtual_hosts[i]->n_routes;
        names_add(&hosts, configuration->virtual_hosts[i]->name);
    }
    text_addf(&out->shown, "%zu virtual host%s, %zu route%s", hosts.count, hosts.count == 1 ? "" : "s", routes,
              routes == 1 ? "" : "s");
    text_addf(&out->json, ",\"routeCount\":%zu", routes);
    add_names(&out->json, "virtualHosts", &hosts);
    names_free(&hosts);
    return configuration->name;
}

bool resource_read(enum kind kind, const char *name, const char *version, const void *bytes, size_t count, struct resource *out,
                   struct text *why) {
    *out = (struct resource){0};
    struct arena arena;
    arena_open(&arena, MAX_ARENA_BYTES);
    const void *message = wire_read(KIND[kind].type, bytes, count, &arena, why);
    const char *inner = NULL;
    if (message) {
        switch (kind) {
        case CLUSTERS: inner = read_cluster(message, out, why); break;
        case ENDPOINTS: inner = read_assignment(message, out, why); break;
        case LISTENERS: inner = read_listener(message, out, why); break;
        case ROUTES: inner = read_routes(message, out, why); break;
        case KINDS: break;
        }
    }
    bool good = inner && *inner && strcmp(inner, name) == 0;
    if (inner && !good) text_add(why, *inner ? "the message bears another name" : "the message has no name");
    if (good) {
        out->name = must_copy(name);
        out->version = must_copy(version);
    }
    arena_close(&arena);
    if (!good) resource_free(out);
    return good;
}

void resource_free(struct resource *resource) {
    free(resource->name);
    free(resource->version);
    names_free(&resource->references);
    text_free(&resource->shown);
    text_free(&resource->json);
    *resource = (struct resource){0};
}

size_t resource_size(const struct resource *resource) {
    size_t size = sizeof *resource + strlen(resource->name) + strlen(resource->version);
    for (size_t i = 0; i < resource->references.count; i++) size += strlen(resource->references.items[i]) + 32;
    return size;
}
