// RE2 behind a C interface: linear-time matching with Envoy's semantics.
#pragma once
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct apus_re2 apus_re2;

// Compiles a pattern. Returns NULL and fills `error` (at most `error_size` bytes, NUL-terminated) if it is not RE2
// syntax or needs more than `max_memory` bytes. The result is immutable and may be used by any number of threads.
apus_re2 *apus_re2_compile(const char *pattern, size_t size, int case_sensitive, int64_t max_memory,
                           char *error, size_t error_size);
void apus_re2_free(apus_re2 *regex);
// Instructions of the compiled program, as Envoy's `re2.max_program_size` counts them.
int apus_re2_program_size(const apus_re2 *regex);
int apus_re2_group_count(const apus_re2 *regex);
// 1 if the whole text matches.
int apus_re2_full_match(const apus_re2 *regex, const char *text, size_t size);
// Replaces every match as RE2::GlobalReplace does (`\1` refers to groups). Returns the number of bytes of the result;
// if it is more than `out_size`, nothing was written and the call must be repeated with more room.
size_t apus_re2_replace_all(const apus_re2 *regex, const char *text, size_t size, const char *rewrite,
                            size_t rewrite_size, char *out, size_t out_size);
// 1 if the substitution refers only to groups that exist.
int apus_re2_check_rewrite(const apus_re2 *regex, const char *rewrite, size_t rewrite_size);

#ifdef __cplusplus
}
#endif
