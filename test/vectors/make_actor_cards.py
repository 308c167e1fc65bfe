#!/usr/bin/env python3
"""Makes actor-cards.json: cards, the keys they add up to, and what signatures are worth, by no code of ours.

Written from docs/format.md alone (Python 3 and the package `cryptography`, for Ed25519). With `--check` it tells
whether the file still says the same.
"""
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TARGET = Path(__file__).parent / "actor-cards.json"
PROJECT = b"\xff" * 16
IMPORT_ACTOR = hashlib.blake2b(b"grite:import:beads:v1", digest_size=16).digest()


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


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << 8 * width:
            return bytes([major << 5 | info]) + n.to_bytes(width, "big")


class Key:
    def __init__(self, byte):
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.seed = (bytes([byte]) * 32).hex()
        self.actor = hashlib.blake2b(b"grite:actor:ed25519:v1:" + self.public, digest_size=16).digest()


def digest(actor, previous, key):
    return hashlib.blake2b(b"grite:actor:rotation:v1:" + actor + previous.public + key.public, digest_size=32).digest()


def event(issue, actor, ts, tag, payload, signer=None, sig=None):
    event_id = hashlib.blake2b(cbor([1, issue, actor, ts, None, tag, payload]), digest_size=32).digest()
    if signer is not None:
        sig = signer.private.sign(event_id)
    return event_id, cbor([event_id, issue, actor, ts, None, tag, payload, sig])


def card(actor, ts, label=None, key=None, previous=None, prover=None, signer=None, author=None, **more):
    value = {} if label is None else {"label": label}
    if key is not None:
        value |= {"public_key": key.public.hex(), "key_scheme": "ed25519"}
    if previous is not None:
        value["previous_key"] = previous.public.hex()
        value["rotation"] = (prover or key).private.sign(digest(actor, previous, key)).hex()
    value |= more
    text = json.dumps(value, separators=(",", ":"))
    return event(PROJECT, author or actor, ts, 14, ["grite.actor." + actor.hex(), text], signer or previous or key)


def said(actor, ts, signer=None, sig=None, text="hello"):
    return event(b"\xa0" * 16, actor, ts, 3, [text], signer, sig)


ONE, TWO, THREE, FOUR = Key(1), Key(2), Key(3), Key(4)
BOUND = ONE.actor  # its id is made of key one
FREE = bytes.fromhex("0f" * 16)  # its id is made of nothing


