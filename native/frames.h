/* Frames of the protocol of the daemon and their CBOR (docs/ipc.md): writes those of a client, reads those of the daemon. */
#ifndef GRITE_FRAMES_H
#define GRITE_FRAMES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { FRAME_BYTES_MAX = 16 << 20, DEPTH_MAX = 16 };
enum { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE }; /* major types of CBOR */
enum { HELLO = 1, RUN, STDIN, CANCEL, CLOSED };
enum { WELCOME = 128, ACCEPTED, REFUSED, STDOUT, STDERR, WANT_STDIN, EXIT, IGNORED_MIN = 192, KIND_MAX = 255 };

/* The bytes from `at` to `end` are still to be sent. */
static struct {
  size_t at, end;
  uint8_t bytes[FRAME_BYTES_MAX + (2 << 20)];
} out;
/* A frame was too large, or a text is not UTF-8. */
static bool cannot_send;

static void put(const void *bytes, size_t length) {
  if (length > sizeof out.bytes - out.end) length = 0, cannot_send = true;
  memcpy(out.bytes + out.end, bytes, length);
  out.end += length;
}

/* In the shortest form. */
static void put_head(int major, uint64_t value) {
  const int log = value <= UINT8_MAX ? 0 : value <= UINT16_MAX ? 1 : value <= UINT32_MAX ? 2 : 3, size = 1 << log;
  uint8_t head[9] = {(uint8_t)(major << 5 | (value < 24 ? (int)value : 24 + log))};
  for (int index = 0; index < size; index++) head[1 + index] = (uint8_t)(value >> 8 * (size - 1 - index));
  put(head, value < 24 ? 1 : 1 + (size_t)size);
}

static void put_bytes(const void *bytes, size_t length) {
  put_head(BYTES, length), put(bytes, length);
}

static bool is_utf8(const uint8_t *at, const uint8_t *end) {
  while (at < end) {
    uint32_t point = *at++;
    if (point < 0x80) continue;
    const int more = point < 0xe0 ? 1 : point < 0xf0 ? 2 : 3;
    if (point < 0xc2 || point > 0xf4 || end - at < more) return false;
    point &= 0x3fu >> more;
    for (int index = 0; index < more; index++, at++) {
      if ((*at & 0xc0) != 0x80) return false;
      point = point << 6 | (*at & 0x3f);
    }
    /* Too long a form, a surrogate, or beyond Unicode. */
    if (point < (more == 1 ? 0x80u : more == 2 ? 0x800u : 0x10000u) || point >> 11 == 0x1b || point > 0x10ffff) return false;
  }
  return true;
}

static void put_text(const char *text, size_t length) {
  if (!is_utf8((const uint8_t *)text, (const uint8_t *)text + length)) cannot_send = true;
  put_head(TEXT, length), put(text, length);
}

/* Begins `[kind, second, …]`, where the second element is the id of the request. Returns the position for `end_frame`. */
static size_t begin_frame(uint64_t elements, uint64_t kind, uint64_t second) {
  const size_t start = out.end;
  put("\0\0\0", 4), put_head(ARRAY, elements), put_head(UNSIGNED, kind), put_head(UNSIGNED, second);
  return start;
}

static void end_frame(size_t start) {
  const size_t length = out.end - start - 4;
  if (length > FRAME_BYTES_MAX) cannot_send = true;
  for (size_t index = 0; index < 4; index++) out.bytes[start + index] = (uint8_t)(length >> 8 * (3 - index));
}

/* Reads the head of an item: of a type that the protocol uses, of definite length, in the shortest form. */
static bool take_head(const uint8_t **at, const uint8_t *end, int *major, uint64_t *value) {
  if (*at == end) return false;
  const int first = *(*at)++, info = first & 31, size = 1 << (info & 3);
  *major = first >> 5, *value = (uint64_t)info;
  if (*major == TAG || (*major == SIMPLE && (info < 20 || info > 22) && info != 27)) return false;
  if (info < 24) return true;
  if (info > 27 || end - *at < size) return false;
  *value = 0;
  for (int index = 0; index < size; index++) *value = *value << 8 | *(*at)++;
  return *major == SIMPLE || *value >= (size == 1 ? 24 : UINT64_C(1) << 4 * size);
}

static bool skip_item(const uint8_t **at, const uint8_t *end, int depth) {
  int major;
  uint64_t value;
  if (!take_head(at, end, &major, &value)) return false;
  switch (major) {
    case UNSIGNED:
    case NEGATIVE:
      return value < UINT64_C(1) << 53;
    case BYTES:
    case TEXT:
      if (value > (uint64_t)(end - *at)) return false;
      *at += value;
      return true;
    case ARRAY:
    case MAP:
      for (; value > 0; value--) {
        if (depth == 0 || (major == MAP && (*at == end || **at >> 5 != TEXT || !skip_item(at, end, 0)))) return false;
        if (!skip_item(at, end, depth - 1)) return false;
      }
      return true;
    default:
      return true;
  }
}

/*
 * `[kind, second, third, …]`: of the third element the major type and the value of the head, and the place after it. Without
 * a third element, `major` is -1.
 */
struct frame {
  uint64_t kind, second, value;
  int major;
  const uint8_t *content;
};

/* Reads the content of a frame. False unless it is one item of exactly these bytes. */
static bool parse_frame(const uint8_t *at, const uint8_t *end, struct frame *frame) {
  int array, kind, second;
  uint64_t count;
  if (!take_head(&at, end, &array, &count) || array != ARRAY || count < 2) return false;
  if (!take_head(&at, end, &kind, &frame->kind) || kind != UNSIGNED || frame->kind > KIND_MAX) return false;
  if (!take_head(&at, end, &second, &frame->second) || second != UNSIGNED) return false;
  frame->major = -1, frame->content = at;
  if (count > 2 && !take_head(&frame->content, end, &frame->major, &frame->value)) return false;
  for (; count > 2; count--)
    if (!skip_item(&at, end, DEPTH_MAX - 1)) return false;
  return at == end;
}
#endif
