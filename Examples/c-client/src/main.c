/* Joins the mesh and watches it: a certificate (kept, renewed, or got with a token), its check, the stream. */
#include "authority.h"
#include "codes.h"
#include "files.h"
#include "folder.h"
#include "key.h"
#include "signals.h"
#include "stream.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct program {
    struct arguments arguments;
    struct report report;
    struct text roots, name;    /* PEM; the SPIFFE name that the certificate must bear */
    struct folder folder;
    struct identity identity;
    time_t ends, renewal;
    bool loaded;                /* the folder was looked at */
};

static struct proof proof_of(const struct program *program) {
    return (struct proof){
        text_string(&program->roots), program->identity.key ? text_string(&program->identity.key_pem) : NULL,
        program->identity.key ? text_string(&program->identity.chain) : NULL};
}

/* Checks and tells a certificate; true if it is good. */
static bool judge(struct program *program, const char *source, const char *chain, EVP_PKEY *key, time_t got) {
    struct verdict verdict;
    chain_check(chain, text_string(&program->roots), text_string(&program->name), key, time(NULL), &verdict);
    time_t renewal = verdict.readable ? chain_renewal(&verdict, got) : 0;
    report_certificate(&program->report, source, &verdict, renewal);
    if (verdict.good) {
        program->ends = verdict.ends;
        program->renewal = renewal;
    }
    bool good = verdict.good;
    verdict_free(&verdict);
    return good;
}

/* Asks for a certificate for a new key, by the token, or by the certificate where there is no token, and keeps it if it is good. */
static int obtain(struct program *program, const char *token, struct text *why) {
    EVP_PKEY *key = NULL;
    struct text request = {0}, chain = {0};
    struct identity next = {0};
    struct proof proof = proof_of(program);
    if (token) proof.key = proof.chain = NULL;
    int code = folder_next_key(&program->folder, &key, why);
    if (code == CODE_GOOD && !key_request(key, text_string(&program->name), &request, why)) code = CODE_INTERNAL;
    if (code == CODE_GOOD) code = authority_ask(&program->arguments, &proof, token, text_string(&request), &chain, why);
    if (code == CODE_GOOD && !judge(program, token ? "token" : "renewal", text_string(&chain), key, time(NULL))) {
        text_add(why, "the authority's certificate is not good, so it is not kept");
        code = CODE_CHAIN;
    }
    if (code == CODE_GOOD) code = folder_commit(&program->folder, text_string(&chain), why);
    if (code == CODE_GOOD && !key_write(key, &next.key_pem)) code = CODE_INTERNAL;
    if (code == CODE_GOOD) {
        next.key = key;
        next.chain = chain;
        next.got = time(NULL);
        identity_free(&program->identity);
        program->identity = next;
    } else {
        EVP_PKEY_free(key);
        text_free(&chain);
        text_forget(&next.key_pem);
    }
    text_free(&request);
    return code;
}

static int join(struct program *program, struct text *why) {
    if (!program->arguments.token_file) {
        text_addf(why, "%s has no certificate that is good, and there is no --token-file", program->arguments.state);
        return CODE_USAGE;
    }
    struct text token = {0};
    int code = token_read(program->arguments.token_file, &token, why) ? obtain(program, text_string(&token), why) : CODE_DATA;
    text_forget(&token);
    return code;
}

/* Renews; a failure is told, and tried again after a tenth of the time that is left. */
static int renew(struct program *program) {
    struct text why = {0};
    int code = obtain(program, NULL, &why);
    if (code != CODE_GOOD) {
        time_t left = program->ends - time(NULL);
        program->renewal = time(NULL) + (left > 50 ? left / 10 : 5);
        note("not renewed: %s", text_string(&why));
    }
    text_free(&why);
    return code;
}

/* A certificate to connect with. */
static int prepare(struct program *program, struct text *why) {
    if (!program->loaded) {
        bool there = false;
        int code = folder_load(&program->folder, &program->identity, &there, why);
        if (code != CODE_GOOD) return code;
        program->loaded = true;
        if (there && !judge(program, "folder", text_string(&program->identity.chain), program->identity.key,
                            program->identity.got)) {
            identity_free(&program->identity);
            if (!program->arguments.token_file) {
                text_add(why, "the certificate of the state folder is not good, and there is no --token-file to join anew");
                return CODE_CHAIN;
            }
            note("the certificate of the state folder is not good: joining anew with the token");
        }
    }
    if (program->identity.key && time(NULL) >= program->renewal) renew(program);
    if (program->identity.key && time(NULL) >= program->ends) {
        note("the certificate has ended");
        identity_free(&program->identity);
    }
    return program->identity.key ? CODE_GOOD : join(program, why);
}

