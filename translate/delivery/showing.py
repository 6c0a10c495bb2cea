"""Showing requests as they would go out, secrets masked, and writing them to files."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from pathlib import Path
from typing import Any

from translate.delivery.endpoint import Endpoint
from translate.delivery.journal import NAME, OWNER_ONLY, Settled, read
from translate.delivery.parts import Parts

FOLDER = "dry-run"
FILES_MAX = 100


def write_requests(
    folder: Path, parts: Parts, endpoint: Endpoint, *, first_number: int
) -> list[dict[str, Any]]:
    """Write the first requests that are left to `dry-run/NNNNNN.json` below the journal, a file each; give what they hold."""
    target = folder / FOLDER
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    journal = folder / NAME
    settled = read(journal).settled if journal.exists() else Settled()
    shown = []
    for number, packed in enumerate(itertools.islice(parts.requests(settled), FILES_MAX), first_number):
        done = settled.of_line(packed.part, packed.line)
        positions = [position for position in range(len(packed.ways)) if position not in done]
        request = endpoint.show(packed.shipment(positions), number)
        with open(
            os.open(target / f"{number:06}.json", os.O_WRONLY | os.O_CREAT, OWNER_ONLY), "w", encoding="utf-8"
        ) as output:
            json.dump(request, output, indent=1, ensure_ascii=False)
        shown.append(request)
    return shown
