/*
 * A launcher that runs `grite` through the daemon of the repository (docs/ipc.md), without starting Node.
 *
 *     cc -std=c99 -O2 -static -DGRITE_ENTRY='"<absolute path>/dist/grite.cjs"' -DGRITE_BUILD='"<dist/build-id>"' grite.c
 *
 * It only knows how to run a command line. In all other cases, including faults of the daemon, it executes the Node entry with
 * the same words. Once the request has been sent, the entry gets its key, so that nothing is carried out twice.
 */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "endpoint.h"
#include "frames.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored as well. */
#endif
#define LENGTH(list) (sizeof(list) / sizeof *(list))

extern char **environ;

enum { PROTOCOL = 1, REQUEST = 1 /* id of the only request */, EXIT_IO = 5, EXIT_IPC = 6, ACCEPT_MS_MAX = 500, CANCEL_S_MAX = 3 };
enum { VARIABLES_MAX = 512, STDIN_BYTES_MAX = 1 << 20 };
/* Output is read ahead for a slow reader, because the daemon waits for 60 s only. A quick reader's fits into a pipe. */
enum { READ_AHEAD_MAX = 64 << 20, QUICK_OUTPUT_MAX = 64 << 10, READ_BYTES = 256 << 10 };
enum next { GO_ON, DONE, LOCAL /* refused */, LOST /* a fault */ };

static char **words, key[256];
static int connection, status;
static bool is_greeted, is_accepted, has_stdin_ended, has_sent_stdin, is_closed[3];
static uint64_t stdin_wanted; /* unanswered requests for a part */
static size_t written;
/* The bytes from `at` to `end` have not been handled. */
static struct {
  size_t at, end;
  uint8_t bytes[READ_AHEAD_MAX + FRAME_BYTES_MAX];
} in;
static volatile sig_atomic_t is_sending, cancelled, cancel_s, has_waited;

/* Reports an error in the same form as the Node entry. */
static void fail(int exit_status, const char *what, const char *why, const char *hint) {
  const char *code = exit_status == EXIT_IO ? "io_error" : "ipc_error", *kind = exit_status == EXIT_IO ? "IO" : "IPC";
  const char *json = "{\"schema_version\":1,\"ok\":false,\"error\":{\"code\":\"%s\",\"message\":\"%s error: %s%s\","
    "\"details\":{\"suggestions\":[\"%s\"]}}}\n";
  bool is_json = false;
  for (char **word = words; *word != NULL; word++) is_json |= strcmp(*word, "--json") == 0;
  if (is_json) dprintf(2, json, code, kind, what, why, hint);
  else dprintf(2, "error: %s error: %s%s\n\nSuggestions:\n  - %s\n", kind, what, why, hint);
  _exit(exit_status);
}

static void fail_to_start(const char *what) {
  fail(EXIT_IPC, what, strerror(errno), "Run `grite` of the installed package, or install it again");
}

static void set_timer(time_t seconds) {
  setitimer(ITIMER_REAL, &(const struct itimerval){{seconds, 0}, {seconds, 0}}, NULL);
}

static void run_entry(void) {
  const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGALRM, SIGPIPE};
  set_timer(0); /* or it would end the entry */
  for (size_t index = 0; index < LENGTH(numbers); index++) signal(numbers[index], SIG_DFL);
  if (cancelled) _exit(128 + cancelled);
  if (access(GRITE_ENTRY, R_OK) != 0) fail_to_start("cannot read " GRITE_ENTRY ": ");
  size_t count = 0;
  while (words[count] != NULL) count++;
  char node[] = "node", entry[] = GRITE_ENTRY, **arguments = malloc((count + 3) * sizeof *arguments);
  if (arguments == NULL) fail_to_start("cannot start node: ");
  arguments[0] = node, arguments[1] = entry;
  memcpy(arguments + 2, words, (count + 1) * sizeof *words);
  execvp(node, arguments);
  fail_to_start("cannot start node: ");
}

/* Goes on without the daemon after the request was sent. */
static void recover(void) {
  if (cancelled) _exit(128 + cancelled);
  if (written > 0 || has_sent_stdin)
    fail(EXIT_IPC, "the daemon ended before the answer was complete; what the command was to change may be in the log", "",
      "Look at the result, for example with `grite list`, before you run the command again");
  close(connection);
  if (setenv("GRITE_REQUEST", key, 1) != 0) fail_to_start("cannot start node: ");
  run_entry();
}

