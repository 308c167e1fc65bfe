#!/usr/bin/env python3
"""Makes streams.json: bytes and hashes of record streams, by no code of ours.

Written from docs/format.md alone (Python 3). With `--check` it tells whether the file still says the same. Facts have
the names that the model has; bytes are hex.
"""
import hashlib
import json
import sys
from pathlib import Path

TARGET = Path(__file__).parent / "streams.json"


def head(major, number):
    for code, (limit, size) in enumerate([(1 << 8, 1), (1 << 16, 2), (1 << 32, 4), (1 << 64, 8)]):
        if number < 24:
            return bytes([major << 5 | number])
        if number < limit:
            return bytes([major << 5 | 24 + code]) + number.to_bytes(size, "big")
    raise ValueError(number)


def cbor(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        raw = value.encode()
        return head(3, len(raw)) + raw
    return head(4, len(value)) + b"".join(cbor(item) for item in value)


def h(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def u64(number):
    return number.to_bytes(8, "big")


def by_key(pairs):
    return sorted((list(pair) for pair in pairs), key=lambda pair: pair[0].encode())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def record(ts, writer=None, key=None, content_type=None, headers=(), producer=None, payload=b""):
    return cbor([ts, writer, key, content_type, by_key(headers), producer, payload])


def leaf(stored):
    return h(b"\x00", stored)


def node(left, right):
    return h(b"\x01", left, right)


def tree(leaves):
    """The root of a perfect subtree."""
    if len(leaves) == 1:
        return leaves[0]
    half = len(leaves) // 2
    return node(tree(leaves[:half]), tree(leaves[half:]))


def peaks_of(leaves):
    peaks, start = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            peaks.append(tree(leaves[start:start + (1 << bit)]))
            start += 1 << bit
    return peaks


def subtrees_of(first, leaves):
    roots, start = [], 0
    while start < len(leaves):
        size = 1
        while start + size * 2 <= len(leaves) and (first + start) % (size * 2) == 0:
            size *= 2
        roots.append(tree(leaves[start:start + size]))
        start += size
    return roots


def lineage_digest(stream, incarnation, kind, parents):
    return h(b"\x03", cbor([stream, incarnation, kind, parents]))


def root(digest, entries, peaks):
    return h(b"\x02", digest, u64(entries), *peaks)


ACTOR, OWNER = bytes(range(16)), bytes(range(16, 32))
INCARNATION, OTHER = bytes(range(0x10, 0x18)), bytes(range(0x20, 0x28))
KINDS = ["root", "branch", "merge"]
RECORDS = [record(1_700_000_000_000 + index, payload=bytes([index])) for index in range(9)]
LEAVES = [leaf(stored) for stored in RECORDS]
ROOT_LINEAGE = [0, [], [1_700_000_000_000, ACTOR, "why", by_key([("z", "1"), ("a", "2")]), [None, 1000, None]]]
BRANCH_LINEAGE = [1, [["main", OTHER, 3, h(b"parent")]], [5, None, None, [], None]]
MERGE_LINEAGE = [
    2,
    [["a", OTHER, 3, h(b"one")], ["\U0001f600", INCARNATION, 1 << 33, h(b"two")]],
    [1 << 40, None, None, [], None],
]


def records():
    cases = {
        "documented": dict(ts=1_700_000_000_000, key=b"k", content_type="text/plain", headers=[("a", "b")], payload=b"hello"),
        "empty": dict(ts=0),
        "full": dict(
            ts=(1 << 53) - 1,
            writer=ACTOR,
            key=b"",
            content_type="\u00e9" * 40,
            headers=[("\U0001f600", b"\x00\xff"), ("\uffff", ""), ("b", "x" * 300), ("B", b"y" * 24)],
            producer=["\u00fc", 1 << 32],
            payload=bytes(range(256)) * 2,
        ),
    }
    for name, facts in cases.items():
        stored = record(**facts)
        yield {
            "name": name,
            "record": {
                "tsUnixMs": facts["ts"],
                "writer": facts.get("writer"),
                "key": facts.get("key"),
                "contentType": facts.get("content_type"),
                "headers": [list(pair) for pair in by_key(facts.get("headers", ()))],
                "producer": named(["id", "sequence"], facts.get("producer")),
                "payload": facts.get("payload", b""),
            },
            "bytes": stored,
            "leaf": leaf(stored),
        }


def named(names, values):
    return None if values is None else dict(zip(names, values))


def lineage_facts(lineage):
    kind, parents, (created, actor, reason, labels, policy) = lineage
    return {
        "kind": KINDS[kind],
        "parents": [named(["streamId", "incarnation", "offset", "root"], parent) for parent in parents],
        "metadata": {
            "createdTs": created,
            "actor": actor,
            "reason": reason,
            "labels": labels,
            "retention": named(["maxAgeMs", "maxBytes", "maxCount"], policy),
        },
    }


DEED = [7, ACTOR, "because"]
ACTS = {
    "genesis": ([], []),
    "merge": (
        ["policy", "offsets", "bases", "evidence", "notes"],
        ["custom:mine", [9, 4000], [["main", OTHER, 3]], by_key([("score", "0.9"), ("by", "x")]), ["one", "two"]],
    ),
    "takeover": (["previousEpoch"], [1]),
    "checkpoint": (["kind", "key", "signature"], ["handoff", bytes(32), bytes(64)]),
    "carry": (["previousGeneration", "previousRoot", "cutEntry"], [0, h(b"before"), 9]),
    "continued": (["nextGeneration"], [1]),
    "tombstone": ([], []),
}
BASE_NAMES = ["streamId", "incarnation", "offset"]


def act_facts(name):
    names, values = ACTS[name]
    deed = {} if name == "genesis" else named(["ts", "actor", "reason"], DEED)
    facts = {"name": name, **deed, **named(names, values)}
    if name == "merge":
        facts["bases"] = [named(BASE_NAMES, base) for base in facts["bases"]]
    return facts


def act_value(name):
    return [name] if name == "genesis" else [name, *DEED, *ACTS[name][1]]


# Of 4,300 records, the mark for record 4,096 says how far both ranges have come: 3,900 and 196 records.
ROWS = [[0, 1, 2, 9], [1, [[1, 0, 4000], [2, 7, 307]], [[3900, 7 + 196]]]]


def row_facts(row):
    if row[0] == 0:
        return {"kind": "range", **named(["source", "from", "to"], row[1:])}
    return {"kind": "interleave", "ranges": [named(["source", "from", "to"], one) for one in row[1]], "marks": row[2]}


SEGMENT = b"".join(RECORDS[3:9])
SEGMENT_ROW = [1, len(SEGMENT), 77, 0xFFFFFFFF, h(SEGMENT), subtrees_of(3, LEAVES[3:9])]
SEGMENT_NAMES = ["codec", "rawSize", "storedSize", "crc32c", "sha256", "subtrees"]
ROW_SOURCES = [h(b"source one"), h(b"source two")]


def manifests():
    sealed = {"first": 3, "count": 6, "leaves": LEAVES}
    yield manifest("segment", ROOT_LINEAGE, segment=SEGMENT_ROW, producers=[["p", 5, 4], ["\u00e9", 0, 8]], **sealed)
    yield manifest("genesis with a segment", BRANCH_LINEAGE, act="genesis", segment=SEGMENT_ROW, **sealed)
    leaves = LEAVES[:3] + [h(b"\x04", cbor(ROWS[0]), ROW_SOURCES[0]), h(b"\x04", cbor(ROWS[1]), *ROW_SOURCES)]
    yield manifest("rows", MERGE_LINEAGE, act="merge", rows=ROWS, first=3, count=7 + 4300, leaves=leaves)
    for name in ACTS:
        yield manifest(name, ROOT_LINEAGE, act=name, first=9, count=0, leaves=LEAVES)


def manifest(name, lineage, first, count, leaves, act=None, segment=None, rows=None, producers=()):
    stream, generation, epoch, commits = "build/42", 1, [2, OWNER], 3
    content, content_facts = None, None
    if segment is not None:
        content = [1, segment]
        content_facts = {"kind": "segment", "row": {**named(SEGMENT_NAMES, segment), "codec": ["plain", "zstd"][segment[0]]}}
    if rows is not None:
        content = [2, rows]
        content_facts = {"kind": "rows", "rows": [row_facts(row) for row in rows]}
    peaks = peaks_of(leaves)
    value = [1, stream, INCARNATION, generation, epoch, lineage, commits, first, count, content, list(producers)]
    value += [len(leaves), peaks, None if act is None else act_value(act)]
    facts = {
        "streamId": stream,
        "incarnation": INCARNATION,
        "generation": generation,
        "epoch": named(["number", "owner"], epoch),
        "lineage": lineage_facts(lineage),
        "commitCount": commits,
        "firstOffset": first,
        "count": count,
        "content": content_facts,
        "producers": [named(["id", "sequence", "offset"], one) for one in producers],
        "entries": len(leaves),
        "peaks": peaks,
        "act": None if act is None else act_facts(act),
    }
    digest = lineage_digest(stream, INCARNATION, lineage[0], lineage[1])
    return {"name": name, "manifest": facts, "bytes": cbor(value), "root": root(digest, len(leaves), peaks)}


def checkpoint():
    digest = lineage_digest("build/42", INCARNATION, *ROOT_LINEAGE[:2])
    parent_root = root(digest, 9, peaks_of(LEAVES))
    return h(b"\x05", cbor(["build/42", INCARNATION, 1, 9, 9, parent_root, *DEED, "handoff"]))


def message():
    lines = [
        "stream a b\\n@\u00e9: merge, records 3 to 8",
        "",
        "Grite-Stream: a%20b%0A%40%C3%A9",
        "Grite-Generation: 2",
        "Grite-Act: merge",
        "Grite-Parent: main@3",
        "Grite-Parent: %F0%9F%98%80/x~y@8589934592",
        "Grite-First-Offset: 3",
        "Grite-Count: 6",
        f"Grite-Root: {h(b'root').hex()}",
    ]
    facts = {
        "streamId": "a b\n@\u00e9",
        "generation": 2,
        "act": "merge",
        "parents": [named(["streamId", "offset"], ["main", 3]), named(["streamId", "offset"], ["\U0001f600/x~y", 1 << 33])],
        "firstOffset": 3,
        "count": 6,
        "root": h(b"root"),
    }
    return {"facts": facts, "message": "\n".join(lines)}


TOKEN, NONCE = bytes(range(0x40, 0x48)), bytes(range(0x50, 0x58))


def frames():
    payloads = {
        "open": [0, "build/42", INCARNATION, 1, 2, 9, bytes(range(20)), h(b"root"), None],
        "open after another file": [0, "build/42", INCARNATION, 1, 2, 9, bytes(32), h(b"root"), [bytes(8), 1 << 33]],
        "closed": [2, 12, 0, bytes(range(0x60, 0x68))],
    }
    encoded = {name: cbor(payload) for name, payload in payloads.items()}
    encoded["records"] = cbor([1, 9, None])[:-1] + head(4, 3) + b"".join(RECORDS[:3])
    for position, (name, payload) in enumerate(encoded.items()):
        start = b"GJ" + TOKEN + NONCE + u64(position * 1000) + len(payload).to_bytes(4, "big")
        crc = crc32c(start + payload).to_bytes(4, "big")
        yield {"name": name, "position": position * 1000, "payload": payload, "frame": start + crc + payload}


def token():
    facts = {"incarnation": INCARNATION, "generation": 1, "sealedCommit": bytes(range(20)), "cloneId": OWNER}
    return {**facts, "token": h(b"\x06", INCARNATION, u64(1), bytes(range(20)), OWNER)[:8]}


def lineages():
    for lineage in [ROOT_LINEAGE, BRANCH_LINEAGE, MERGE_LINEAGE]:
        facts = lineage_facts(lineage)
        yield {"kind": facts["kind"], "parents": facts["parents"], "digest": lineage_digest("s", INCARNATION, *lineage[:2])}


def vectors():
    digest = lineage_digest("s", INCARNATION, *ROOT_LINEAGE[:2])
    trees = [
        {"entries": count, "peaks": peaks_of(LEAVES[:count]), "root": root(digest, count, peaks_of(LEAVES[:count]))}
        for count in range(10)
    ]
    return {
        "records": list(records()),
        "leaves": [{"record": stored, "leaf": one} for stored, one in zip(RECORDS, LEAVES)],
        "lineages": {"streamId": "s", "incarnation": INCARNATION, "digests": list(lineages())},
        "trees": {"lineageDigest": digest, "sizes": trees},
        "rows": [
            {"row": row_facts(row), "bytes": cbor(row), "sourceRoots": roots, "leaf": h(b"\x04", cbor(row), *roots)}
            for row, roots in zip(ROWS, [ROW_SOURCES[:1], ROW_SOURCES])
        ],
        "segment": {"records": RECORDS[3:9], "raw": SEGMENT, "index": cbor([len(one) for one in RECORDS[3:9]])},
        "manifests": list(manifests()),
        "checkpoint": {"parent": "segment", **named(["ts", "actor", "reason"], DEED), "kind": "handoff", "digest": checkpoint()},
        "message": message(),
        "frames": {"token": TOKEN, "nonce": NONCE, "frames": list(frames())},
        "journalToken": token(),
    }


def as_json(value):
    return value.hex() if isinstance(value, bytes) else value


def with_hex(value):
    if isinstance(value, dict):
        return {key: with_hex(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_hex(item) for item in value]
    return as_json(value)


text = json.dumps(with_hex(vectors()), indent=1, ensure_ascii=True) + "\n"
if "--check" in sys.argv:
    sys.exit(0 if TARGET.read_text() == text else f"{TARGET} differs")
TARGET.write_text(text)