def scenarios():
    yield "an actor bound to its key", BOUND, [
        (card(BOUND, 1000, "ann", ONE), True),
        (card(BOUND, 500, "eve", TWO), False),
    ], [ONE], "ann", [
        (said(BOUND, 2000, ONE), "valid"),
        (said(BOUND, 600, ONE), "valid"),
        (said(BOUND, 2000, TWO), "invalid"),
        (said(BOUND, 2000), "missing"),
        (said(BOUND, 10), "missing"),
        (said(BOUND, 2000, sig=b"\x01\x02"), "invalid"),
    ]
    yield "a key that came later", FREE, [
        (card(FREE, 1000, "bo", ONE), True),
        (card(FREE, 1001, "Bo", ONE), True),
        (card(FREE, 2000, "eve", TWO), False),
    ], [ONE], "Bo", [
        (said(FREE, 900), "unsigned"),
        (said(FREE, 1002), "missing"),
        (said(FREE, 900, ONE), "valid"),
        (said(FREE, 900, TWO), "invalid"),
    ]
    yield "two rotations", BOUND, [
        (card(BOUND, 1000, "ann", ONE), True),
        (card(BOUND, 2000, "ann", TWO, previous=ONE), True),
        (card(BOUND, 3000, "ann", THREE, previous=TWO), True),
        (card(BOUND, 4000, "old", TWO), False),
    ], [ONE, TWO, THREE], "ann", [
        (said(BOUND, 1500, ONE), "valid"),
        (said(BOUND, 2500, ONE), "invalid"),
        (said(BOUND, 1500, TWO), "valid"),
        (said(BOUND, 3500, TWO), "invalid"),
        (said(BOUND, 3500, THREE), "valid"),
    ]
    yield "rotations that do not stand", BOUND, [
        (card(BOUND, 1000, "ann", ONE), True),
        (card(BOUND, 1100, "eve", TWO, previous=ONE, signer=TWO), False),
        (card(BOUND, 1200, "eve", TWO, previous=ONE, prover=ONE), False),
        (card(BOUND, 1300, "eve", TWO, previous=THREE), False),
        (card(BOUND, 1400, "eve", ONE, previous=ONE), False),
    ], [ONE], "ann", []
    yield "two rotations of one key", BOUND, [
        (card(BOUND, 1000, "ann", ONE), True),
        (card(BOUND, 2001, "ann", THREE, previous=ONE), False),
        (card(BOUND, 2000, "ann", TWO, previous=ONE), True),
    ], [ONE, TWO], "ann", []
    yield "a rotation back", BOUND, [
        (card(BOUND, 1000, "ann", ONE), True),
        (card(BOUND, 2000, "ann", TWO, previous=ONE), True),
        (card(BOUND, 3000, "ann", ONE, previous=TWO), False),
    ], [ONE, TWO], "ann", []
    yield "an actor without a key", FREE, [
        (card(FREE, 1000, "cy"), True),
        (card(FREE, 2000, "Cy"), True),
    ], [], "Cy", [
        (said(FREE, 3000), "unsigned"),
        (said(FREE, 3000, FOUR), "unknown-key"),
    ]
    yield "a card without a key after one with a key", FREE, [
        (card(FREE, 1000, "bo", ONE), True),
        (card(FREE, 2000, "eve"), False),
    ], [ONE], "bo", []
    yield "cards of others and of no form", FREE, [
        (card(FREE, 1000, "eve", TWO, author=BOUND), False),
        (card(FREE, 1000, "eve", TWO, signer=THREE), False),
        (card(FREE, 1000, "eve", TWO, key_scheme="rsa"), False),
        (card(FREE, 1000, "eve", TWO, public_key="AB" * 32), False),
        (card(FREE, 1000, "e" * 257, TWO), False),
        (card(FREE, 1000, "eve", TWO, padding="x" * 4096), False),
        (event(PROJECT, FREE, 1000, 14, ["grite.actor." + FREE.hex(), "[]"]), False),
        (event(PROJECT, FREE, 1000, 14, ["grite.actor." + FREE.hex(), '{"label":'] ), False),
        (event(PROJECT, FREE, 1000, 14, ["grite.actor.0F" + FREE.hex()[2:], "{}"]), False),
        (event(b"\xa0" * 16, FREE, 1000, 14, ["grite.actor." + FREE.hex(), "{}"]), False),
        (card(FREE, 5000, "dee", FOUR, more=[1, {"a": None}]), True),
    ], [FOUR], "dee", []
    yield "the actor of imports", IMPORT_ACTOR, [
        (card(IMPORT_ACTOR, 1, "eve", TWO), False),
    ], [], None, [
        (said(IMPORT_ACTOR, 1000), "unsigned"),
    ]


def record(pair, **more):
    return {"event_id": pair[0].hex(), "record": pair[1].hex(), **more}


def main():
    table = {
        "about": "Made by make_actor_cards.py from docs/format.md. `counts`: whether a card says anything of its actor.",
        "keys": [
            {"seed": key.seed, "public_key": key.public.hex(), "actor": key.actor.hex()} for key in (ONE, TWO, THREE, FOUR)
        ],
        "rotation": {
            "actor": BOUND.hex(),
            "previous_key": ONE.public.hex(),
            "public_key": TWO.public.hex(),
            "digest": digest(BOUND, ONE, TWO).hex(),
            "rotation": TWO.private.sign(digest(BOUND, ONE, TWO)).hex(),
        },
        "scenarios": [
            {
                "title": title,
                "actor": actor.hex(),
                "cards": [record(pair, counts=counts) for pair, counts in cards],
                "keys": [key.public.hex() for key in keys],
                "label": label,
                "events": [record(pair, verdict=verdict) for pair, verdict in events],
            }
            for title, actor, cards, keys, label, events in scenarios()
        ],
    }
    text = json.dumps(table, indent=1) + "\n"
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == text else "actor-cards.json says something else")
    TARGET.write_text(text)


main()
