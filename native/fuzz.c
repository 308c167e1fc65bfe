/*
 * Feeds answers of a daemon to the launcher, without a daemon. Meant to be compiled with -fsanitize=address,undefined.
 *
 * Standard input has any number of answers, each after its length as in a frame. For each of them, a line tells what the
 * launcher does: `exit`, `local` or `lost`, the status, and for both outputs the length and a checksum. An answer that comes in
 * other pieces must have the same effect.
 */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static ssize_t fuzz_recv(int, void *, size_t, int);
static ssize_t fuzz_send(int, const void *, size_t, int);
static ssize_t fuzz_write(int, const void *, size_t);
static int fuzz_poll(struct pollfd *, nfds_t, int);
static int fuzz_setitimer(int, const struct itimerval *, struct itimerval *);

#define main launcher_main
#define recv fuzz_recv
#define send fuzz_send
#define write fuzz_write
#define poll fuzz_poll
#define setitimer fuzz_setitimer
#include "grite.c"
#undef main

static const uint8_t *answer;
static size_t answer_left, piece_max, calls;

struct effect {
  enum next next;
  int status;
  uint64_t length[3], checksum[3];
};
static struct effect effect;

static ssize_t fuzz_recv(int socket, void *bytes, size_t size, int flags) {
  (void)socket, (void)flags;
  size_t count = answer_left < piece_max ? answer_left : piece_max;
  if (count > size) count = size;
  memcpy(bytes, answer, count);
  answer += count, answer_left -= count;
  return (ssize_t)count;
}

static ssize_t fuzz_send(int socket, const void *bytes, size_t length, int flags) {
  (void)socket, (void)bytes, (void)flags;
  return (ssize_t)length;
}

/* Writes only a part, is interrupted, or has to wait, from time to time. */
static ssize_t fuzz_write(int stream, const void *bytes, size_t length) {
  if (++calls % 5 == 0) has_waited = 1;
  if (calls % 3 == 0) {
    errno = calls % 2 == 0 ? EINTR : EAGAIN;
    return -1;
  }
  const size_t count = length < 1 + piece_max / 2 ? length : 1 + piece_max / 2;
  for (size_t index = 0; index < count; index++)
    effect.checksum[stream] = (effect.checksum[stream] ^ ((const uint8_t *)bytes)[index]) * UINT64_C(0x100000001b3);
  effect.length[stream] += count;
  return (ssize_t)count;
}

static int fuzz_poll(struct pollfd *polled, nfds_t count, int timeout_ms) {
  (void)timeout_ms;
  for (nfds_t index = 0; index < count; index++) polled[index].revents = polled[index].fd < 0 ? 0 : polled[index].events;
  return (int)count;
}

static int fuzz_setitimer(int which, const struct itimerval *value, struct itimerval *old) {
  (void)which, (void)value, (void)old;
  return 0;
}

/* What `converse` does with an answer that comes in pieces of at most so many bytes. */
static struct effect converse_with(const uint8_t *bytes, size_t length, size_t piece) {
  effect = (struct effect){.next = GO_ON};
  answer = bytes, answer_left = length, piece_max = piece, calls = 0;
  in.at = in.end = out.at = out.end = 0;
  is_greeted = is_accepted = false, status = 0, written = 0, stdin_wanted = 0;
  while (effect.next == GO_ON) effect.next = fill() < 0 ? LOST : handle_frames();
  effect.status = status;
  return effect;
}

/* Parses every frame in memory of exactly its size, so that a read beyond it is found. */
static void parse_alone(const uint8_t *bytes, size_t length) {
  while (length >= 4) {
    const size_t size = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
    if (size > length - 4) return;
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    struct frame frame;
    if (copy == NULL) abort();
    memcpy(copy, bytes + 4, size);
    if (parse_frame(copy, copy + size, &frame) && frame.major == BYTES && frame.value > (uint64_t)(copy + size - frame.content)) abort();
    free(copy);
    bytes += 4 + size, length -= 4 + size;
  }
}

int main(void) {
  static uint8_t bytes[1 << 20];
  const char *names[] = {"", "exit", "local", "lost"};
  uint8_t head[4];
  while (fread(head, 1, sizeof head, stdin) == sizeof head) {
    const size_t length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (length > sizeof bytes || fread(bytes, 1, length, stdin) != length) return 1;
    parse_alone(bytes, length);
    const struct effect whole = converse_with(bytes, length, READ_BYTES);
    for (size_t piece = 1; piece < 64; piece = piece * 3 + 1) {
      const struct effect parts = converse_with(bytes, length, piece);
      if (memcmp(&parts, &whole, sizeof whole) != 0) return printf("differs in pieces of %zu\n", piece), 1;
    }
    printf("%s %d", names[whole.next], whole.next == DONE ? whole.status : 0);
    for (int stream = 1; stream < 3; stream++)
      printf(" %llu %llx", (unsigned long long)whole.length[stream], (unsigned long long)whole.checksum[stream]);
    printf("\n"), fflush(stdout); /* so that the line count names the answer at which a sanitizer ends the program */
  }
  return 0;
}
