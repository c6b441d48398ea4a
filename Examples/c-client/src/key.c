#include "key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

int no_password(char *buffer, int size, int writing, void *context) {
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

void openssl_reason(struct text *why, const char *what) {
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    text_addf(why, "%s: %s", what, reason ? reason : "OpenSSL gives no reason");
    ERR_clear_error();
}

EVP_PKEY *key_make(struct text *why) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (!key) openssl_reason(why, "making a key");
    return key;
}

/* The bytes of a memory BIO, which is freed. */
static void take(BIO *bio, struct text *out) {
    char *bytes = NULL;
    long count = BIO_get_mem_data(bio, &bytes);
    if (count > 0) {
        text_add_bytes(out, bytes, (size_t)count);
        OPENSSL_cleanse(bytes, (size_t)count);
    }
    BIO_free(bio);
}

bool key_write(EVP_PKEY *key, struct text *pem) {
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio) return false;
    bool good = PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, no_password, NULL) == 1;
    take(bio, pem);
    return good;
}

EVP_PKEY *key_read(const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

/* The extension with the URI name. Built from parts and not from OpenSSL's configuration language, in which a comma in a name
   would begin another one. */
static bool add_name(X509_REQ *request, const char *identity) {
    GENERAL_NAME *name = GENERAL_NAME_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    ASN1_IA5STRING *uri = ASN1_IA5STRING_new();
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    bool good = name && names && uri && ASN1_STRING_set(uri, identity, (int)strlen(identity));
    if (good) {
        GENERAL_NAME_set0_value(name, GEN_URI, uri);
        uri = NULL;
        good = sk_GENERAL_NAME_push(names, name) > 0;
        if (good) name = NULL;
    }
    /* Critical, since the subject is empty (RFC 5280, 4.2.1.6). */
    good = good && X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 1, X509V3_ADD_DEFAULT) == 1
        && X509_REQ_add_extensions(request, extensions) == 1;
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    ASN1_IA5STRING_free(uri);
    GENERAL_NAME_free(name);
    GENERAL_NAMES_free(names);
    return good;
}

bool key_request(EVP_PKEY *key, const char *identity, struct text *pem, struct text *why) {
    X509_REQ *request = X509_REQ_new();
    bool good = request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 && X509_REQ_set_pubkey(request, key) == 1
        && add_name(request, identity) && X509_REQ_sign(request, key, EVP_sha256()) > 0;
    BIO *bio = good ? BIO_new(BIO_s_mem()) : NULL;
    good = bio && PEM_write_bio_X509_REQ(bio, request) == 1;
    if (bio) take(bio, pem);
    if (!good) openssl_reason(why, "making a signing request");
    X509_REQ_free(request);
    return good;
}
