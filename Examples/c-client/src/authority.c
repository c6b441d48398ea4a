#include "authority.h"

#include "chain.h"
#include "codes.h"
#include "files.h"
#include "signals.h"
#include "wire.h"

#include "istio/v1/auth/auth.pb-c.h"

#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOKEN_BYTES = 8 << 10, MAX_ANSWER_BYTES = 256 << 10 };

#define METHOD "/istio.v1.auth.IstioCertificateService/CreateCertificate"

bool token_read(const char *path, struct text *token, struct text *why) {
    struct text raw = {0};
    bool good = file_read(path, MAX_TOKEN_BYTES, false, &raw, why);
    if (good) {
        const char *start = text_string(&raw) + strspn(text_string(&raw), " \t\r\n");
        size_t length = strcspn(start, " \t\r\n");
        good = length > 0 && start[length + strspn(start + length, " \t\r\n")] == 0;
        for (size_t i = 0; i < length; i++) good = good && start[i] > ' ' && start[i] < 0x7f;
        if (good) text_add_bytes(token, start, length);
        else text_addf(why, "%s: no token (one word is expected, as `apus token create` prints it)", path);
    }
    text_forget(&raw);
    return good;
}

static grpc_byte_buffer *message(const struct arguments *arguments, const char *request) {
    Istio__V1__Auth__IstioCertificateRequest body = ISTIO__V1__AUTH__ISTIO_CERTIFICATE_REQUEST__INIT;
    /* protobuf-c has no const strings; packing changes nothing. */
    body.csr = (char *)(uintptr_t)request;
    body.validity_duration = arguments->certificate_life;
    struct text bytes = {0};
    wire_pack(&body.base, &bytes);
    grpc_byte_buffer *buffer = buffer_of(text_string(&bytes), bytes.length);
    text_free(&bytes);
    return buffer;
}

/* The chain of an answer. */
static int take_answer(grpc_byte_buffer *buffer, struct text *chain, struct text *why) {
    struct text bytes = {0}, joined = {0};
    struct arena arena;
    arena_open(&arena, 4 << 20);
    int code = CODE_PROTOCOL;
    Istio__V1__Auth__IstioCertificateResponse *answer = NULL;
    if (!buffer || !bytes_of(buffer, &bytes)) {
        text_add(why, "the authority's answer is no message");
    } else if (!(answer = (void *)wire_read(&istio__v1__auth__istio_certificate_response__descriptor, bytes.data, bytes.length,
                                            &arena, why))) {
        /* The reason is there. */
    } else {
        for (size_t i = 0; i < answer->n_cert_chain && joined.length <= MAX_CHAIN_BYTES; i++)
            text_addf(&joined, "%s\n", answer->cert_chain[i]);
        if (joined.length <= MAX_CHAIN_BYTES && chain_copy(text_string(&joined), chain)) code = CODE_GOOD;
        else text_addf(why, "the authority's answer is no chain of one to %d certificates in PEM", MAX_CERTIFICATES);
    }
    arena_close(&arena);
    text_free(&bytes);
    text_free(&joined);
    return code;
}

int authority_ask(const struct arguments *arguments, const struct proof *proof, const char *token, const char *request,
                  struct text *chain, struct text *why) {
    grpc_channel *channel = channel_open(arguments, proof, MAX_ANSWER_BYTES);
    if (!channel) {
        text_add(why, "gRPC does not take the roots or the certificate");
        return CODE_DATA;
    }
    grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
    gpr_timespec deadline = after((double)arguments->timeout);
    grpc_call *call = grpc_channel_create_call(
        channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, grpc_slice_from_static_string(METHOD), NULL, deadline, NULL);

    struct text bearer = {0};
    grpc_metadata authorization = {.key = grpc_slice_from_static_string("authorization")};
    if (token) {
        text_addf(&bearer, "Bearer %s", token);
        authorization.value = grpc_slice_from_copied_buffer(bearer.data, bearer.length);
    }
    grpc_metadata_array head, trailer;
    grpc_metadata_array_init(&head);
    grpc_metadata_array_init(&trailer);
    grpc_byte_buffer *question = message(arguments, request), *answer = NULL;
    grpc_status_code status = GRPC_STATUS_UNKNOWN;
    grpc_slice details = grpc_empty_slice();
    const grpc_op all[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA,
         .data.send_initial_metadata = {.count = token ? 1 : 0, .metadata = &authorization}},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = question},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &head},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &answer},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &trailer, .status = &status, .status_details = &details}},
    };
    int code = CODE_INTERNAL;
    if (grpc_call_start_batch(call, all, sizeof all / sizeof *all, call, NULL) == GRPC_CALL_OK) {
        while (grpc_completion_queue_next(queue, after(SLICE_MILLISECONDS / 1e3), NULL).type == GRPC_QUEUE_TIMEOUT)
            if (signals_stop()) grpc_call_cancel(call, NULL);
        code = code_of_status(status);
        if (code == CODE_GOOD) code = take_answer(answer, chain, why);
        else {
            text_addf(why, "no certificate from %s: ", arguments->control_plane);
            add_status(why, status, details);
        }
    } else {
        text_add(why, "gRPC does not take the call");
    }
    if (token) {
        grpc_slice_unref(authorization.value);
        text_forget(&bearer);
    }
    grpc_slice_unref(details);
    grpc_metadata_array_destroy(&head);
    grpc_metadata_array_destroy(&trailer);
    grpc_byte_buffer_destroy(question);
    if (answer) grpc_byte_buffer_destroy(answer);
    grpc_call_unref(call);
    grpc_channel_destroy(channel);
    queue_close(queue);
    return code;
}
