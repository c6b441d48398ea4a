#pragma once

#include <zlib.h>

/// `deflateInit2` is a macro, which Swift cannot see.
static inline int apus_deflate_init(z_stream *stream, int level, int window_bits, int memory_level, int strategy) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, memory_level, strategy);
}
