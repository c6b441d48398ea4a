#include "text.h"

#include "codes.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must_allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory) {
        note("out of memory");
        exit(CODE_INTERNAL);
    }
    return memory;
}

char *must_copy(const char *string) {
    size_t size = strlen(string) + 1;
    char *copy = must_allocate(size, 1);
    memcpy(copy, string, size);
    return copy;
}

static void reserve(struct text *text, size_t more) {
    size_t needed = text->length + more + 1;
    if (needed <= text->capacity) return;
    size_t capacity = text->capacity ? text->capacity * 2 : 64;
    while (capacity < needed) capacity *= 2;
    /* Not realloc: the old bytes may be a secret. */
    char *data = must_allocate(capacity, 1);
    if (text->length) memcpy(data, text->data, text->length);
    if (text->data) OPENSSL_cleanse(text->data, text->capacity);
    free(text->data);
    text->data = data;
    text->capacity = capacity;
}

void text_add_bytes(struct text *text, const void *bytes, size_t count) {
    reserve(text, count);
    if (count) memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = 0;
}

void text_add(struct text *text, const char *string) { text_add_bytes(text, string, strlen(string)); }

void text_addf(struct text *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int count = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (count > 0) {
        reserve(text, (size_t)count);
        vsnprintf(text->data + text->length, (size_t)count + 1, format, again);
        text->length += (size_t)count;
    }
    va_end(again);
}

void text_add_shown(struct text *text, const char *string, size_t limit) {
    for (size_t i = 0; string[i]; i++) {
        if (i == limit) {
            text_add(text, "...");
            return;
        }
        unsigned char byte = (unsigned char)string[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '\\')
            text_add_bytes(text, &byte, 1);
        else
            text_addf(text, "\\x%02x", byte);
    }
}

void text_add_json(struct text *text, const char *string) {
    size_t count = strlen(string);
    text_add(text, "\"");
    for (size_t i = 0; i < count;) {
        const uint8_t *at = (const uint8_t *)string + i;
        size_t size = utf8_sequence(at, count - i);
        if (size == 0) {
            text_add(text, "\\ufffd");
            size = 1;
        } else if (size == 1 && (*at < 0x20 || *at == 0x7f)) {
            text_addf(text, "\\u%04x", *at);
        } else {
            if (*at == '"' || *at == '\\') text_add(text, "\\");
            text_add_bytes(text, at, size);
        }
        i += size;
    }
    text_add(text, "\"");
}

const char *text_string(const struct text *text) { return text->data ? text->data : ""; }

void text_free(struct text *text) {
    free(text->data);
    *text = (struct text){0};
}

void text_forget(struct text *text) {
    if (text->data) OPENSSL_cleanse(text->data, text->capacity);
    text_free(text);
}

size_t utf8_sequence(const uint8_t *bytes, size_t count) {
    if (count == 0) return 0;
    uint8_t first = bytes[0];
    if (first < 0x80) return 1;
    size_t size = first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
    if (size == 0 || size > count) return 0;
    /* The second byte's range is smaller after some first ones. */
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high) return 0;
    for (size_t i = 2; i < size; i++)
        if ((bytes[i] & 0xc0) != 0x80) return 0;
    return size;
}

void note(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    flockfile(stderr);
    fputs("c-client: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    funlockfile(stderr);
    va_end(arguments);
}
