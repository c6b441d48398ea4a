/* gRPC's C core: a channel over TLS, bytes in and out, and what its statuses mean to us. */
#pragma once

#include "arguments.h"
#include "text.h"

#include <grpc/grpc.h>

enum {
    /* How often a wait looks whether a signal came. */
    SLICE_MILLISECONDS = 100,
};

/* Whom to trust and how to prove who we are; key and chain are NULL for a caller with a token. PEM. */
struct proof {
    const char *roots, *key, *chain;
};

/* A channel of its own connection, which no other channel shares: it must not outlive its certificate in a pool. It connects when
   the first call is made. `limit`: bytes of the longest message taken. NULL if gRPC does not take the proof. */
grpc_channel *channel_open(const struct arguments *arguments, const struct proof *proof, int limit);

/* The bytes of a message; the buffer is kept. False if it is compressed (we never said that we could take that). */
bool bytes_of(grpc_byte_buffer *buffer, struct text *out);
grpc_byte_buffer *buffer_of(const void *bytes, size_t count);

/* How the program ends if a call ended with this. */
int code_of_status(grpc_status_code status);
/* "UNAUTHENTICATED: words of the peer", made harmless. */
void add_status(struct text *text, grpc_status_code status, grpc_slice details);

/* Now plus so much. */
gpr_timespec after(double seconds);

/* Takes all that is left in the queue and destroys it. */
void queue_close(grpc_completion_queue *queue);
