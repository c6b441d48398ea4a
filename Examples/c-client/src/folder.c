#include "folder.h"

#include "chain.h"
#include "codes.h"
#include "files.h"
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_KEY_BYTES = 16 << 10 };

static char *path_of(const struct folder *folder, const char *file) {
    struct text path = {0};
    text_addf(&path, "%s/%s", folder->path, file);
    return path.data;
}

int folder_open(struct folder *folder, const char *path, struct text *why) {
    *folder = (struct folder){.lock = -1};
    struct stat facts;
    bool was_there = stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
    if (!folder_make(path, why)) return was_there ? CODE_CONFIG : CODE_STATE;
    folder->path = must_copy(path);
    char *lock = path_of(folder, "lock");
    folder->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int code = CODE_GOOD;
    if (folder->lock < 0) {
        text_addf(why, "%s: %s", lock, strerror(errno));
        code = CODE_STATE;
    } else if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0) {
        text_addf(why, "%s: another client uses this folder", path);
        code = CODE_BUSY;
    }
    free(lock);
    return code;
}

void folder_close(struct folder *folder) {
    if (folder->lock >= 0) close(folder->lock);
    free(folder->path);
    *folder = (struct folder){.lock = -1};
}

void identity_free(struct identity *identity) {
    EVP_PKEY_free(identity->key);
    text_forget(&identity->key_pem);
    text_free(&identity->chain);
    *identity = (struct identity){0};
}

/* A key of the folder: CODE_GOOD with `*key` NULL if there is none or what is there is none. */
static int load_key(const struct folder *folder, const char *file, EVP_PKEY **key, struct text *pem, struct text *why) {
    char *path = path_of(folder, file);
    *key = NULL;
    int code = CODE_GOOD;
    if (access(path, F_OK) == 0 || errno != ENOENT) {
        if (!file_read(path, MAX_KEY_BYTES, true, pem, why)) code = CODE_CONFIG;
        else *key = key_read(text_string(pem));
    }
    free(path);
    return code;
}

int folder_load(struct folder *folder, struct identity *out, bool *there, struct text *why) {
    *out = (struct identity){0};
    *there = false;
    char *certificate = path_of(folder, "certificate.pem"), *key = path_of(folder, "key.pem"),
         *next = path_of(folder, "next-key.pem");
    int code = CODE_GOOD;
    struct stat facts;
    if (stat(certificate, &facts) == 0) {
        if (!file_read(certificate, MAX_CHAIN_BYTES, true, &out->chain, why)) code = CODE_CONFIG;
        out->got = facts.st_mtime;
        if (code == CODE_GOOD) code = load_key(folder, "key.pem", &out->key, &out->key_pem, why);
        bool fits = code == CODE_GOOD && out->key && chain_fits(text_string(&out->chain), out->key);
        if (code == CODE_GOOD && !fits) {
            /* A crash between the two renames of a commit. */
            EVP_PKEY_free(out->key);
            text_forget(&out->key_pem);
            code = load_key(folder, "next-key.pem", &out->key, &out->key_pem, why);
            fits = code == CODE_GOOD && out->key && chain_fits(text_string(&out->chain), out->key);
            if (fits && (rename(next, key) != 0 || !folder_flush(folder->path))) {
                text_addf(why, "%s: %s", key, strerror(errno));
                code = CODE_STATE;
            }
        }
        *there = fits && code == CODE_GOOD;
    }
    if (!*there) identity_free(out);
    free(certificate);
    free(key);
    free(next);
    return code;
}

int folder_next_key(struct folder *folder, EVP_PKEY **key, struct text *why) {
    struct text pem = {0};
    int code = load_key(folder, "next-key.pem", key, &pem, why);
    text_forget(&pem);
    if (code != CODE_GOOD || *key) return code;
    *key = key_make(why);
    if (!*key || !key_write(*key, &pem)) {
        text_forget(&pem);
        return CODE_INTERNAL;
    }
    char *path = path_of(folder, "next-key.pem");
    bool good = file_write(path, pem.data, pem.length, why);
    free(path);
    text_forget(&pem);
    return good ? CODE_GOOD : CODE_STATE;
}

int folder_commit(struct folder *folder, const char *chain, struct text *why) {
    char *certificate = path_of(folder, "certificate.pem"), *key = path_of(folder, "key.pem"),
         *next = path_of(folder, "next-key.pem");
    bool good = file_write(certificate, chain, strlen(chain), why);
    if (good && (rename(next, key) != 0 || !folder_flush(folder->path))) {
        text_addf(why, "%s: %s", key, strerror(errno));
        good = false;
    }
    free(certificate);
    free(key);
    free(next);
    return good ? CODE_GOOD : CODE_STATE;
}
