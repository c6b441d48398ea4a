#include "channel.h"

#include "codes.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdlib.h>
#include <string.h>

grpc_channel *channel_open(const struct arguments *arguments, const struct proof *proof, int limit) {
    grpc_ssl_pem_key_cert_pair pair = {proof->key, proof->chain};
    grpc_channel_credentials *credentials =
        grpc_ssl_credentials_create(proof->roots, proof->key ? &pair : NULL, NULL, NULL);
    if (!credentials) return NULL;
    const struct { const char *name; int value; } numbers[] = {
        {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, limit},
        {GRPC_ARG_MAX_METADATA_SIZE, 16 << 10},
        /* Neither compressed messages nor the algorithms for them: a small message stays small. */
        {GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1},
        {GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0},
        /* We try again ourselves, and know why. */
        {GRPC_ARG_ENABLE_RETRIES, 0},
        {GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1},
        {GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1},
        {GRPC_ARG_ENABLE_HTTP_PROXY, 0},
        /* A peer that is gone without a word is noticed within 40 seconds. */
        {GRPC_ARG_KEEPALIVE_TIME_MS, 30000},
        {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000},
        {GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0},
        /* Also the time that one attempt to connect may take. */
        {GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000},
    };
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    grpc_arg list[NUMBERS + 1];
    size_t count = 0;
    for (; count < NUMBERS; count++)
        list[count] = (grpc_arg){
            .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)numbers[count].name, .value.integer = numbers[count].value};
    if (arguments->server_name)
        list[count++] = (grpc_arg){
            .type = GRPC_ARG_STRING, .key = (char *)(uintptr_t)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
            .value.string = (char *)(uintptr_t)arguments->server_name};
    grpc_channel_args all = {count, list};
    grpc_channel *channel = grpc_channel_create(arguments->control_plane, credentials, &all);
    grpc_channel_credentials_release(credentials);
    return channel;
}

bool bytes_of(grpc_byte_buffer *buffer, struct text *out) {
    grpc_byte_buffer_reader reader;
    if (buffer->type != GRPC_BB_RAW || buffer->data.raw.compression != GRPC_COMPRESS_NONE) return false;
    if (!grpc_byte_buffer_reader_init(&reader, buffer)) return false;
    grpc_slice slice;
    while (grpc_byte_buffer_reader_next(&reader, &slice)) {
        text_add_bytes(out, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
        grpc_slice_unref(slice);
    }
    grpc_byte_buffer_reader_destroy(&reader);
    return true;
}

grpc_byte_buffer *buffer_of(const void *bytes, size_t count) {
    grpc_slice slice = grpc_slice_from_copied_buffer(bytes, count);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

int code_of_status(grpc_status_code status) {
    switch (status) {
    case GRPC_STATUS_OK: return CODE_GOOD;
    case GRPC_STATUS_UNAUTHENTICATED:
    case GRPC_STATUS_PERMISSION_DENIED:
    case GRPC_STATUS_INVALID_ARGUMENT: return CODE_REFUSED;
    case GRPC_STATUS_UNAVAILABLE:
    case GRPC_STATUS_DEADLINE_EXCEEDED:
    case GRPC_STATUS_RESOURCE_EXHAUSTED:
    case GRPC_STATUS_CANCELLED: return CODE_UNREACHABLE;
    default: return CODE_PROTOCOL;
    }
}

void add_status(struct text *text, grpc_status_code status, grpc_slice details) {
    static const char *const NAMES[] = {
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    };
    if ((unsigned)status < sizeof NAMES / sizeof *NAMES) text_add(text, NAMES[status]);
    else text_addf(text, "status %d", (int)status);
    char *words = grpc_slice_to_c_string(details);
    if (*words) {
        text_add(text, ": ");
        text_add_shown(text, words, 600);
    }
    gpr_free(words);
}

gpr_timespec after(double seconds) {
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros((int64_t)(seconds * 1e6), GPR_TIMESPAN));
}

void queue_close(grpc_completion_queue *queue) {
    grpc_completion_queue_shutdown(queue);
    while (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type != GRPC_QUEUE_SHUTDOWN) {}
    grpc_completion_queue_destroy(queue);
}
