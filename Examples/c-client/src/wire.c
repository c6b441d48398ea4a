#include "wire.h"

#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(16) unsigned char bytes[];
};

static void *arena_allocate(void *context, size_t size) {
    struct arena *arena = context;
    size_t rounded = (size + 15) & ~(size_t)15;
    if (rounded < size || rounded > arena->limit - arena->used) return NULL;
    struct block *block = arena->blocks;
    if (!block || block->size - block->used < rounded) {
        size_t least = 32 << 10, bytes = rounded > least ? rounded : least;
        block = malloc(sizeof *block + bytes);
        if (!block) return NULL;
        *block = (struct block){.next = arena->blocks, .size = bytes};
        arena->blocks = block;
    }
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memory;
}

/* All is given back together. */
static void arena_release(void *context, void *memory) { (void)context, (void)memory; }

void arena_open(struct arena *arena, size_t limit) {
    *arena = (struct arena){.limit = limit, .allocator = {arena_allocate, arena_release, arena}};
}

void arena_close(struct arena *arena) {
    for (struct block *block = arena->blocks; block;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct arena){0};
}

/* A varint of at most ten bytes; 0 bytes if there is none. */
static size_t varint(const uint8_t *bytes, size_t count, uint64_t *value) {
    *value = 0;
    for (size_t i = 0; i < count && i < 10; i++) {
        *value |= (uint64_t)(bytes[i] & 0x7f) << (7 * i);
        if (bytes[i] < 0x80) return i + 1;
    }
    return 0;
}

static bool is_text(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count;) {
        size_t size = utf8_sequence(bytes + i, count - i);
        if (size == 0 || bytes[i] == 0) return false;
        i += size;
    }
    return true;
}

/* What protobuf-c would not ask. Every byte is looked at once per level only as far as the level's own fields go. */
static bool is_sound(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t count, unsigned depth,
                     struct text *why) {
    if (depth > MAX_DEPTH) {
        text_addf(why, "messages nested deeper than %d", MAX_DEPTH);
        return false;
    }
    for (size_t at = 0; at < count;) {
        uint64_t tag, value;
        size_t size = varint(bytes + at, count - at, &tag);
        if (size == 0 || tag >> 3 == 0 || tag > UINT32_MAX) {
            text_addf(why, "a field of %s has no number", type->name);
            return false;
        }
        at += size;
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        const char *name = field ? field->name : "(unknown)";
        switch (tag & 7) {
        case PROTOBUF_C_WIRE_TYPE_VARINT: size = varint(bytes + at, count - at, &value); break;
        case PROTOBUF_C_WIRE_TYPE_64BIT: size = 8; break;
        case PROTOBUF_C_WIRE_TYPE_32BIT: size = 4; break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
            size = varint(bytes + at, count - at, &value);
            if (size == 0 || value > count - at - size) {
                size = 0;
                break;
            }
            at += size;
            size = (size_t)value;
            if (field && field->type == PROTOBUF_C_TYPE_MESSAGE && !is_sound(field->descriptor, bytes + at, size, depth + 1, why))
                return false;
            if (field && field->type == PROTOBUF_C_TYPE_STRING && !is_text(bytes + at, size)) {
                text_addf(why, "%s of %s is no text (UTF-8 without NUL)", name, type->name);
                return false;
            }
            at += size;
            continue;
        default: size = 0;
        }
        if (size == 0 || size > count - at) {
            text_addf(why, "%s of %s is cut short or of no known form", name, type->name);
            return false;
        }
        at += size;
    }
    return true;
}

ProtobufCMessage *wire_read(const ProtobufCMessageDescriptor *type, const void *bytes, size_t count, struct arena *arena,
                            struct text *why) {
    if (count && !is_sound(type, bytes, count, 0, why)) return NULL;
    static const uint8_t nothing[1] = {0};
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &arena->allocator, count, count ? bytes : nothing);
    if (!message) text_addf(why, "no %s, or one that is too large", type->name);
    return message;
}

void wire_pack(const ProtobufCMessage *message, struct text *out) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = must_allocate(size, 1);
    protobuf_c_message_pack(message, bytes);
    text_add_bytes(out, bytes, size);
    free(bytes);
}
