#!/usr/bin/env python3
"""Prints a record stream as JSON lines, with only git and the zstd program: `read_stream.py <repository> <ref>`.

Written from docs/format.md alone. Follows branches and adopted rows, and checks the SHA-256 of every segment and the
root of every commit that it reads. Payloads are hex. Records of a commit with an act of a later version are left out and
reported on stderr; then the exit status is 1.
"""
import hashlib
import heapq
import json
import subprocess
import sys

REPOSITORY, REF = sys.argv[-2:]
ACTS = ["genesis", "merge", "takeover", "checkpoint", "carry", "continued", "tombstone"]
unreadable = []

def git(*words):
    return subprocess.run(["git", "-C", REPOSITORY, *words], check=True, capture_output=True).stdout

def h(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    code = 0 if n < 1 << 8 else 1 if n < 1 << 16 else 2 if n < 1 << 32 else 3
    return bytes([major << 5 | 24 + code]) + n.to_bytes(1 << code, "big")

def encode(value):
    if not isinstance(value, (str, bytes, list)):
        return b"\xf6" if value is None else head(0, value)
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    raw = value.encode() if isinstance(value, str) else value
    return head(3 if isinstance(value, str) else 2, len(raw)) + raw

def decode(data, at=0):
    major, info = data[at] >> 5, data[at] & 31
    if data[at] == 0xF6:
        return None, at + 1
    size = 0 if info < 24 else 1 << info - 24
    n, at = int.from_bytes(data[at + 1:at + 1 + size], "big") if size else info, at + 1 + size
    if major == 0:
        return n, at
    if major < 4:
        raw = data[at:at + n]
        return (raw.decode() if major == 3 else raw), at + n
    items = []
    for _ in range(n):
        item, at = decode(data, at)
        items.append(item)
    return items, at

class Commit:
    def __init__(self, name):
        self.name, self.parents = name, git("show", "-s", "--format=%P", name).decode().split()
        manifest, _ = decode(git("cat-file", "blob", f"{name}:manifest.cbor"))
        (_, self.stream, incarnation, self.generation, _, (self.kind, self.lineage, _), self.commits,
         self.first, self.count, self.content, _, entries, peaks, act) = manifest
        self.unknown = act[0] if act and act[0] not in ACTS else None
        digest = h(b"\x03", encode([self.stream, incarnation, self.kind, self.lineage]))
        root = h(b"\x02", digest, entries.to_bytes(8, "big"), *peaks).hex()
        assert f"Grite-Root: {root}" in git("show", "-s", "--format=%B", name).decode(), f"{name}: another root"

def segment(commit):
    codec, raw_size, _, _, sha256, _ = commit.content[1]
    data = git("cat-file", "blob", f"{commit.name}:segment.cbor" + (".zst" if codec else ""))
    if codec:
        data = subprocess.run(["zstd", "-dcq"], input=data, check=True, capture_output=True).stdout
    assert len(data) == raw_size and h(data) == sha256, f"{commit.name}: damaged segment"
    at = 0
    for length in decode(git("cat-file", "blob", f"{commit.name}:index.cbor"))[0]:
        yield decode(data, at)[0]
        at += length

def adopted(commit, ranges):
    """The records of ranges of the parents, by (ts, stream id, offset)."""
    sources = [(Commit(commit.parents[source]), begin, end) for source, begin, end in ranges]
    keyed = [[((one[0], source.stream.encode(), at), one) for at, one in records(source) if begin <= at < end]
             for source, begin, end in sources]
    return (one for _, one in heapq.merge(*keyed, key=lambda pair: pair[0]))

def content(commit):
    """The records of one commit, each [ts, writer, key, content type, headers, producer, payload]."""
    if commit.unknown and commit.count:
        unreadable.append(f"offsets {commit.first} to {commit.first + commit.count - 1}: the act of "
                          f"{commit.name} is of a later version: {commit.unknown}")
        return []
    kind, value = commit.content or (2, [])
    if kind == 1:
        return segment(commit)
    return (one for row in value for one in adopted(commit, row[1] if row[0] else [row[1:]]))

def records(commit):
    """The records of a stream up to this commit, with their offsets."""
    chain, limit = [(commit, None)], None
    while commit.commits > 1 or (commit.kind == 1 and commit.generation == 0):
        if commit.commits == 1:
            limit = min(sys.maxsize if limit is None else limit, commit.lineage[0][2])
        commit = Commit(commit.parents[0])
        chain.append((commit, limit))
    for one, limit in reversed(chain):
        if limit is None or one.first < limit:
            yield from (pair for pair in enumerate(content(one), one.first) if limit is None or pair[0] < limit)

for offset, (ts, *_, payload) in records(Commit(git("rev-parse", REF).decode().strip())):
    print(json.dumps({"offset": offset, "ts": ts, "payload": payload.hex()}))
sys.exit("\n".join(unreadable) or 0)
