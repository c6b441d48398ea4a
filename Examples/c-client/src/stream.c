#include "stream.h"

#include "signals.h"

#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <string.h>

#define METHOD "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"

enum {
    /* Requests that may wait before we stop reading: a peer that does not take our answers gets no more questions in. */
    MAX_WAITING = 16,
    /* Time for the peer to end the stream after we have ended our half. */
    GRACE_SECONDS = 2,
};

/* What a completion is about. */
enum tag { OPENED = 1, HEAD, MESSAGE, SENT, CLOSED, STATUS };

struct stream {
    grpc_call *call;
    grpc_completion_queue *queue;
    const struct arguments *arguments;
    struct delta *delta;
    bool again, connected;
    unsigned pending;               /* batches whose completion is to come */
    bool reading, sending, half_closed, ended;
    grpc_byte_buffer *received, *sent;
    grpc_metadata_array head, trailer;
    grpc_status_code status;
    grpc_slice details;
};

double monotonic_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool start(struct stream *stream, const grpc_op *op, enum tag tag) {
    if (grpc_call_start_batch(stream->call, op, 1, (void *)(uintptr_t)tag, NULL) != GRPC_CALL_OK) return false;
    stream->pending++;
    return true;
}

static size_t waiting(const struct delta *delta) {
    size_t count = 0;
    for (const struct request *request = delta->first; request && count <= MAX_WAITING; request = request->next) count++;
    return count;
}

/* Starts to read and to write what can be. One message each way at a time is gRPC's rule. */
static void advance(struct stream *stream) {
    if (stream->ended || stream->half_closed) return;
    if (!stream->sending && stream->delta->first) {
        struct request *request = delta_take(stream->delta);
        stream->sent = buffer_of(text_string(&request->bytes), request->bytes.length);
        request_free(request);
        const grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = stream->sent};
        stream->sending = start(stream, &op, SENT);
    }
    if (!stream->reading && waiting(stream->delta) <= MAX_WAITING) {
        const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->received};
        stream->reading = start(stream, &op, MESSAGE);
    }
}

/* There is a connection: the first request has gone out on one, or a response has come. A control plane that has nothing new
   to say after a reconnection says nothing, so its answer is not waited for. */
static void tell_connected(struct stream *stream) {
    if (!stream->connected) report_connected(stream->delta->report, stream->arguments->control_plane, stream->again);
    stream->connected = true;
}

/* A message that was read; false where the stream must end. */
static bool take_message(struct stream *stream, struct stream_result *result) {
    struct text bytes = {0};
    grpc_byte_buffer *buffer = stream->received;
    stream->received = NULL;
    stream->reading = false;
    if (!buffer) {
        /* The end of the stream; its status follows. Nothing more is read. */
        stream->reading = true;
        return true;
    }
    if (stream->half_closed) {
        /* What still comes after we have ended our half is not taken, and not acknowledged. */
        grpc_byte_buffer_destroy(buffer);
        return true;
    }
    tell_connected(stream);
    bool good = bytes_of(buffer, &bytes);
    if (!good) text_add(&result->why, "a compressed message, which was never offered");
    good = good && delta_receive(stream->delta, text_string(&bytes), bytes.length, &result->why);
    result->answered = result->answered || good;
    grpc_byte_buffer_destroy(buffer);
    text_free(&bytes);
    return good;
}

/* One completion, or none within a slice of time. False where the peer broke the protocol. */
static bool step(struct stream *stream, struct stream_result *result) {
    grpc_event event = grpc_completion_queue_next(stream->queue, after(SLICE_MILLISECONDS / 1e3), NULL);
    if (event.type != GRPC_OP_COMPLETE) return true;
    stream->pending--;
    switch ((enum tag)(uintptr_t)event.tag) {
    case MESSAGE:
        if (event.success) return take_message(stream, result);
        break;
    case SENT:
        grpc_byte_buffer_destroy(stream->sent);
        stream->sent = NULL;
        stream->sending = false;
        if (event.success) tell_connected(stream);
        break;
    case STATUS: stream->ended = true; break;
    case OPENED:
    case HEAD:
    case CLOSED: break;
    }
    return true;
}

