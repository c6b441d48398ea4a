#include "chain.h"

#include "key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

const char *const QUESTION[QUESTIONS] = {"chain", "time", "name", "usage", "key"};

void time_add(struct text *text, time_t time) {
    struct tm parts;
    char buffer[40] = "?";
    if (gmtime_r(&time, &parts)) strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
    text_add(text, buffer);
}

/* Certificates of a PEM text, NULL if one is broken, there is none, or there are too many. Other blocks are skipped. */
static STACK_OF(X509) *read_all(const char *pem, int limit) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    STACK_OF(X509) *all = sk_X509_new_null();
    bool good = bio && all;
    while (good) {
        ERR_clear_error();
        X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        if (!certificate) {
            /* The one good end: no further BEGIN line. */
            good = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            break;
        }
        if (sk_X509_num(all) >= limit || sk_X509_push(all, certificate) <= 0) {
            X509_free(certificate);
            good = false;
        }
    }
    ERR_clear_error();
    BIO_free(bio);
    if (!good || sk_X509_num(all) == 0) {
        sk_X509_pop_free(all, X509_free);
        return NULL;
    }
    return all;
}

int chain_count(const char *pem, int limit) {
    STACK_OF(X509) *all = read_all(pem, limit);
    int count = all ? sk_X509_num(all) : -1;
    sk_X509_pop_free(all, X509_free);
    return count;
}

bool chain_copy(const char *pem, struct text *out) {
    STACK_OF(X509) *all = read_all(pem, MAX_CERTIFICATES);
    BIO *bio = all ? BIO_new(BIO_s_mem()) : NULL;
    bool good = bio != NULL;
    for (int i = 0; good && i < sk_X509_num(all); i++) good = PEM_write_bio_X509(bio, sk_X509_value(all, i)) == 1;
    char *bytes = NULL;
    long count = good ? BIO_get_mem_data(bio, &bytes) : 0;
    if (count > 0) text_add_bytes(out, bytes, (size_t)count);
    BIO_free(bio);
    sk_X509_pop_free(all, X509_free);
    ERR_clear_error();
    return good;
}

bool chain_fits(const char *chain, EVP_PKEY *key) {
    STACK_OF(X509) *all = read_all(chain, MAX_CERTIFICATES);
    bool fits = all && X509_check_private_key(sk_X509_value(all, 0), key) == 1;
    ERR_clear_error();
    sk_X509_pop_free(all, X509_free);
    return fits;
}

static bool seconds_of(const ASN1_TIME *time, time_t *out) {
    struct tm parts;
    if (!time || ASN1_TIME_to_tm(time, &parts) != 1) return false;
    *out = timegm(&parts);
    return true;
}

/* A distinguished name on one line, fit for a terminal. */
static void add_subject(struct text *text, X509 *certificate) {
    char *line = X509_NAME_oneline(X509_get_subject_name(certificate), NULL, 0);
    text_add_shown(text, line ? line : "?", 200);
    OPENSSL_free(line);
}

static void add_digest(struct text *text, const unsigned char *digest, unsigned count) {
    for (unsigned i = 0; i < count; i++) text_addf(text, "%02x", digest[i]);
}

/* Does it lead to a root? Times are a question of their own, so they are not asked here. `path` is the chain that was found. */
static bool ask_chain(STACK_OF(X509) *chain, STACK_OF(X509) *roots, struct verdict *out, STACK_OF(X509) **path) {
    struct text *said = &out->answers[ASK_CHAIN];
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool good = store && context;
    for (int i = 0; good && i < sk_X509_num(roots); i++) good = X509_STORE_add_cert(store, sk_X509_value(roots, i)) == 1;
    good = good && X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) == 1;
    if (!good) {
        openssl_reason(said, "preparing the check");
    } else {
        X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
        X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_X509_STRICT);
        X509_VERIFY_PARAM_set_depth(rules, MAX_CERTIFICATES);
        X509_VERIFY_PARAM_set_auth_level(rules, 2);
        good = X509_verify_cert(context) == 1;
        if (good) {
            *path = X509_STORE_CTX_get1_chain(context);
            int count = sk_X509_num(*path);
            X509 *root = sk_X509_value(*path, count - 1);
            unsigned char digest[EVP_MAX_MD_SIZE];
            unsigned size = 0;
            add_subject(&out->root, root);
            if (X509_digest(root, EVP_sha256(), digest, &size) == 1) {
                text_add(&out->root, " sha256:");
                add_digest(&out->root, digest, size);
            }
            text_addf(said, "%d certificates lead to the root %s", count, text_string(&out->root));
        } else {
            text_addf(said, "%s (at depth %d)", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)),
                      X509_STORE_CTX_get_error_depth(context));
        }
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return good;
}

/* Is every link in its time? */
static bool ask_time(STACK_OF(X509) *links, time_t now, struct verdict *out) {
    struct text *said = &out->answers[ASK_TIME];
    for (int i = 0; i < sk_X509_num(links); i++) {
        X509 *link = sk_X509_value(links, i);
        time_t begins, ends;
        if (!seconds_of(X509_get0_notBefore(link), &begins) || !seconds_of(X509_get0_notAfter(link), &ends)) {
            text_addf(said, "the times of link %d cannot be read", i);
            return false;
        }
        if (i == 0) out->begins = begins, out->ends = ends;
        if (now < begins || now > ends) {
            text_addf(said, "link %d %s ", i, now < begins ? "begins only at" : "ended at");
            time_add(said, now < begins ? begins : ends);
            return false;
        }
    }
    text_add(said, "from ");
    time_add(said, out->begins);
    text_add(said, " to ");
    time_add(said, out->ends);
    return true;
}

