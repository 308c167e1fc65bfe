#!/usr/bin/env python3
"""Makes snapshot-signatures.json: what the maker of a snapshot signs, by no code of ours.

Written from docs/format.md alone (Python 3 and the package `cryptography`, for Ed25519). With `--check` it tells
whether the file still says the same.
"""
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TARGET = Path(__file__).parent / "snapshot-signatures.json"
SEED = bytes([1]) * 32
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
ACTOR = hashlib.blake2b(b"grite:actor:ed25519:v1:" + PUBLIC, digest_size=16).digest()


def h(data):
    return bytes(32) if data is None else hashlib.blake2b(data, digest_size=32).digest()


def digest(facts, report, orphans, attachments):
    names = b"".join(sorted(bytes.fromhex(name) for name in attachments)) if attachments else None
    return h(b"grite:snapshot:v1:" + ACTOR + h(facts) + h(report) + h(orphans) + h(names))


def pretty(value):
    return json.dumps(value, indent=2, ensure_ascii=False)


def facts(events):
    row = {"path": "events/0000.bin", "chunk_hash": "c0" * 32, "event_count": events}
    return pretty(
        {"schema_version": 1, "created_ts": 1700000000123, "wal_head": "4" * 40, "event_count": events, "chunks": [row]}
    ).encode()


CASES = [
    ("events alone", facts(3), None, None, []),
    ("a report", facts(3), b'{"schema_version": 1}', None, []),
    ("orphans", facts(3), b'{"schema_version": 1}', bytes.fromhex("8101"), []),
    ("contents, whatever their order", facts(3), b"{}", None, ["ff" * 32, "00" * 32, "7f" + "00" * 31]),
    ("everything", facts(4000), b"{}", b"\x80", ["ab" * 32]),
]


def case(title, facts_file, report, orphans, attachments):
    signed = digest(facts_file, report, orphans, attachments)
    sig = KEY.sign(signed).hex()
    return {
        "title": title,
        "facts": facts_file.hex(),
        "report": None if report is None else report.hex(),
        "orphans": None if orphans is None else orphans.hex(),
        "attachments": attachments,
        "digest": signed.hex(),
        "file": pretty({"schema_version": 1, "actor": ACTOR.hex(), "public_key": PUBLIC.hex(), "signature": sig}),
    }


def main():
    table = {
        "about": "Made by make_snapshot_signatures.py from docs/format.md. `file` is ext/signature.json.",
        "seed": SEED.hex(),
        "public_key": PUBLIC.hex(),
        "actor": ACTOR.hex(),
        "cases": [case(*row) for row in CASES],
    }
    text = json.dumps(table, indent=1) + "\n"
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == text else "snapshot-signatures.json says something else")
    TARGET.write_text(text)


main()
