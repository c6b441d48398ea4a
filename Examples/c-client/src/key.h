/* The private key, and the request for a certificate. Both are made here; the key is never sent. */
#pragma once

#include "text.h"

#include <openssl/evp.h>

/* A new key on P-256; NULL with the reason. */
EVP_PKEY *key_make(struct text *why);

/* PEM (PKCS#8, without a password), to be forgotten after use. */
bool key_write(EVP_PKEY *key, struct text *pem);
/* NULL if it is none, or one with a password: nobody is asked for it. */
EVP_PKEY *key_read(const char *pem);

/* A PKCS#10 request in PEM, signed with the key, that names `identity` as the one URI name. The authority goes by the caller's
   proof, not by this name; it is there for people who read the request, and for authorities that want it. */
bool key_request(EVP_PKEY *key, const char *identity, struct text *pem, struct text *why);

/* What OpenSSL complains about, on one line; its queue is empty then. */
void openssl_reason(struct text *why, const char *what);

/* The callback that has no password, lest OpenSSL ask on the terminal. */
int no_password(char *buffer, int size, int writing, void *context);