/* Waits before a new attempt, but not beyond the user's limits, which the next attempt then runs into. */
static void pause_for(double seconds, const struct stream_limits *limits) {
    double end = monotonic_now() + seconds;
    while (!signals_stop() && monotonic_now() < end) {
        if (limits->until > 0 && monotonic_now() >= limits->until) return;
        if (limits->sync_until > 0 && monotonic_now() >= limits->sync_until) return;
        usleep(50 * 1000);
    }
}

/* Stream after stream, until the end of the program. */
static int watch(struct program *program, struct text *why) {
    const struct arguments *arguments = &program->arguments;
    struct delta delta;
    delta_open(&delta, arguments, &program->report);
    double start = monotonic_now(), wait = 0.5;
    bool synced = false, answered = false;
    int code = -1;
    while (code < 0) {
        int ready = prepare(program, why);
        if (ready != CODE_GOOD) {
            code = ready;
            /* The signal took down the call. */
            if (signals_stop()) code = CODE_GOOD, text_free(why);
            break;
        }
        struct stream_limits limits = {
            .until = arguments->run_for ? start + (double)arguments->run_for : 0,
            .sync_until = arguments->until_synced && !synced ? start + (double)arguments->timeout : 0,
            /* Not before a second has passed, whatever the certificate says: no loop without a pause. */
            .renewal = program->renewal > time(NULL) ? program->renewal : time(NULL) + 1,
        };
        struct proof proof = proof_of(program);
        struct stream_result result;
        stream_run(arguments, &proof, &delta, answered, &synced, &limits, &result);
        answered = answered || result.answered;
        if (result.answered) wait = 0.5;
        int status = result.status == GRPC_STATUS_OK ? CODE_UNREACHABLE : code_of_status(result.status);
        switch (result.end) {
        case STREAM_SIGNAL: code = CODE_GOOD; break;
        case STREAM_SYNCED: code = delta.refused ? CODE_FAILED : CODE_GOOD; break;
        case STREAM_TIME:
            code = delta.refused || (arguments->until_synced && !synced) ? CODE_FAILED : CODE_GOOD;
            break;
        case STREAM_LATE:
            text_addf(why, "not everything came within %ld seconds", arguments->timeout);
            code = CODE_FAILED;
            break;
        case STREAM_RENEWAL: break;
        case STREAM_HOSTILE:
            text_addf(why, "the control plane broke the protocol: %s", text_string(&result.why));
            code = CODE_PROTOCOL;
            break;
        case STREAM_BROKEN:
            if (!answered || status == CODE_REFUSED) {
                text_addf(why, "no stream to %s: %s", arguments->control_plane, text_string(&result.why));
                code = status;
                break;
            }
            note("the stream ended: %s", text_string(&result.why));
            pause_for(wait, &limits);
            wait = wait < 8 ? wait * 2 : 8;
            break;
        }
        text_free(&result.why);
    }
    if (code == CODE_FAILED && delta.refused) text_addf(why, "%zu responses were refused", delta.refused);
    delta_close(&delta);
    return code;
}

static int run(struct program *program, struct text *why) {
    const struct arguments *arguments = &program->arguments;
    if (!file_read(arguments->root_cert, MAX_ROOT_BYTES, false, &program->roots, why)) return CODE_DATA;
    if (chain_count(text_string(&program->roots), MAX_ROOTS) < 1) {
        text_addf(why, "%s: no certificates in PEM", arguments->root_cert);
        return CODE_DATA;
    }
    text_addf(&program->name, "spiffe://%s/ns/%s/sa/%s", arguments->trust_domain, arguments->workload_namespace,
              arguments->service_account);
    int code = folder_open(&program->folder, arguments->state, why);
    if (code != CODE_GOOD) return code;
    grpc_init();
    code = watch(program, why);
    grpc_shutdown();
    return code;
}

int main(int argc, char **argv) {
    struct program program = {.folder.lock = -1};
    int code = arguments_read(argc, argv, &program.arguments);
    if (code != CODE_GOOD) {
        arguments_free(&program.arguments);
        return code < 0 ? CODE_GOOD : code;
    }
    program.report = (struct report){stdout, program.arguments.json};
    /* A key is in memory: no core file, and no file of ours is anybody else's. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    umask(077);
    /* What gRPC would say is in the status that we tell. */
    setenv("GRPC_VERBOSITY", "NONE", 0);
    signals_watch();
    struct text why = {0};
    code = run(&program, &why);
    if (why.length) note("%s", why.data);
    text_free(&why);
    text_free(&program.roots);
    text_free(&program.name);
    identity_free(&program.identity);
    folder_close(&program.folder);
    arguments_free(&program.arguments);
    return code;
}
