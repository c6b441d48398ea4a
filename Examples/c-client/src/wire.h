/* Protobuf from strangers. protobuf-c itself limits neither depth nor memory, and takes any bytes for a string; this does. */
#pragma once

#include "text.h"

#include <protobuf-c/protobuf-c.h>

enum { MAX_DEPTH = 64 };

/* Memory that grows up to a limit and is given back at once. A message of two-byte sub-messages takes fifty times its size. */
struct arena {
    ProtobufCAllocator allocator;
    struct block *blocks;
    size_t used, limit;
};

void arena_open(struct arena *arena, size_t limit);
void arena_close(struct arena *arena);

/* A message, which lives as long as the arena; NULL with the reason: no protobuf of this type, messages nested deeper than MAX_DEPTH,
   a string that is no UTF-8 or has a NUL in it (C would read it as another, shorter one), or more memory than the arena has. */
ProtobufCMessage *wire_read(const ProtobufCMessageDescriptor *type, const void *bytes, size_t count, struct arena *arena,
                            struct text *why);

/* Appends the bytes of our own message. */
void wire_pack(const ProtobufCMessage *message, struct text *out);
