/* What a machine can do to a program, for tests of the real binary: loaded before libc.
 *
 * CORDON_TEST_SYNC_FAILS=FILE  while this file exists, putting data on the disk fails with EIO
 * CORDON_TEST_CLOCK=SECONDS    the wall clock is off by so many seconds; the others are right
 * CORDON_TEST_READ_ONLY=PATH   what lies below this path is on a file system that is read-only
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int fails(void) {
    const char *file = getenv("CORDON_TEST_SYNC_FAILS");
    return file != NULL && access(file, F_OK) == 0;
}

int fsync(int file) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return real(file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    const char *offset = getenv("CORDON_TEST_CLOCK");
    if (result == 0 && clock == CLOCK_REALTIME && offset != NULL) time->tv_sec += atol(offset);
    return result;
}

static int refused(const char *path, int flags) {
    const char *root = getenv("CORDON_TEST_READ_ONLY");
    return root != NULL && (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0 && strncmp(path, root, strlen(root)) == 0;
}

#define OPEN(NAME)                                                                      \
    int NAME(const char *path, int flags, ...) {                                        \
        static int (*real)(const char *, int, ...);                                     \
        if (real == NULL) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #NAME); \
        if (refused(path, flags)) {                                                     \
            errno = EROFS;                                                              \
            return -1;                                                                  \
        }                                                                               \
        va_list rest;                                                                   \
        va_start(rest, flags);                                                          \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0;       \
        va_end(rest);                                                                   \
        return real(path, flags, mode);                                                 \
    }

OPEN(open)
OPEN(open64)
