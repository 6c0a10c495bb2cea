"""An endpoint: what every protocol's speaker does, how the right one is opened, and its requests shown instead of sent."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import shutil
from pathlib import Path
from typing import Any, Protocol

from translate.delivery.answers import Answer
from translate.delivery.journal import OWNER_ONLY
from translate.delivery.parts import Parts
from translate.delivery.records import NAME, Settled, read
from translate.delivery.secrets import Secrets
from translate.delivery.shipments import Shipment
from translate.delivery.target import Target
from translate.errors import UsageError

SHOWN_FOLDER = "dry-run"
SHOWN_FILES_MAX = 100


class Endpoint(Protocol):
    """One receiver; safe to use from several threads."""

    def show(self, shipment: Shipment, sequence: int) -> dict[str, Any]:
        """Give method, url, headers and body of the request, secrets masked; touches no network."""

    def send(self, shipment: Shipment, sequence: int) -> Answer:
        """Send the shipment once and sort the answer; raises nothing for what network or receiver do."""

    def close(self) -> None:
        """Let go of all connections."""


def open_endpoint(target: Target, secrets: Secrets | None = None) -> Endpoint:
    """Open the endpoint of a target; secrets come from the environment unless given. Connects to nothing yet."""
    module, name = target.spoken.speaker
    made: Endpoint = getattr(importlib.import_module(module), name)(target, secrets or secrets_of(target))
    return made


def secrets_of(target: Target) -> Secrets:
    """Take from the environment what the target asks for."""
    return Secrets.from_environment(target.sending.variables if target.sending else ())


def refuse_without_secrets(target: Target) -> None:
    """Raise UsageError where a described service's secret is not set, before an archive is converted in vain."""
    way = target.sending.authentication if target.sending else None
    if way and not secrets_of(target).get(way.needed):
        raise UsageError(
            f"set {way.needed} in the environment: requests to {target.protocol} are sent with it"
        )


def write_requests(
    folder: Path, parts: Parts, endpoint: Endpoint, *, first_number: int
) -> list[dict[str, Any]]:
    """Write the first requests that are left to `dry-run/NNNNNN.json` below the journal, a file each; give what they hold."""
    target = folder / SHOWN_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    journal = folder / NAME
    settled = read(journal).settled if journal.exists() else Settled()
    shown = []
    for number, packed in enumerate(itertools.islice(parts.requests(settled), SHOWN_FILES_MAX), first_number):
        done = settled.of_line(packed.part, packed.line)
        positions = [position for position in range(len(packed.ways)) if position not in done]
        request = endpoint.show(packed.shipment(positions), number)
        with open(
            os.open(target / f"{number:06}.json", os.O_WRONLY | os.O_CREAT, OWNER_ONLY), "w", encoding="utf-8"
        ) as output:
            json.dump(request, output, indent=1, ensure_ascii=False)
        shown.append(request)
    return shown
