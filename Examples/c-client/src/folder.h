/* The state folder: the key and the certificate of this workload, over reboots.

   key.pem           the private key (0600)
   certificate.pem   its certificate, leaf first (0600)
   next-key.pem      a key whose certificate was asked for and is not there yet
   lock              held by the one client that uses the folder

   The rename of certificate.pem is the one moment at which an identity changes: a crash before it leaves the old pair, a crash
   after it leaves the new certificate with its key still named next-key.pem, which the next start puts right. */
#pragma once

#include "text.h"

#include <openssl/evp.h>
#include <time.h>

struct folder {
    char *path;
    int lock;
};

/* CODE_GOOD, CODE_STATE, CODE_CONFIG or CODE_BUSY with the reason. */
int folder_open(struct folder *folder, const char *path, struct text *why);
void folder_close(struct folder *folder);

/* A pair that fits together. `key_pem` is a secret. */
struct identity {
    EVP_PKEY *key;
    struct text key_pem, chain;
    time_t got;             /* when the certificate was written */
};

/* CODE_GOOD with `*there` saying whether there is one. Halves that do not fit together are none; files open to others are refused
   (CODE_CONFIG). */
int folder_load(struct folder *folder, struct identity *out, bool *there, struct text *why);
void identity_free(struct identity *identity);

/* The key to ask a certificate for: the one of an attempt whose answer never came, else a new one. It is on the disk before
   anything is asked, since a join token of one use belongs to the first key that comes with it. */
int folder_next_key(struct folder *folder, EVP_PKEY **key, struct text *why);

/* The certificate of the next key has come. */
int folder_commit(struct folder *folder, const char *chain, struct text *why);
