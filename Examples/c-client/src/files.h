/* Files: read with a limit, written so that a crash leaves the old one or the new one. */
#pragma once

#include "text.h"

/* Appends the file. False with the reason in `why`: not there, no plain file, longer than `limit`, with a NUL in it.
   `secret`: it must be the user's own and closed to all others (no bit of 077). */
bool file_read(const char *path, size_t limit, bool secret, struct text *out, struct text *why);

/* Writes PATH.part with mode 0600, flushes it to the disk, renames it to PATH, flushes the folder. */
bool file_write(const char *path, const char *bytes, size_t count, struct text *why);

/* Makes the folder and those above it with mode 0700. One that is there must be the user's own and closed to others. */
bool folder_make(const char *path, struct text *why);
/* Makes names in the folder durable. */
bool folder_flush(const char *path);
