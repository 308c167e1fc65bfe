/* Finds the socket of the daemon of the repository around the current directory (docs/ipc.md, Finding the daemon). */
#ifndef GRITE_ENDPOINT_H
#define GRITE_ENDPOINT_H
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static bool append(char path[PATH_BYTES], const char *text) {
  const size_t length = strlen(path), more = strlen(text);
  if (more >= PATH_BYTES - length) return false;
  memcpy(path + length, text, more + 1);
  return true;
}

/* Resolves a path relative to the folder of another one. */
static bool resolve(char path[PATH_BYTES], const char *other) {
  strrchr(path, '/')[1] = 0;
  if (*other == '/') *path = 0;
  return append(path, other);
}

/* Reads the only line of a file. */
static bool read_line(const char *path, char text[PATH_BYTES]) {
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const ssize_t count = file < 0 ? -1 : read(file, text, PATH_BYTES);
  if (file >= 0) close(file);
  if (file < 3 || count < 0 || count == PATH_BYTES) return false; /* below 3: a standard stream is closed */
  text[count] = 0;
  const size_t length = strcspn(text, "\r\n");
  if (length + strspn(text + length, "\r\n") != (size_t)count) return false;
  text[length] = 0;
  return true;
}

static bool find_common_dir(char path[PATH_BYTES]) {
  struct stat found;
  char text[PATH_BYTES];
  if (getcwd(path, PATH_BYTES) == NULL || *path != '/') return false;
  for (size_t end = path[1] == 0 ? 0 : strlen(path);; end = (size_t)(strrchr(path, '/') - path)) {
    path[end] = 0;
    if (!append(path, "/.git")) return false;
    if (stat(path, &found) == 0) break;
    if (end == 0 || (errno != ENOENT && errno != ENOTDIR)) return false;
    path[end] = 0;
  }
  if (S_ISDIR(found.st_mode)) return true;
  if (!read_line(path, text) || strncmp(text, "gitdir: ", 8) != 0) return false;
  if (!resolve(path, text + 8) || !append(path, "/commondir")) return false;
  if (read_line(path, text)) return resolve(path, text);
  const bool is_missing = access(path, F_OK) != 0;
  *strrchr(path, '/') = 0;
  return is_missing;
}

/* Appends the name of the file that names the socket: `/grite/endpoint.<uid>.<pid namespace>`. */
static bool append_endpoint(char path[PATH_BYTES]) {
  char name[256] = "", endpoint[300], *end = name;
  const bool is_linux = readlink("/proc/self/ns/pid", name, sizeof name - 1) > 0;
  if (!is_linux && gethostname(name, sizeof name - 1) != 0) return false;
  for (const char *at = name; *at != 0; at++) {
    const bool is_digit = *at >= '0' && *at <= '9', is_letter = (*at | 32) >= 'a' && (*at | 32) <= 'z';
    if (!is_linux) *end++ = is_digit || is_letter || *at == '_' || *at == '-' ? *at : '_';
    else if (is_digit) *end++ = *at;
  }
  *end = 0;
  snprintf(endpoint, sizeof endpoint, "/grite/endpoint.%lu.%s", (unsigned long)geteuid(), name);
  return append(path, endpoint);
}

static bool find_socket(struct sockaddr_un *address) {
  char path[PATH_BYTES], line[PATH_BYTES], *at = line;
  struct stat found;
  if (!find_common_dir(path) || !append_endpoint(path) || !read_line(path, line) || strncmp(line, "1 ", 2) != 0) return false;
  for (int word = 1; word < 6 && at != NULL; word++) at = strchr(at, ' ') == NULL ? NULL : strchr(at, ' ') + 1;
  if (at == NULL || *at != '/' || strlen(at) >= sizeof address->sun_path) return false;
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, at, strlen(at) + 1);
  return lstat(at, &found) == 0 && S_ISSOCK(found.st_mode) && found.st_uid == geteuid();
}
#endif
