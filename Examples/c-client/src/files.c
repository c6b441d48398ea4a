#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed(struct text *why, const char *path, const char *what) {
    text_addf(why, "%s: %s", path, what);
    return false;
}

bool file_read(const char *path, size_t limit, bool secret, struct text *out, struct text *why) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (secret ? O_NOFOLLOW : 0));
    if (file < 0) return failed(why, path, strerror(errno));
    struct stat facts;
    bool good = fstat(file, &facts) == 0 && S_ISREG(facts.st_mode);
    if (!good) {
        failed(why, path, "no plain file");
    } else if (secret && facts.st_uid != geteuid()) {
        good = failed(why, path, "belongs to another user");
    } else if (secret && (facts.st_mode & 077)) {
        text_addf(why, "%s: open to others (mode %04o), chmod 600 would close it", path, facts.st_mode & 07777);
        good = false;
    }
    size_t start = out->length;
    while (good) {
        char buffer[4096];
        ssize_t count = read(file, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) good = failed(why, path, strerror(errno));
        if (count <= 0) break;
        if (out->length - start + (size_t)count > limit) {
            text_addf(why, "%s: longer than %zu bytes", path, limit);
            good = false;
        } else if (memchr(buffer, 0, (size_t)count)) {
            good = failed(why, path, "no text");
        } else {
            text_add_bytes(out, buffer, (size_t)count);
        }
    }
    close(file);
    return good;
}

bool folder_flush(const char *path) {
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return false;
    bool good = fsync(folder) == 0;
    close(folder);
    return good;
}

bool file_write(const char *path, const char *bytes, size_t count, struct text *why) {
    struct text part = {0};
    text_addf(&part, "%s.part", path);
    unlink(part.data);
    int file = open(part.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = file >= 0;
    for (size_t done = 0; good && done < count;) {
        ssize_t written = write(file, bytes + done, count - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) good = false;
        else done += (size_t)written;
    }
    good = good && fsync(file) == 0 && rename(part.data, path) == 0;
    if (!good) failed(why, path, strerror(errno));
    if (file >= 0) close(file);
    if (!good) unlink(part.data);
    const char *slash = strrchr(path, '/');
    if (good && slash && slash != path) {
        struct text folder = {0};
        text_add_bytes(&folder, path, (size_t)(slash - path));
        folder_flush(folder.data);
        text_free(&folder);
    }
    text_free(&part);
    return good;
}

bool folder_make(const char *path, struct text *why) {
    char *copy = must_copy(path);
    for (char *at = copy + 1;; at++) {
        if (*at && *at != '/') continue;
        char kept = *at;
        *at = 0;
        if (mkdir(copy, 0700) != 0 && errno != EEXIST && errno != EISDIR) {
            failed(why, copy, strerror(errno));
            free(copy);
            return false;
        }
        *at = kept;
        if (!kept) break;
    }
    free(copy);
    struct stat facts;
    if (stat(path, &facts) != 0) return failed(why, path, strerror(errno));
    if (!S_ISDIR(facts.st_mode)) return failed(why, path, "no folder");
    if (facts.st_uid != geteuid()) return failed(why, path, "belongs to another user");
    if (facts.st_mode & 077) {
        text_addf(why, "%s: open to others (mode %04o), chmod 700 would close it", path, facts.st_mode & 07777);
        return false;
    }
    return true;
}
