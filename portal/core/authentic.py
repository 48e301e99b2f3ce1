"""Whether an event was written by the portal: each carries a keyed digest (HMAC-SHA-256) of everything in it.

Not covered are `seq`, which the database gives, and `seal_id`, which comes later: what stands in which order is covered
by the seal (portal.core.seals). Numbers among the facts are compared by value, as JSONB keeps them.
"""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, Literal

from portal.core import secrets

PURPOSE = "event-mac"
COVERED = (
    "id", "created_at", "name", "actor_id", "patient_id", "subject_type", "subject_id", "clinic_id", "facts", "door",
    "address", "correlation_id",
)  # fmt: skip
Verdict = Literal["genuine", "forged", "another key"]
_as_json = json.JSONEncoder(sort_keys=True, default=str).encode


def sign(rows: Iterable[dict[str, Any]]) -> None:
    """Add to each row its `mac` and the `key_id` it was made with."""
    key, key_id = secrets.derived(PURPOSE), secrets.key_id()
    for row in rows:
        row["key_id"], row["mac"] = key_id, _mac(key, row)


def judge(row: Mapping[str, Any]) -> Verdict:
    """Whether a row is as the portal wrote it. `facts` may be JSON text, as a forger may have nested it too deep."""
    if not row["mac"] or not row["key_id"]:
        return "forged"
    key = secrets.known(PURPOSE).get(row["key_id"])
    if key is None:
        return "another key"
    try:
        facts = row["facts"] if not isinstance(row["facts"], str) else json.loads(row["facts"])
        genuine = hmac.compare_digest(_mac(key, {**row, "facts": facts}), row["mac"])
    except (ValueError, RecursionError, TypeError):  # nothing the portal writes
        return "forged"
    return "genuine" if genuine else "forged"


def canonical(row: Mapping[str, Any]) -> bytes:
    """The same bytes for a row before it is written and after it was read."""
    values = {**row, "created_at": row["created_at"].astimezone(UTC).isoformat(), "facts": _by_value(row["facts"])}
    return _as_json(["event", *(values[name] for name in COVERED)]).encode()


def _mac(key: bytes, row: Mapping[str, Any]) -> str:
    return hmac.digest(key, canonical(row), "sha256").hex()


def _by_value(fact: Any) -> Any:
    if isinstance(fact, float):
        return None if not math.isfinite(fact) else int(fact) if fact.is_integer() else fact
    if isinstance(fact, list):
        return [_by_value(one) for one in fact]
    return {key: _by_value(one) for key, one in fact.items()} if isinstance(fact, dict) else fact
