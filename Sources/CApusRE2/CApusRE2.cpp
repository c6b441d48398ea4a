#include "CApusRE2.h"

#include <re2/re2.h>

#include <cstring>
#include <string>

struct apus_re2 {
    re2::RE2 regex;
    apus_re2(const re2::StringPiece &pattern, const re2::RE2::Options &options) : regex(pattern, options) {}
};

apus_re2 *apus_re2_compile(const char *pattern, size_t size, int case_sensitive, int64_t max_memory,
                           char *error, size_t error_size) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(case_sensitive != 0);
    if (max_memory > 0) options.set_max_mem(max_memory);
    auto *result = new apus_re2(re2::StringPiece(pattern, size), options);
    if (result->regex.ok()) return result;
    if (error && error_size > 0) {
        std::strncpy(error, result->regex.error().c_str(), error_size - 1);
        error[error_size - 1] = 0;
    }
    delete result;
    return nullptr;
}

void apus_re2_free(apus_re2 *regex) { delete regex; }

int apus_re2_program_size(const apus_re2 *regex) { return regex->regex.ProgramSize(); }

int apus_re2_group_count(const apus_re2 *regex) { return regex->regex.NumberOfCapturingGroups(); }

int apus_re2_full_match(const apus_re2 *regex, const char *text, size_t size) {
    return re2::RE2::FullMatch(re2::StringPiece(text, size), regex->regex) ? 1 : 0;
}

size_t apus_re2_replace_all(const apus_re2 *regex, const char *text, size_t size, const char *rewrite,
                            size_t rewrite_size, char *out, size_t out_size) {
    std::string result(text, size);
    re2::RE2::GlobalReplace(&result, regex->regex, re2::StringPiece(rewrite, rewrite_size));
    if (result.size() <= out_size) std::memcpy(out, result.data(), result.size());
    return result.size();
}

int apus_re2_check_rewrite(const apus_re2 *regex, const char *rewrite, size_t rewrite_size) {
    std::string error;
    return regex->regex.CheckRewriteString(re2::StringPiece(rewrite, rewrite_size), &error) ? 1 : 0;
}
