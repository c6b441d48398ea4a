/* Is this certificate what it should be? Every question is asked of OpenSSL and every answer is told. */
#pragma once

#include "text.h"

#include <openssl/evp.h>
#include <time.h>

enum {
    MAX_CHAIN_BYTES = 64 << 10,
    MAX_ROOT_BYTES = 1 << 20,
    MAX_CERTIFICATES = 10,
    MAX_ROOTS = 1000,
};

enum question { ASK_CHAIN, ASK_TIME, ASK_NAME, ASK_USAGE, ASK_KEY, QUESTIONS };
extern const char *const QUESTION[QUESTIONS];

struct verdict {
    bool readable;                          /* there is a certificate at all; else only `answers[ASK_CHAIN]` is filled */
    bool good;                              /* all questions are */
    bool holds[QUESTIONS];
    struct text answers[QUESTIONS];         /* what was found, whether good or not */
    struct text identity, serial, root;     /* URI name; hexadecimal; subject and SHA-256 of the root it leads to */
    time_t begins, ends;                    /* of the leaf */
    unsigned phase;                         /* 0 to 255, from the leaf's digest: at what moment to renew */
};

/* `chain`: PEM, leaf first. `roots`: PEM. `key` may be NULL: the question is then left open (and good). */
void chain_check(const char *chain, const char *roots, const char *identity, EVP_PKEY *key, time_t now, struct verdict *out);
void verdict_free(struct verdict *verdict);

/* Certificates in the text; -1 if one cannot be read or there are more than MAX_CERTIFICATES (`limit` says how many may be). */
int chain_count(const char *pem, int limit);

/* The certificates alone, written anew: whatever else stands in a stranger's text is left out. False as chain_count's -1. */
bool chain_copy(const char *pem, struct text *out);

/* Whether the leaf is this key's. */
bool chain_fits(const char *chain, EVP_PKEY *key);

/* When to renew: at 50 to 80 per cent of the life from `got` on, each certificate at a moment of its own, so that workloads that
   joined together do not come back together. `got`: when it was received; it may begin earlier. */
time_t chain_renewal(const struct verdict *verdict, time_t got);

/* 2026-01-31T12:00:00Z */
void time_add(struct text *text, time_t time);