/* Why the stream should end now, or -1. */
static int reason_to_end(const struct stream *stream, const struct arguments *arguments, bool synced,
                         const struct stream_limits *limits) {
    double now = monotonic_now();
    if (signals_stop()) return STREAM_SIGNAL;
    bool all_sent = !stream->sending && !stream->delta->first;
    if (synced && arguments->until_synced && all_sent) return STREAM_SYNCED;
    if (!synced && limits->sync_until > 0 && now >= limits->sync_until) return STREAM_LATE;
    if (limits->until > 0 && now >= limits->until) return STREAM_TIME;
    if (stream->ended) return STREAM_BROKEN;
    if (limits->renewal && time(NULL) >= limits->renewal) return STREAM_RENEWAL;
    return -1;
}

/* Ends our half and waits a little for the peer's, so that what we sent last is not lost; then takes the call down. */
static void finish(struct stream *stream, bool politely) {
    const grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    struct stream_result ignored = {0};
    double end = monotonic_now() + GRACE_SECONDS;
    if (politely && !stream->ended) {
        while (stream->sending && !stream->ended && monotonic_now() < end) step(stream, &ignored);
        stream->half_closed = true;
        if (!stream->sending) start(stream, &op, CLOSED);
        while (!stream->ended && monotonic_now() < end) {
            step(stream, &ignored);
            if (!stream->reading && !stream->ended) {
                const grpc_op read = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->received};
                stream->reading = start(stream, &read, MESSAGE);
            }
        }
    }
    stream->half_closed = true;
    grpc_call_cancel(stream->call, NULL);
    while (stream->pending) step(stream, &ignored);
    text_free(&ignored.why);
    if (stream->received) grpc_byte_buffer_destroy(stream->received);
    if (stream->sent) grpc_byte_buffer_destroy(stream->sent);
}

void stream_run(const struct arguments *arguments, const struct proof *proof, struct delta *delta, bool again, bool *synced,
                const struct stream_limits *limits, struct stream_result *result) {
    *result = (struct stream_result){.end = STREAM_BROKEN, .status = GRPC_STATUS_UNKNOWN};
    grpc_channel *channel = channel_open(arguments, proof, MAX_RESPONSE_BYTES);
    if (!channel) {
        text_add(&result->why, "gRPC does not take the roots or the certificate");
        return;
    }
    struct stream stream = {
        .arguments = arguments, .delta = delta, .again = again, .status = GRPC_STATUS_UNKNOWN, .details = grpc_empty_slice()};
    stream.queue = grpc_completion_queue_create_for_next(NULL);
    stream.call = grpc_channel_create_call(
        channel, NULL, GRPC_PROPAGATE_DEFAULTS, stream.queue, grpc_slice_from_static_string(METHOD), NULL,
        gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    grpc_metadata_array_init(&stream.head);
    grpc_metadata_array_init(&stream.trailer);
    const grpc_op open = {.op = GRPC_OP_SEND_INITIAL_METADATA};
    const grpc_op head = {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &stream.head};
    const grpc_op status = {
        .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
        .data.recv_status_on_client = {
            .trailing_metadata = &stream.trailer, .status = &stream.status, .status_details = &stream.details}};
    bool good = start(&stream, &open, OPENED) && start(&stream, &head, HEAD) && start(&stream, &status, STATUS);
    delta_start(delta);
    int end = good ? -1 : STREAM_BROKEN;
    while (end < 0) {
        advance(&stream);
        good = step(&stream, result);
        if (good && !*synced && result->answered && delta_synced(delta)) {
            size_t held[KINDS];
            delta_held(delta, held);
            report_synced(delta->report, held);
            *synced = true;
        }
        end = good ? reason_to_end(&stream, arguments, *synced, limits) : STREAM_HOSTILE;
    }
    result->end = (enum stream_end)end;
    finish(&stream, end != STREAM_BROKEN && end != STREAM_HOSTILE);
    result->status = stream.status;
    if (end == STREAM_BROKEN) add_status(&result->why, stream.status, stream.details);
    grpc_slice_unref(stream.details);
    grpc_metadata_array_destroy(&stream.head);
    grpc_metadata_array_destroy(&stream.trailer);
    grpc_call_unref(stream.call);
    grpc_channel_destroy(channel);
    queue_close(stream.queue);
}
