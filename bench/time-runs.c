/*
 * Runs commands in rounds and tells how long each took, for bench/time-processes.ts. A small process starts another one in
 * 0.5 ms. From Node it takes 1.1 ms, and several more once Node has grown, as long as the native launcher runs.
 *
 *     time-runs <folder> <rounds> <number of commands> {<number of words> <word> ...} ...
 *
 * Prints a line for each run: the index of the command, nanoseconds from its start to its end, microseconds of its processor
 * time, its status. Standard output goes through a pipe; that of the last round is in `<folder>/<index>.out`, the errors of the
 * last run in `<folder>/<index>.err`. Stops at the first command that fails.
 */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct run {
  long long elapsed_ns, processor_us;
  int status;
};

/* Standard output of the last run. */
static struct {
  size_t length, room;
  char *bytes;
} output;

static void require(bool is_done, const char *what) {
  if (is_done) return;
  fprintf(stderr, "time-runs: %s: %s\n", what, strerror(errno));
  exit(1);
}

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static long long microseconds(struct timeval time) {
  return (long long)time.tv_sec * 1000000 + time.tv_usec;
}

static void read_output(int descriptor) {
  for (output.length = 0;;) {
    if (output.length == output.room) {
      output.room = output.room == 0 ? 1 << 20 : output.room * 2;
      output.bytes = realloc(output.bytes, output.room);
      require(output.bytes != NULL, "realloc");
    }
    const ssize_t count = read(descriptor, output.bytes + output.length, output.room - output.length);
    require(count >= 0 || errno == EINTR, "read");
    if (count == 0) return;
    if (count > 0) output.length += (size_t)count;
  }
}

static struct run run_command(char **words, const char *errors) {
  int ends[2];
  require(pipe(ends) == 0, "pipe");
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, ends[1], 1);
  posix_spawn_file_actions_addopen(&files, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addclose(&files, ends[0]);
  posix_spawn_file_actions_addclose(&files, ends[1]);
  pid_t child;
  const long long start = now_ns();
  errno = posix_spawnp(&child, words[0], &files, NULL, words, environ);
  require(errno == 0, words[0]);
  close(ends[1]);
  read_output(ends[0]);
  int status;
  struct rusage used;
  while (wait4(child, &status, 0, &used) < 0) require(errno == EINTR, "wait4");
  const long long elapsed = now_ns() - start;
  close(ends[0]);
  posix_spawn_file_actions_destroy(&files);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return (struct run){elapsed, microseconds(used.ru_utime) + microseconds(used.ru_stime), code};
}

static void keep_output(const char *path) {
  FILE *file = fopen(path, "w");
  require(file != NULL, path);
  require(fwrite(output.bytes, 1, output.length, file) == output.length && fclose(file) == 0, path);
}

int main(int count, char **words) {
  if (count < 4) return 2;
  const int rounds = atoi(words[2]), commands = atoi(words[3]);
  for (int round = 0; round < rounds; round++) {
    char **next = words + 4;
    for (int index = 0; index < commands; index++) {
      const int length = atoi(*next++);
      /* Ends the words of this command where the number of the following one is. */
      char *following = next[length], path[PATH_MAX];
      next[length] = NULL;
      snprintf(path, sizeof path, "%s/%d.err", words[1], index);
      const struct run run = run_command(next, path);
      next += length, *next = following;
      printf("%d %lld %lld %d\n", index, run.elapsed_ns, run.processor_us, run.status);
      if (run.status != 0) return 0;
      if (round < rounds - 1) continue;
      snprintf(path, sizeof path, "%s/%d.out", words[1], index);
      keep_output(path);
    }
  }
}