static void flush(void) {
  while (out.at < out.end) {
    const ssize_t count = send(connection, out.bytes + out.at, out.end - out.at, MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count < 0 && errno != EINTR) break; /* There may be an answer all the same. */
    if (count > 0) out.at += (size_t)count;
  }
  out.at = out.end = 0, is_sending = 0;
}

/* Reads what has come. Returns the number of bytes, 0 if there are none or no room, -1 at the end. */
static ssize_t fill(void) {
  const size_t left = in.end - in.at;
  if (in.at > READ_BYTES && in.at > left) memmove(in.bytes, in.bytes + in.at, left), in.at = 0, in.end = left;
  const size_t room = sizeof in.bytes - in.end;
  if (room == 0) return 0;
  const ssize_t count = recv(connection, in.bytes + in.end, room < READ_BYTES ? room : READ_BYTES, 0);
  if (count > 0) in.end += (size_t)count;
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return 0;
  return count > 0 ? count : -1;
}

/* A frame cannot be put into the middle of another one; but ending the connection cancels the request as well. */
static void on_signal(int number) {
  const int error = errno;
  const uint8_t frame[] = {0, 0, 0, 4, ARRAY << 5 | 3, CANCEL, REQUEST, (uint8_t)number};
  if (number == SIGALRM) {
    has_waited = 1;
    if (cancelled && ++cancel_s >= CANCEL_S_MAX) _exit(128 + cancelled);
  } else {
    if (is_sending || cancelled || send(connection, frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame) _exit(128 + number);
    cancelled = number;
    set_timer(1);
  }
  errno = error;
}

static void catch_signals(void) {
  const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGALRM};
  struct sigaction action = {.sa_handler = on_signal};
  sigfillset(&action.sa_mask);
  for (size_t index = 0; index < LENGTH(numbers); index++) sigaction(numbers[index], &action, NULL);
  signal(SIGPIPE, SIG_IGN);
}

static void report_closed(int stream) {
  is_closed[stream] = true, is_sending = 1;
  const size_t start = begin_frame(3, CLOSED, REQUEST);
  put_head(UNSIGNED, (uint64_t)stream), end_frame(start), flush();
}

/* Writes `length` bytes of the frame at `in.at`, from its byte `at` on. Reads ahead once a write has taken a second. */
static enum next write_output(int stream, size_t at, size_t length) {
  bool is_over = false;
  has_waited = 0;
  if (written <= QUICK_OUTPUT_MAX && written + length > QUICK_OUTPUT_MAX) set_timer(1);
  while (length > 0 && !is_closed[stream]) {
    const bool is_slow = has_waited, has_room = !is_over && in.end - in.at < READ_AHEAD_MAX;
    if (is_slow) {
      struct pollfd polled[] = {{.fd = stream, .events = POLLOUT}, {.fd = has_room ? connection : -1, .events = POLLIN}};
      if (poll(polled, LENGTH(polled), -1) < 0) continue;
      if (polled[1].revents && fill() < 0) is_over = true;
      if (!polled[0].revents) continue;
    }
    const ssize_t count = write(stream, in.bytes + in.at + at, is_slow && length > PIPE_BUF ? PIPE_BUF : length);
    if (count > 0) {
      at += (size_t)count, length -= (size_t)count, written += (size_t)count;
    } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      has_waited = 1;
    } else if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) {
      report_closed(stream);
    } else if (count < 0 && errno != EINTR) {
      if (written > 0) fail(EXIT_IO, "cannot write the output: ", strerror(errno), "Check free disk space");
      return LOST;
    }
  }
  return GO_ON;
}

static enum next handle_frame(const struct frame *frame) {
  const bool is_first = !is_greeted;
  if (frame->kind >= IGNORED_MIN) return GO_ON;
  is_greeted = true;
  if (is_first) return frame->kind == WELCOME && frame->second == PROTOCOL ? GO_ON : LOST;
  if (frame->second != REQUEST || is_accepted == (frame->kind == ACCEPTED || frame->kind == REFUSED)) return LOST;
  switch (frame->kind) {
    case ACCEPTED:
      is_accepted = true;
      return GO_ON;
    case REFUSED:
      return frame->major == TEXT ? LOCAL : LOST;
    case STDOUT:
    case STDERR:
      if (frame->major != BYTES) return LOST;
      return write_output((int)frame->kind - STDOUT + 1, (size_t)(frame->content - in.bytes) - in.at, (size_t)frame->value);
    case WANT_STDIN:
      stdin_wanted++;
      return GO_ON;
    case EXIT:
      status = (int)frame->value;
      return frame->major == UNSIGNED && frame->value <= 255 ? DONE : LOST;
    default:
      return LOST;
  }
}

