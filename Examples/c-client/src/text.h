/* Text that grows, and strangers' words made harmless. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Always ends in a NUL once something was added; `data` is NULL before. */
struct text {
    char *data;
    size_t length, capacity;
};

/* Memory, zeroed; the program ends with CODE_INTERNAL where there is none. What a peer can ask for is limited elsewhere. */
void *must_allocate(size_t count, size_t size);
char *must_copy(const char *string);

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t count);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A stranger's words for a terminal: printable ASCII as it is, all else as \xNN; cut after `limit` bytes of it. */
void text_add_shown(struct text *text, const char *string, size_t limit);

/* A JSON string with its quotes. What is no UTF-8 becomes U+FFFD. */
void text_add_json(struct text *text, const char *string);

/* The text, "" if nothing was added. */
const char *text_string(const struct text *text);
void text_free(struct text *text);
/* The same, for text with a secret in it. */
void text_forget(struct text *text);

/* Bytes of the UTF-8 sequence at `bytes`, 0 if it is none (RFC 3629: no surrogates, nothing longer than needed). */
size_t utf8_sequence(const uint8_t *bytes, size_t count);

/* Words for people, on stderr, with the program's name before them. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
