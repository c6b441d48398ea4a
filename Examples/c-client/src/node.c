#include "node.h"

#include "text.h"

typedef Google__Protobuf__Struct Struct;
typedef Google__Protobuf__Struct__FieldsEntry Entry;
typedef Google__Protobuf__Value Value;

/* Adds key and value to an object with room for it. */
static void put(Struct *object, const char *key, Value *value) {
    Entry *entry = must_allocate(1, sizeof *entry);
    google__protobuf__struct__fields_entry__init(entry);
    entry->key = must_copy(key);
    entry->value = value;
    object->fields[object->n_fields++] = entry;
}

static Struct *object_make(size_t room) {
    Struct *object = must_allocate(1, sizeof *object);
    google__protobuf__struct__init(object);
    object->fields = must_allocate(room, sizeof *object->fields);
    return object;
}

static Value *string(const char *text) {
    Value *value = must_allocate(1, sizeof *value);
    google__protobuf__value__init(value);
    value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
    value->string_value = must_copy(text);
    return value;
}

Envoy__Config__Core__V3__Node *node_make(const struct arguments *arguments) {
    Envoy__Config__Core__V3__Node *node = must_allocate(1, sizeof *node);
    envoy__config__core__v3__node__init(node);
    struct text id = {0}, cluster = {0};
    text_addf(&id, "sidecar~%s~%s.%s~%s.svc.cluster.local", arguments->ip, arguments->name, arguments->workload_namespace,
              arguments->workload_namespace);
    text_addf(&cluster, "%s.%s", arguments->name, arguments->workload_namespace);
    node->id = id.data;
    node->cluster = cluster.data;
    node->user_agent_name = must_copy("apus-c-client");
    node->metadata = object_make(6);
    put(node->metadata, "NAME", string(arguments->name));
    put(node->metadata, "NAMESPACE", string(arguments->workload_namespace));
    put(node->metadata, "SERVICE_ACCOUNT", string(arguments->service_account));
    put(node->metadata, "INSTANCE_IPS", string(arguments->ip));
    put(node->metadata, "INTERCEPTION_MODE", string("NONE"));
    Value *labels = must_allocate(1, sizeof *labels);
    google__protobuf__value__init(labels);
    labels->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
    labels->struct_value = object_make(MAX_LABELS);
    for (int i = 0; i < arguments->label_count; i++)
        put(labels->struct_value, arguments->labels[i].key, string(arguments->labels[i].value));
    put(node->metadata, "LABELS", labels);
    return node;
}

void node_free(Envoy__Config__Core__V3__Node *node) {
    /* Every part was allocated with the allocator that protobuf-c takes when none is given. */
    envoy__config__core__v3__node__free_unpacked(node, NULL);
}
