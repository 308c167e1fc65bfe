"""Runs a command line of grite through the daemon of the repository, or by the program grite where that is not possible.

Written from docs/ipc.md alone, with the standard library of Python 3.8 or newer, to check that the page is enough.
Usage: python3 grite_client.py list --json
"""
import json, os, re, select, signal, socket, stat, struct, sys, time

VERSION, REQUEST, IPC_ERROR, ACCEPT_S_MAX, CANCEL_S_MAX = 1, 1, 6, 0.5, 3
FRAME_BYTES_MAX, DEPTH_MAX, STDIN_BYTES_MAX, INTEGER_END = 16 << 20, 16, 1 << 20, 1 << 53
KEPT_LOCAL = b"""GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
    GIT_NAMESPACE GIT_QUARANTINE_PATH GIT_CEILING_DIRECTORIES GIT_DISCOVERY_ACROSS_FILESYSTEM""".split()
SENT = b"""HOME PATH XDG_CONFIG_HOME TZ LANG LANGUAGE TERM COLORTERM NO_COLOR CLICOLOR CLICOLOR_FORCE COLUMNS LINES PAGER EDITOR
    VISUAL CI SHELL TMPDIR""".split()

class NotUsable(Exception):
    """The daemon cannot be used; it has got nothing."""

class Lost(Exception):
    """The daemon ended, or broke the rules, after it had got the request."""

def encode_head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    log = 0 if value < 1 << 8 else 1 if value < 1 << 16 else 2 if value < 1 << 32 else 3
    return bytes([major << 5 | 24 + log]) + value.to_bytes(1 << log, "big")

def encode(value):
    if value is False or value is True:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return encode_head(0, value) if value >= 0 else encode_head(1, -1 - value)
    if isinstance(value, bytes):
        return encode_head(2, len(value)) + value
    if isinstance(value, str):
        return encode_head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return encode_head(4, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(name), encode(item)) for name, item in value.items())
    return encode_head(5, len(pairs)) + b"".join(name + item for name, item in pairs)

def encode_frame(*elements):
    content = encode(list(elements))
    if len(content) > FRAME_BYTES_MAX:
        raise NotUsable("a frame is too large")
    return struct.pack(">I", len(content)) + content

class Decoder:
    def __init__(self, content):
        self.content, self.at = content, 0

    def take(self, count):
        if count > len(self.content) - self.at:
            raise Lost("truncated item")
        self.at += count
        return self.content[self.at - count : self.at]

    def decode(self, depth=DEPTH_MAX):
        first = self.take(1)[0]
        major, value = first >> 5, first & 31
        if value > 27 or major == 6 or (depth == 0 and major in (4, 5)) or (major == 7 and value not in (20, 21, 22, 27)):
            raise Lost("not the CBOR of the page")
        if major == 7:
            return struct.unpack(">d", self.take(8))[0] if value == 27 else (False, True, None)[value - 20]
        if value >= 24:
            size = 1 << value - 24
            value = int.from_bytes(self.take(size), "big")
            if value < (24 if size == 1 else 1 << 4 * size):
                raise Lost("a head is not the shortest")
        if major < 2 and value < INTEGER_END:
            return value if major == 0 else -1 - value
        if major < 2:
            raise Lost("integer out of range")
        if major < 4:
            return self.take(value) if major == 2 else self.take(value).decode()
        if major == 4:
            return [self.decode(depth - 1) for _ in range(value)]
        pairs = [(self.decode(0), self.decode(depth - 1)) for _ in range(value)]
        if not all(isinstance(name, str) for name, _ in pairs):
            raise Lost("a key is not a text")
        return dict(pairs)

def decode_frame(content):
    decoder = Decoder(content)
    frame = decoder.decode()
    if decoder.at != len(content) or not isinstance(frame, list) or [type(one) for one in frame[:2]] != [int, int]:
        raise Lost("not one array with a kind and an id")
    return frame