static enum next handle_frames(void) {
  while (in.end - in.at >= 4) {
    const uint8_t *head = in.bytes + in.at;
    const size_t length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    struct frame frame;
    if (length > FRAME_BYTES_MAX) return LOST;
    if (in.end - in.at - 4 < length) break;
    if (!parse_frame(head + 4, head + 4 + length, &frame)) return LOST;
    const enum next next = handle_frame(&frame);
    if (next != GO_ON) return next;
    in.at += 4 + length;
  }
  if (in.at == in.end) in.at = in.end = 0;
  return GO_ON;
}

static enum next send_stdin(void) {
  static uint8_t part[STDIN_BYTES_MAX];
  const ssize_t count = has_stdin_ended ? 0 : read(0, part, sizeof part);
  if (count < 0) return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK ? GO_ON : LOST;
  has_stdin_ended = count == 0, has_sent_stdin |= count > 0, stdin_wanted--, is_sending = 1;
  const size_t start = begin_frame(3, STDIN, REQUEST);
  put_bytes(part, (size_t)count), end_frame(start), flush();
  return GO_ON;
}

static int64_t now_ms(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum next converse(void) {
  const int64_t accept_by = now_ms(CLOCK_MONOTONIC) + ACCEPT_MS_MAX;
  bool can_poll = true; /* standard output; not every system can poll a device */
  for (;;) {
    const bool is_idle = out.at == out.end;
    const int64_t left = is_accepted ? -1 : accept_by - now_ms(CLOCK_MONOTONIC);
    struct pollfd polled[] = {
      {.fd = connection, .events = (short)(is_idle ? POLLIN : POLLIN | POLLOUT)},
      {.fd = is_idle && stdin_wanted > 0 ? 0 : -1, .events = POLLIN},
      {.fd = is_accepted && !is_closed[1] && can_poll ? 1 : -1}, /* A feed may have nothing to write when its reader ends. */
    };
    if (poll(polled, LENGTH(polled), left < 0 && !is_accepted ? 0 : (int)left) < 0) {
      if (errno != EINTR) return LOST;
      continue;
    }
    if (polled[0].revents & POLLOUT) flush();
    if (polled[0].revents & ~POLLOUT) {
      const enum next next = fill() < 0 ? LOST : handle_frames();
      if (next != GO_ON) return next;
    }
    if (polled[1].revents && out.at == out.end && send_stdin() == LOST) return LOST;
    if (polled[2].revents & POLLNVAL) can_poll = false;
    if (polled[2].revents & (POLLERR | POLLHUP) && !is_closed[1]) report_closed(1);
    /* Only now: on a busy machine the answer may have come while this process waited for a processor. */
    if (!is_accepted && left <= 0) return LOST;
  }
}

static bool is_ours(int peer) {
#if defined(SO_PEERCRED) && defined(__linux__)
  struct ucred peer_is;
  socklen_t size = sizeof peer_is;
  return getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &peer_is, &size) == 0 && peer_is.uid == geteuid();
#else
  uid_t user;
  gid_t group;
  return getpeereid(peer, &user, &group) == 0 && user == geteuid();
#endif
}

static bool connect_to(const struct sockaddr_un *address) {
#ifdef SOCK_CLOEXEC
  connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
  connection = socket(AF_UNIX, SOCK_STREAM, 0);
  fcntl(connection, F_SETFD, FD_CLOEXEC), fcntl(connection, F_SETFL, O_NONBLOCK);
#endif
  if (connection < 3) return false;
  if (connect(connection, (const struct sockaddr *)address, sizeof *address) == 0 && is_ours(connection)) return true;
  close(connection);
  return false;
}

static bool is_listed(const char *name, size_t length, const char *const *list) {
  for (; *list != NULL; list++)
    if (strlen(*list) == length && memcmp(*list, name, length) == 0) return true;
  return false;
}

