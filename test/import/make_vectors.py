#!/usr/bin/env python3
"""Writes ../vectors/import-beads.json: the events that an import makes of a few lines, computed without code of src/.

Written from docs/format.md alone (Python 3, standard library). The file was written once and is frozen: run this with
`--check` to compare it. Only the rules that the lines below need are implemented here.
"""
import hashlib
import json
import re
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
    '{"_type":"issue","id":"v-4","title":"As beads 1.0 writes it","design":"two\\nparts","acceptance_criteria":"- one","priority":2,'
    '"created_at":"2026-01-07T00:00:00Z","updated_at":"2026-01-08T00:00:00Z","due_at":"2026-02-01T00:00:00+01:00",'
    '"dependencies":[{"issue_id":"v-4","depends_on_id":"gone","type":"blocks","created_at":"2026-01-07T01:00:00Z","metadata":"{}"}],'
    '"comments":[{"id":"0198f3c4-7d1e-7a2b-8c3d","issue_id":"v-4","author":"bo b","text":"hi","created_at":"2026-01-07T02:00:00Z"}],'
    '"dependency_count":1,"dependent_count":0,"comment_count":1,"metadata":{"a b":[1,"\u00e9"]},"estimated_minutes":0,'
    '"created_by":"ann","owner":"true","spec_id":"7","ephemeral":false}',
]

MEMORY = '{"_type":"memory","key":"build","value":"always run make lint"}'
CONTEXT = b"\xff" * 16


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
    """Truncates the fraction as text, to stay exact."""
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
    status = line.get("status", "open")
    closed = status == "closed"
    out.append((at(line.get("closed_at")) if closed else at(), 6, ["closed" if closed else "open"]))
    if status not in ("open", "closed"):
        out.append((at(), 4, [f"status:{status}"]))
    if "priority" in line:
        out.append((at(), 4, [f"priority:P{line['priority']}"]))
    if "issue_type" in line:
        out.append((at(), 4, [f"type:{line['issue_type']}"]))
    if "due_at" in line:
        out.append((at(), 4, [f"due:{line['due_at'][:10]}"]))
    out += [(at(), 4, [label]) for label in line.get("labels", [])]
    if "assignee" in line:
        out.append((at(), 8, [line["assignee"]]))
    if "external_ref" in line:
        out.append((at(), 7, [line["external_ref"], "beads external_ref"]))
    for edge in line.get("dependencies", []):
        if edge["depends_on_id"] not in by_id:
            continue
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
    for key, head_line in TEXTS.items():
        if line.get(key):
            out.append((at(), 3, [f"{head_line}\n{line[key]}"]))
    others = {k: v for k, v in line.items() if k not in KEPT and v is not None and v is not False and v not in ("", [], {})}
    if others:
        text = "\n".join(f"{word(k, False)}: {word(v, True)}" for k, v in sorted(others.items()))
        out.append((at(), 3, [f"Other beads fields:\n{text}"]))
    return out


TEXTS = {
    "notes": "Notes (beads notes):",
    "design": "Design (beads design):",
    "acceptance_criteria": "Acceptance criteria (beads acceptance_criteria):",
}
# Other events of these lines keep the values of these keys, or beads computes them.
KEPT = {
    "_type", "id", "title", "description", "status", "priority", "issue_type", "due_at", "labels", "assignee", "comments",
    "close_reason", "external_ref", "created_at", "updated_at", "closed_at", "dependency_count", "dependent_count",
    "comment_count", *TEXTS,
}


def word(value, is_value):
    """Returns a plain word unchanged and any other value as JSON."""
    pattern = r"[A-Za-z]([^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\x00-\x20\x7f-\xa0\u2028\u2029])?" if is_value else r"[A-Za-z_][A-Za-z0-9_.-]*"
    if isinstance(value, str) and re.fullmatch(pattern, value) and value not in ("true", "false", "null"):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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
    actor = b128(SOURCE.encode()).hex()
    memory = json.loads(MEMORY)
    context = {
        "card": [f"grite.actor.{actor}", '{"label":"beads"}'],
        "memory": [f"memory.{memory['key']}", memory["value"]],
    }
    ids = {name: event_id(CONTEXT, 0, 14, payload) for name, payload in context.items()}
    made = json.dumps({"source": SOURCE, "actor": actor, "card": ids["card"], "memory": {"line": MEMORY, "event_id": ids["memory"]}, "issues": issues}, indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == made else "import-beads.json says something else")
    TARGET.write_text(made)


main()