def read_line(path):
    with open(path, "rb") as file:
        text = file.read(8192)
    line = text.rstrip(b"\r\n")
    if len(text) == 8192 or b"\n" in line or b"\0" in line:
        raise NotUsable(f"{path!r} is not one line")
    return line

def find_common_dir():
    folder = os.getcwdb()
    while not os.path.exists(os.path.join(folder, b".git")):
        if folder == os.path.dirname(folder):
            raise NotUsable("not in a repository")
        folder = os.path.dirname(folder)
    git = os.path.join(folder, b".git")
    if os.path.isdir(git):
        return git
    line = read_line(git)
    if not line.startswith(b"gitdir: "):
        raise NotUsable("unknown .git file")
    git = os.path.join(folder, line[8:])
    common = os.path.join(git, b"commondir")
    return os.path.join(git, read_line(common)) if os.path.exists(common) else git

def find_socket():
    if sys.platform == "linux":
        name = re.sub(r"\D", "", os.readlink("/proc/self/ns/pid"))
    else:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", socket.gethostname())
    words = read_line(os.path.join(find_common_dir(), f"grite/endpoint.{os.geteuid()}.{name}".encode())).split(b" ", 5)
    if len(words) < 6 or words[0] != b"1" or not words[5].startswith(b"/"):
        raise NotUsable("another protocol")
    found = os.lstat(words[5])
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid():
        raise NotUsable("not a socket of this user")
    return words[5]

