"""Records that several tests convert, and the rows that a conversion wrote of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CLICK = {
    "event_type": "click",
    "event_id": "e",
    "timestamp": 1667877566697,
    "app_id": "shop",
    "unique_id": "u",
    "zone_offset": 0,
    "attributes": {},
}


def archived(name: str, **members: Any) -> dict[str, Any]:
    """Give a record of the Mobile Analytics archive."""
    whole = {
        "event_type": name,
        "event_timestamp": 1460000000123,
        "client": {"client_id": "c-1"},
        "application": {"app_id": "a"},
    }
    return {**whole, **members}


def rows_of(out: Path) -> list[Any]:
    """Read the JSON lines that a conversion wrote into a directory."""
    parts = sorted((out / "data").rglob("*.ndjson"))
    return [
        json.loads(line) for part in parts for line in part.read_text(encoding="utf-8").split("\n") if line
    ]
