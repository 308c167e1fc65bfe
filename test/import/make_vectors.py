#!/usr/bin/env python3
"""Makes ../vectors/import-beads.json: what an import writes for a few lines, computed without any code of ours.

Written from docs/format.md alone (Python 3, standard library). The file was made once and is frozen: run this with
`--check` to see that it still says the same. Only the rules that the lines below need are in here.
"""
import hashlib
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

SOURCE = "grite:import:beads:v1"
TARGET = Path(__file__).parent / ".." / "vectors" / "import-beads.json"

LINES = [
    '{"id":"v-1","title":"Only what must be there","status":"open","created_at":"2026-01-02T03:04:05Z"}',
    '{"id":"v-2","title":"Gr\u00fc\u00dfe \U0001f600","description":"two\\nlines","status":"hooked","priority":0,"issue_type":"bug",'
    '"assignee":"ann","labels":["b","a"],"created_at":"2026-01-02T03:04:05.9999+05:30",'
    '"updated_at":"2026-01-03T00:00:00.123999999-08:00","owner":"x@example.org","notes":"why","external_ref":"gh-7"}',
    '{"id":"v-3","title":"Closed","status":"closed","priority":2,"issue_type":"task","created_at":"2026-01-05T00:00:00Z",'
    '"updated_at":"2026-01-05T00:00:00Z","closed_at":"2026-01-06T00:00:00Z","close_reason":"done","dependencies":['
    '{"issue_id":"v-3","depends_on_id":"v-1","type":"blocks","created_at":"2026-01-05T01:00:00Z","created_by":"ann"},'
    '{"issue_id":"v-3","depends_on_id":"v-2","type":"parent-child","created_at":"2026-01-05T02:00:00Z","created_by":"ann"},'
    '{"issue_id":"v-3","depends_on_id":"v-1","type":"discovered-from","created_at":"2026-01-05T03:00:00Z","created_by":"ann"}],'
    '"comments":[{"id":4,"issue_id":"v-3","author":"bo","text":"hello","created_at":"2026-01-05T04:00:00Z"}]}',
]


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
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * width:
            return bytes([major << 5 | info]) + n.to_bytes(width, "big")


def b128(data):
    return hashlib.blake2b(data, digest_size=16).digest()


def millis(text):
    """Exact: the fraction is cut by hand."""
    date, rest = text[:19], text[19:]
    zone_at = next(i for i, c in enumerate(rest) if c in "Z+-")
    fraction, zone = rest[:zone_at].lstrip("."), rest[zone_at:]
    base = datetime.fromisoformat(date + ("+00:00" if zone == "Z" else zone))
    delta = base.astimezone(timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (delta.days * 86400 + delta.seconds) * 1000 + int((fraction + "000")[:3])


def zulu(ms):
    text = datetime.fromtimestamp(ms // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{ms % 1000:03d}".rstrip("0") if ms % 1000 else "") + "Z"


def issue_id(line):
    return b128(f"{SOURCE}:{line['id']}".encode() + b"\0" + str(millis(line["created_at"])).encode())


def events(line, by_id):
    created = millis(line["created_at"])
    updated = millis(line.get("updated_at", line["created_at"]))
    at = lambda text=None: max(millis(text) if text else updated, created + 1)
    out = [(created, 1, [line["id"], "", []]), (at(), 2, [line["title"], None])]
    if line.get("description"):
        out.append((at(), 2, [None, line["description"]]))
    closed = line["status"] == "closed"
    out.append((at(line.get("closed_at")) if closed else at(), 6, ["closed" if closed else "open"]))
    if line["status"] not in ("open", "closed"):
        out.append((at(), 4, [f"status:{line['status']}"]))
    if "priority" in line:
        out.append((at(), 4, [f"priority:P{line['priority']}"]))
    if "issue_type" in line:
        out.append((at(), 4, [f"type:{line['issue_type']}"]))
    out += [(at(), 4, [label]) for label in line.get("labels", [])]
    if "assignee" in line:
        out.append((at(), 8, [line["assignee"]]))
    if "external_ref" in line:
        out.append((at(), 7, [line["external_ref"], "beads external_ref"]))
    for edge in line.get("dependencies", []):
        target, when = issue_id(by_id[edge["depends_on_id"]]), at(edge["created_at"])
        if edge["type"] == "blocks":
            out.append((when, 11, [target, "depends_on"]))
        elif edge["type"] == "parent-child":
            out.append((when, 4, [f"parent:{target.hex()}"]))
        else:
            out.append((when, 11, [target, "related_to"]))
            out.append((when, 7, [f"beads:{edge['depends_on_id']}", edge["type"]]))
    for comment in line.get("comments", []):
        head_line = f"{comment['author']} wrote (beads comment {comment['id']}):"
        out.append((at(comment["created_at"]), 3, [f"{head_line}\n{comment['text']}"]))
    if "close_reason" in line:
        out.append((at(line.get("closed_at")), 3, [f"Closed because (beads close_reason):\n{line['close_reason']}"]))
    if "notes" in line:
        out.append((at(), 3, [f"Notes (beads notes):\n{line['notes']}"]))
    mapped = {"id", "title", "status", "priority", "issue_type", "assignee", "notes", "close_reason", "external_ref", "description", "comments"}
    others = {k: v for k, v in line.items() if k not in mapped}
    if line["created_at"] == zulu(created):
        del others["created_at"]
    if "labels" in line and line["labels"] == sorted(set(line["labels"])):
        del others["labels"]
    text = json.dumps(others, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    out.append((at(), 3, [f"Other beads fields:\n{text}"]))
    return out


def event_id(issue, ts, tag, payload):
    preimage = [1, issue, b128(SOURCE.encode()), ts, None, tag, payload]
    return hashlib.blake2b(cbor(preimage), digest_size=32).hexdigest()


def main():
    parsed = [json.loads(line) for line in LINES]
    by_id = {line["id"]: line for line in parsed}
    issues = []
    for text, line in zip(LINES, parsed):
        issue = issue_id(line)
        rows = sorted((ts, event_id(issue, ts, tag, payload), tag) for ts, tag, payload in events(line, by_id))
        issues.append({
            "line": text,
            "issue_id": issue.hex(),
            "events": [{"ts_unix_ms": ts, "kind_tag": tag, "event_id": eid} for ts, eid, tag in rows],
        })
    made = json.dumps({"source": SOURCE, "actor": b128(SOURCE.encode()).hex(), "issues": issues}, indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == made else "import-beads.json says something else")
    TARGET.write_text(made)


main()