def connect(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    connection.connect(path)
    if hasattr(socket, "SO_PEERCRED"):
        _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid != os.geteuid():
            raise NotUsable("the daemon is of another user")
    return connection

def choose_environment():
    chosen = {}
    for name, value in os.environb.items():
        if name in KEPT_LOCAL or (name == b"GRITE_NO_DAEMON" and value not in (b"", b"0")):
            raise NotUsable(f"{name!r} is set")
        if name in SENT or name.startswith((b"LC_", b"GRITE_", b"GIT_")):
            chosen[name.decode()] = value.decode()
    return chosen

def make_request(words, key):
    if b"--no-daemon" in words or words[:1] == [b"daemon"]:
        raise NotUsable("the daemon is not wanted")
    for stream in range(3):
        os.fstat(stream)  # fails if it is closed; the socket could take its place
    terminal = [os.isatty(stream) for stream in range(3)]
    terminal += os.get_terminal_size(1) if terminal[1] else (0, 0)
    argv, cwd = [word.decode() for word in words], os.getcwdb().decode()
    hello = encode_frame(1, VERSION, "", [], b"")
    return hello + encode_frame(2, REQUEST, key, argv, cwd, choose_environment(), terminal)

class Conversation:
    def __init__(self, path, request):
        self.connection, self.outgoing, self.incoming = connect(path), request, bytearray()
        self.greeted = self.accepted = self.has_written = self.has_sent_stdin = self.stdin_ended = False
        self.stdin_wanted, self.closed, self.signal = 0, set(), 0

    def on_signal(self, number, _frame):
        # In the middle of a frame there is no place for another; the end of the connection cancels as well.
        if self.signal or self.outgoing:
            os._exit(128 + (self.signal or number))
        self.signal = int(number)
        signal.setitimer(signal.ITIMER_REAL, CANCEL_S_MAX)
        self.send(encode_frame(4, REQUEST, self.signal))

    def send(self, frame):
        self.outgoing += frame
        self.flush()

    def flush(self):
        try:
            while self.outgoing:
                self.outgoing = self.outgoing[self.connection.send(self.outgoing) :]
        except BlockingIOError:
            pass
        except OSError:
            self.outgoing = b""  # There may be an answer all the same.

    def run(self):
        """Returns the exit status; None after a refusal."""
        deadline = time.monotonic() + ACCEPT_S_MAX
        while True:
            left = None if self.accepted else max(0, deadline - time.monotonic())
            poll = select.poll()
            poll.register(self.connection, select.POLLIN | (select.POLLOUT if self.outgoing else 0))
            if self.stdin_wanted and not self.outgoing:
                poll.register(0, select.POLLIN)
            if self.accepted and 1 not in self.closed:
                poll.register(1, 0)
            events = dict(poll.poll(None if left is None else left * 1000))
            self.flush()
            if events.get(self.connection.fileno(), 0) & ~select.POLLOUT:
                chunk = self.connection.recv(1 << 18)
                if chunk == b"":
                    raise Lost("the connection ended")
                self.incoming += chunk
                for frame in self.handle_frames():
                    if frame[0] == 130 or frame[0] == 134:
                        return frame[2] if frame[0] == 134 else None
            if 0 in events and not self.outgoing:
                self.send_stdin()
            if 1 in events and 1 not in self.closed:
                self.report_closed(1)
            if left == 0 and not self.accepted:
                raise Lost("no answer in time")

    def handle_frames(self):
        at = 0
        while len(self.incoming) - at >= 4:
            (length,) = struct.unpack_from(">I", self.incoming, at)
            if length > FRAME_BYTES_MAX:
                raise Lost("a frame is too long")
            if len(self.incoming) - at - 4 < length:
                break
            frame = decode_frame(bytes(self.incoming[at + 4 : at + 4 + length]))
            at += 4 + length
            if not 192 <= frame[0] <= 255:
                self.handle(frame)
                yield frame
        del self.incoming[:at]

    def handle(self, frame):
        kind, third = frame[0], frame[2] if len(frame) > 2 else None
        if not self.greeted:
            if kind != 128 or frame[1] != VERSION:
                raise Lost("no hello of this version")
            self.greeted = True
        elif frame[1] != REQUEST or self.accepted == (kind in (129, 130)):
            raise Lost("not an answer to this request")
        elif kind == 129:
            self.accepted = True
        elif kind in (131, 132) and isinstance(third, bytes):
            self.write(kind - 130, third)
        elif kind == 133:
            self.stdin_wanted += 1
        elif not (kind == 130 and isinstance(third, str)):
            if kind != 134 or type(third) is not int or not 0 <= third <= 255:
                raise Lost("not an answer to a command line")

    def write(self, stream, part):
        while part and stream not in self.closed:
            try:
                part = part[os.write(stream, part) :]
                self.has_written = True
            except BlockingIOError:
                select.select([], [stream], [])
            except (BrokenPipeError, ConnectionResetError):
                self.report_closed(stream)

    def report_closed(self, stream):
        self.closed.add(stream)
        self.send(encode_frame(5, REQUEST, stream))

    def send_stdin(self):
        part = b"" if self.stdin_ended else os.read(0, STDIN_BYTES_MAX)
        self.stdin_ended, self.has_sent_stdin = part == b"", self.has_sent_stdin or part != b""
        self.stdin_wanted -= 1
        self.send(encode_frame(3, REQUEST, part))

def run_grite(words, key=None):
    if key is not None:
        os.environ["GRITE_REQUEST"] = key
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(b"grite", [b"grite", *words])

def fail_lost(words):
    message = "IPC error: the daemon ended before the answer was complete"
    envelope = {"schema_version": 1, "ok": False, "error": {"code": "ipc_error", "message": message, "details": {}}}
    os.write(2, (json.dumps(envelope) if b"--json" in words else f"error: {message}").encode() + b"\n")
    os._exit(IPC_ERROR)

def main():
    words = [os.fsencode(word) for word in sys.argv[1:]]
    key = os.environ.get("GRITE_REQUEST") or f"{time.time_ns() // 1_000_000}-{os.urandom(16).hex()}"
    try:
        conversation = Conversation(find_socket(), make_request(words, key))
    except (NotUsable, OSError, ValueError):
        run_grite(words)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, conversation.on_signal)
    try:
        status = conversation.run()
    except (Lost, OSError, ValueError):  # ValueError: a text is not UTF-8
        if not conversation.signal:
            if conversation.has_written or conversation.has_sent_stdin:
                fail_lost(words)
            conversation.connection.close()
            run_grite(words, key)
    if conversation.signal:
        os._exit(128 + conversation.signal)
    if status is None:
        run_grite(words)
    os._exit(status)

main()