/* By the bytes of the encoded names: shorter ones first. */
static int compare_names(const void *one, const void *other) {
  const char *left = *(char *const *)one, *right = *(char *const *)other;
  const size_t length = strcspn(left, "="), other_length = strcspn(right, "=");
  return length != other_length ? (length < other_length ? -1 : 1) : memcmp(left, right, length);
}

/* Puts the variables that the daemon needs. False if one of them forbids its use. */
static bool put_environment(void) {
  static const char *const local[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH", "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM", NULL};
  static const char *const sent[] = {"HOME", "PATH", "XDG_CONFIG_HOME", "TZ", "LANG", "LANGUAGE", "TERM", "COLORTERM",
    "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "PAGER", "EDITOR", "VISUAL", "CI", "SHELL", "TMPDIR", NULL};
  static char *chosen[VARIABLES_MAX];
  size_t count = 0;
  for (char **variable = environ; *variable != NULL; variable++) {
    const char *name = *variable;
    const size_t length = strcspn(name, "=");
    if (length == 0 || name[length] == 0) continue;
    if (is_listed(name, length, local)) return false;
    if (strncmp(name, "GRITE_NO_DAEMON=", 16) == 0 && name[16] != 0 && strcmp(name + 16, "0") != 0) return false;
    const bool is_sent = strncmp(name, "LC_", 3) == 0 || strncmp(name, "GRITE_", 6) == 0 || strncmp(name, "GIT_", 4) == 0;
    if (!is_sent && !is_listed(name, length, sent)) continue;
    if (count == VARIABLES_MAX) return false;
    chosen[count++] = *variable;
  }
  qsort(chosen, count, sizeof *chosen, compare_names);
  put_head(MAP, count);
  for (size_t index = 0; index < count; index++) {
    if (index > 0 && compare_names(&chosen[index - 1], &chosen[index]) == 0) return false; /* set twice */
    const char *value = strchr(chosen[index], '=') + 1;
    put_text(chosen[index], (size_t)(value - 1 - chosen[index])), put_text(value, strlen(value));
  }
  return true;
}

static bool make_key(void) {
  const char *given = getenv("GRITE_REQUEST");
  uint64_t random[2];
  if (given != NULL && *given != 0) return snprintf(key, sizeof key, "%s", given) < (int)sizeof key;
  if (getentropy(random, sizeof random) != 0) return false;
  snprintf(key, sizeof key, "%lld-%016llx%016llx", (long long)now_ms(CLOCK_REALTIME), (unsigned long long)random[0],
    (unsigned long long)random[1]);
  return true;
}

/* Puts `hello` and `run`. False if the daemon must not be used. */
static bool put_request(void) {
  char folder[PATH_BYTES];
  struct winsize size = {0};
  uint64_t count = 0;
  for (; words[count] != NULL; count++)
    if (strcmp(words[count], "--no-daemon") == 0 || (count == 0 && strcmp(*words, "daemon") == 0)) return false;
  if (!make_key() || getcwd(folder, sizeof folder) == NULL) return false;
  size_t start = begin_frame(5, HELLO, PROTOCOL);
  put_text(GRITE_BUILD, strlen(GRITE_BUILD)), put_head(ARRAY, 0), put_bytes("", 0), end_frame(start);
  start = begin_frame(7, RUN, REQUEST);
  put_text(key, strlen(key)), put_head(ARRAY, count);
  for (char **word = words; *word != NULL; word++) put_text(*word, strlen(*word));
  put_text(folder, strlen(folder));
  if (!put_environment()) return false;
  put_head(ARRAY, 5);
  for (int stream = 0; stream < 3; stream++) put_head(SIMPLE, isatty(stream) ? 21 : 20);
  if (isatty(1)) ioctl(1, TIOCGWINSZ, &size);
  put_head(UNSIGNED, size.ws_col), put_head(UNSIGNED, size.ws_row), end_frame(start);
  return !cannot_send;
}

int main(int count, char **arguments) {
  struct sockaddr_un address;
  words = arguments + (count > 0);
  if (!find_socket(&address) || !put_request() || !connect_to(&address)) run_entry();
  is_sending = 1;
  catch_signals();
  flush();
  const enum next next = converse();
  if (next == LOST) recover();
  if (next == LOCAL) close(connection), run_entry();
  _exit(cancelled ? 128 + cancelled : status);
}