/* Is the one URI name ours? */
static bool ask_name(X509 *leaf, const char *identity, struct verdict *out) {
    struct text *said = &out->answers[ASK_NAME];
    int critical = -1;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);
    int uris = 0;
    bool whole = true;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI) continue;
        const char *bytes = (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
        size_t count = (size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier);
        /* A NUL in the name would end it early for whoever takes it for a C string. */
        if (uris++ == 0 && count <= 2048) {
            whole = memchr(bytes, 0, count) == NULL;
            text_add_bytes(&out->identity, bytes, count);
        }
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    bool good = uris == 1 && whole && strcmp(text_string(&out->identity), identity) == 0;
    if (good) text_add(said, identity);
    else if (uris == 0) text_addf(said, "no URI name (expected %s)", identity);
    else if (uris > 1) text_addf(said, "%d URI names (expected %s alone)", uris, identity);
    else {
        if (!whole) text_add(said, "a NUL in the name ");
        text_add_shown(said, text_string(&out->identity), 300);
        text_addf(said, " (expected %s)", identity);
    }
    return good;
}

/* May it be used on both ends of TLS, and for nothing else that matters? */
static bool ask_usage(X509 *leaf, struct verdict *out) {
    struct text *said = &out->answers[ASK_USAGE];
    uint32_t flags = X509_get_extension_flags(leaf), usage = X509_get_extended_key_usage(leaf);
    const char *wrong = NULL;
    if (flags & EXFLAG_INVALID) wrong = "an extension cannot be read";
    else if (flags & EXFLAG_CRITICAL) wrong = "an unknown critical extension";
    else if (flags & EXFLAG_CA) wrong = "it may sign certificates";
    else if (!(flags & EXFLAG_XKUSAGE)) wrong = "no extended key usage";
    else if (!(usage & XKU_SSL_CLIENT)) wrong = "not for TLS clients";
    else if (!(usage & XKU_SSL_SERVER)) wrong = "not for TLS servers";
    else if ((flags & EXFLAG_KUSAGE) && !(X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE)) wrong = "not for signatures";
    text_add(said, wrong ? wrong : "TLS clients and servers, signs no certificates");
    ERR_clear_error();
    return !wrong;
}

static bool ask_key(X509 *leaf, EVP_PKEY *key, struct verdict *out) {
    bool good = !key || X509_check_private_key(leaf, key) == 1;
    ERR_clear_error();
    text_add(&out->answers[ASK_KEY], !key ? "not asked" : good ? "belongs to the key of this folder" : "another key's");
    return good;
}

void chain_check(const char *pem, const char *trusted, const char *identity, EVP_PKEY *key, time_t now, struct verdict *out) {
    *out = (struct verdict){0};
    STACK_OF(X509) *chain = read_all(pem, MAX_CERTIFICATES), *roots = read_all(trusted, MAX_ROOTS), *path = NULL;
    if (!chain || !roots) {
        text_add(&out->answers[ASK_CHAIN],
                 !chain ? "no certificates in PEM, or more than ten" : "the roots are no certificates in PEM");
    } else {
        X509 *leaf = sk_X509_value(chain, 0);
        unsigned char digest[EVP_MAX_MD_SIZE] = {0};
        unsigned size = 0;
        if (X509_digest(leaf, EVP_sha256(), digest, &size) == 1) out->phase = digest[0];
        const ASN1_INTEGER *serial = X509_get0_serialNumber(leaf);
        if (ASN1_STRING_length(serial) <= 64)
            add_digest(&out->serial, ASN1_STRING_get0_data(serial), (unsigned)ASN1_STRING_length(serial));
        out->readable = true;
        out->holds[ASK_CHAIN] = ask_chain(chain, roots, out, &path);
        out->holds[ASK_TIME] = ask_time(path ? path : chain, now, out);
        out->holds[ASK_NAME] = ask_name(leaf, identity, out);
        out->holds[ASK_USAGE] = ask_usage(leaf, out);
        out->holds[ASK_KEY] = ask_key(leaf, key, out);
        out->good = true;
        for (int i = 0; i < QUESTIONS; i++) out->good = out->good && out->holds[i];
    }
    sk_X509_pop_free(path, X509_free);
    sk_X509_pop_free(chain, X509_free);
    sk_X509_pop_free(roots, X509_free);
}

void verdict_free(struct verdict *verdict) {
    for (int i = 0; i < QUESTIONS; i++) text_free(&verdict->answers[i]);
    text_free(&verdict->identity);
    text_free(&verdict->serial);
    text_free(&verdict->root);
}

time_t chain_renewal(const struct verdict *verdict, time_t got) {
    time_t start = got < verdict->begins || got > verdict->ends ? verdict->begins : got;
    double life = (double)(verdict->ends - start);
    return start + (time_t)(life * (0.5 + 0.3 * verdict->phase / 255.0));
}
