/*
 * Loaded into node and git (LD_PRELOAD) to make one file operation fail. Operations on paths below given directories are
 * counted across all processes of a command, for each program and call; the n-th of them fails with an errno, or its process
 * is killed just before it.
 *
 *   FAULT_COUNTER   file with the counts, shared by all processes: two rows (node, git) of a number for each of `calls`;
 *                   if unset, nothing is counted
 *   FAULT_PATHS     directories, separated by colons
 *   FAULT_PROGRAM   the program whose operation fails: node or git
 *   FAULT_CALL      the call that fails, one of `calls`
 *   FAULT_NTH       number of the failing operation, counted from 1; 0 for none
 *   FAULT_ERRNO     its errno; 0 to kill the process instead
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Keep equal to fault-shim.ts. */
static const char *const calls[] = {"openr", "openw", "read", "map", "write", "truncate", "fsync", "rename", "link", "unlink", "mkdir"};
enum { call_count = sizeof calls / sizeof *calls, bytes_of_counts = 2 * call_count * sizeof(uint64_t) };

static struct {
  int ready;
  volatile uint64_t *counts;
  const char *paths, *call;
  uint64_t nth;
  int number;
} fault;

static const char *setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value ? value : otherwise;
}

/* Row of the running program: 0 for node, 1 for git and its helpers (git-remote-https), -1 for others. */
static int find_row(void) {
  char program[4096];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0) return -1;
  program[length] = 0;
  const char *name = strrchr(program, '/');
  if (!name) return -1;
  return !strncmp(name, "/node", 5) ? 0 : !strncmp(name, "/git", 4) ? 1 : -1;
}

static void prepare(void) {
  if (fault.ready) return;
  fault.ready = 1;
  const char *counter = getenv("FAULT_COUNTER");
  int row = counter ? find_row() : -1;
  if (row < 0) return;
  fault.paths = setting("FAULT_PATHS", "");
  fault.call = setting("FAULT_CALL", "");
  fault.nth = strcmp(setting("FAULT_PROGRAM", ""), row ? "git" : "node") ? 0 : strtoull(setting("FAULT_NTH", "0"), 0, 10);
  fault.number = atoi(setting("FAULT_ERRNO", "5"));
  int file = syscall(SYS_openat, AT_FDCWD, counter, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return;
  if (!ftruncate(file, bytes_of_counts)) {
    void *shared = (void *)syscall(SYS_mmap, 0, bytes_of_counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared != MAP_FAILED) fault.counts = (uint64_t *)shared + row * call_count;
  }
  syscall(SYS_close, file);
}

/* Whether a path lies below one of the directories. */
static int concerns(const char *path) {
  for (const char *item = fault.paths; *item;) {
    const char *end = strchrnul(item, ':');
    size_t length = end - item;
    if (length > 0 && !strncmp(path, item, length)) return 1;
    item = *end ? end + 1 : end;
  }
  return 0;
}

/* Counts an operation. Returns whether it must fail. */
static int fails(const char *call, const char *path) {
  prepare();
  if (!fault.counts || !path) return 0;
  char full[8192];
  if (path[0] != '/') {
    if (!getcwd(full, 4096)) return 0;
    size_t length = strlen(full);
    snprintf(full + length, sizeof full - length, "/%s", path);
    path = full;
  }
  if (!concerns(path)) return 0;
  int column = 0;
  while (strcmp(calls[column], call)) column++;
  uint64_t count = __sync_add_and_fetch(fault.counts + column, 1);
  if (count != fault.nth || strcmp(fault.call, call)) return 0;
  if (fault.number == 0)
    for (;;) kill(getpid(), SIGKILL);
  errno = fault.number;
  return 1;
}

static int fails_on(const char *call, int file) {
  prepare();
  if (!fault.counts) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0 || path[0] != '/') return 0;
  path[length] = 0;
  return fails(call, path);
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = dlsym(RTLD_NEXT, #name)

static int opening_fails(const char *path, int flags) {
  return fails(flags & (O_WRONLY | O_RDWR | O_CREAT) ? "openw" : "openr", path);
}

#define OPEN(name, parameters, arguments) \
  int name parameters { \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
      va_list rest; \
      va_start(rest, flags); \
      mode = va_arg(rest, int); \
      va_end(rest); \
    } \
    REAL(name); \
    return opening_fails(path, flags) ? -1 : real arguments; \
  }
OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPEN(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))

#define ON_FILE(type, name, call, parameters, arguments) \
  type name parameters { \
    REAL(name); \
    return fails_on(call, file) ? -1 : real arguments; \
  }
ON_FILE(ssize_t, write, "write", (int file, const void *bytes, size_t length), (file, bytes, length))
ON_FILE(ssize_t, pwrite, "write", (int file, const void *bytes, size_t length, off_t at), (file, bytes, length, at))
ON_FILE(ssize_t, pwrite64, "write", (int file, const void *bytes, size_t length, off64_t at), (file, bytes, length, at))
ON_FILE(ssize_t, writev, "write", (int file, const struct iovec *parts, int count), (file, parts, count))
ON_FILE(ssize_t, pwritev, "write", (int file, const struct iovec *parts, int count, off_t at), (file, parts, count, at))
ON_FILE(ssize_t, pwritev64, "write", (int file, const struct iovec *parts, int count, off64_t at), (file, parts, count, at))
ON_FILE(ssize_t, read, "read", (int file, void *bytes, size_t length), (file, bytes, length))
ON_FILE(ssize_t, pread, "read", (int file, void *bytes, size_t length, off_t at), (file, bytes, length, at))
ON_FILE(ssize_t, pread64, "read", (int file, void *bytes, size_t length, off64_t at), (file, bytes, length, at))
ON_FILE(ssize_t, readv, "read", (int file, const struct iovec *parts, int count), (file, parts, count))
ON_FILE(ssize_t, preadv, "read", (int file, const struct iovec *parts, int count, off_t at), (file, parts, count, at))
ON_FILE(ssize_t, preadv64, "read", (int file, const struct iovec *parts, int count, off64_t at), (file, parts, count, at))
ON_FILE(int, fsync, "fsync", (int file), (file))
ON_FILE(int, fdatasync, "fsync", (int file), (file))
ON_FILE(int, ftruncate, "truncate", (int file, off_t length), (file, length))
ON_FILE(int, ftruncate64, "truncate", (int file, off64_t length), (file, length))

#define MAP(name, offset) \
  void *name(void *at, size_t length, int protection, int flags, int file, offset from) { \
    REAL(name); \
    return file >= 0 && fails_on("map", file) ? MAP_FAILED : real(at, length, protection, flags, file, from); \
  }
MAP(mmap, off_t)
MAP(mmap64, off64_t)

#define ON_PATH(name, call, parameters, arguments, path) \
  int name parameters { \
    REAL(name); \
    return fails(call, path) ? -1 : real arguments; \
  }
ON_PATH(rename, "rename", (const char *from, const char *to), (from, to), to)
ON_PATH(link, "link", (const char *from, const char *to), (from, to), to)
ON_PATH(unlink, "unlink", (const char *path), (path), path)
ON_PATH(mkdir, "mkdir", (const char *path, mode_t mode), (path, mode), path)

#define FOPEN(name) \
  FILE *name(const char *path, const char *mode) { \
    REAL(name); \
    return fails(strpbrk(mode, "wa+") ? "openw" : "openr", path) ? 0 : real(path, mode); \
  }
FOPEN(fopen)
FOPEN(fopen64)
