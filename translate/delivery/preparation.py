"""Preparation of a replay: its source becomes parts of requests below the journal, unless it is such parts already."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from collections.abc import Mapping as Table
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate import mapping
from translate.conversion import calls, converting, persistence
from translate.conversion.erased import CONVERTED, KNOWN, ErasedReplay
from translate.conversion.persistence import digest
from translate.delivery.endpoints import Target
from translate.delivery.journal import refuse_another_job
from translate.delivery.records import NAME, records
from translate.delivery.turns import Parts
from translate.errors import UsageError
from translate.judging.preflight import spoken
from translate.mapping.sending import Delivery, Sending
from translate.mapping.settings import Settings
from translate.mapping.spec import Layout, Mapping
from translate.vocabulary.notes import LISTED_STANDS

SOURCE = "source.json"
BEGIN_ANEW = "remove this file: nothing was sent yet, and the same call converts the source anew"
REPORT_LOST = "put it back as it was, or name another folder to begin anew"
RECEIVER = ("region", "application_id", "account")  # settings that only a replay asks for: to whom it sends
OF_BOTH = ("user_agent", "forwarded_address")  # what was not written into the requests is sent with them


@dataclass(frozen=True)
class Destination:
    """A model that takes requests: its data sheet, how they are delivered, and the layout of their lines."""

    mapping: Mapping
    delivery: Delivery
    layout: Layout


@dataclass(frozen=True)
class Prepared:
    """What is to be sent: the parts, the account of the conversion that made them, and what makes it the same again."""

    parts: Parts
    conversion: dict[str, Any]
    identity: dict[str, Any]
    erased: ErasedReplay | None = None


def destination_of(to: str, mappings: Path | None = None) -> Destination:
    """Find where a replay leads; raise UsageError where the model has no endpoint."""
    model, _, name = to.partition("/")
    sheet = mapping.load(model, mappings)
    if sheet.delivery is None or not sheet.delivery.reaches:
        why = "its mapping does not say how requests are delivered"
        raise UsageError(f"{model}: {why}, so there is nothing to replay to")
    layout = sheet.layouts[sheet.delivery.layout]
    if name not in ("", layout.name):
        way_out = f"say --to {model}, the source is converted on the way"
        raise UsageError(f"--to {to}: its lines are no requests; {way_out}")
    return Destination(sheet, sheet.delivery, layout)


def target_of(
    destination: Destination,
    settings: Settings,
    endpoint: str | None,
    max_in_flight: int,
    *,
    allow_http: bool,
) -> Target:
    """Give where requests go, and how."""
    named = {name: value for name in ("user_agent", "forwarded_address", "region", "application_id", "account")
             if (value := getattr(settings, name)) is not None}  # fmt: skip
    sending, model = destination.delivery.http, destination.mapping.model
    if sending and not endpoint:
        endpoint = _address(sending, settings.region, model)
    return Target(
        destination.delivery.protocol or model, endpoint or None, gzip=not settings.plain_bodies, max_in_flight=max_in_flight, allow_http=allow_http, sending=sending, layout=destination.layout, **named,
    )  # fmt: skip


def _address(sending: Sending, region: str | None, model: str) -> str:
    """Give the described address of a region; the only one, where none is named."""
    known = ", ".join(sending.addresses)
    if region is None and len(sending.addresses) > 1:
        way_out = "say which, --set region=..., or give one as endpoint"
        raise UsageError(f"{model} has addresses in {known}: {way_out}")
    if region is not None and region not in sending.addresses:
        none = f"{model} has no address there (it has: {known})"
        raise UsageError(f"--set region={region}: {none}; or give one as endpoint")
    return next(iter(sending.addresses.values())) if region is None else sending.addresses[region]


def accepted_of(accept: Iterable[str], destination: Destination) -> frozenset[str]:
    """Give the names of the findings that were accepted; raise UsageError for one that the preflight has not."""
    said = [accept] if isinstance(accept, str) else accept
    names = frozenset(name.strip() for given in said for name in given.split(",") if name.strip())
    known = [*destination.delivery.preflight, spoken(LISTED_STANDS)]
    for name in sorted(names - set(known)):
        nothing = f"the preflight of {destination.mapping.model} has nothing of this name"
        raise UsageError(f"--accept {name}: {nothing} (it has: {', '.join(known)})")
    return names


def prepare(source: calls.Sources, folder: Path, destination: Destination, call: Table[str, Any]) -> Prepared:
    """Convert a source into the journal's folder, or find that this was done; `call` holds the options of `convert`.

    Raise UsageError if the journal there is of another job.
    """
    prepared = _prepared(source, folder, destination, call)
    _refuse_another(folder, prepared.identity)
    return prepared


def _prepared(
    source: calls.Sources, folder: Path, destination: Destination, call: Table[str, Any]
) -> Prepared:
    converted = _converted(source)
    if converted is not None and converted[1]["to"] == destination.layout.address:
        return _as_it_is(*converted, destination, call)
    if converted is not None:
        source, call = converted[0] / "data", {**call, "from_": call.get("from_") or converted[1]["to"]}
    target = folder / CONVERTED
    conversion = converting.conversion(source, to=destination.layout.address, out=target, **call)
    identity = {key: value for key, value in conversion.identity().items() if key != "version"}
    _keep_or_begin_anew(folder, identity)
    erasure = conversion.job.selection.erase
    conversion.kept_texts = folder / KNOWN if erasure and erasure.is_by_hash else None
    whole = target / "report.json"
    if whole.exists():
        conversion.output.tidy()  # a killed run left its state, and in it whom hashes stand for
    report = persistence.read_values(whole, REPORT_LOST) if whole.exists() else conversion.run()
    parts = Parts(target / "data", destination.layout)
    erased = ErasedReplay(erasure, report["erasure"], f"{CONVERTED}/") if erasure else None
    return Prepared(parts, report, {**identity, **_of_sending(parts, call["settings"])}, erased)


def _keep_or_begin_anew(folder: Path, identity: dict[str, Any]) -> None:
    """Go on with what was converted before; as long as nothing was sent, another source or mapping may take its place."""
    begun = _refuse_another(folder, identity, "parts", "receiver")
    file = folder / SOURCE
    if begun or (file.exists() and persistence.read_values(file, BEGIN_ANEW) == identity):
        return
    shutil.rmtree(folder / CONVERTED, ignore_errors=True)
    (folder / KNOWN).unlink(missing_ok=True)
    persistence.write_whole(file, json.dumps(identity, indent=1))


def _refuse_another(folder: Path, identity: dict[str, Any], *unknown: str) -> bool:
    """Tell whether a journal was begun; raise UsageError if it differs in what is known by now."""
    file = folder / NAME
    known = records(file) if file.exists() else ()
    job = next((record["job"] for record in known if "journal" in record), None)
    if job is not None:
        known_now = {key: value for key, value in job.items() if key not in ("endpoint", *unknown)}
        refuse_another_job(folder, known_now, identity)
    return job is not None


def _of_sending(parts: Parts, settings: Settings) -> dict[str, Any]:
    """Say what else makes a replay the same again: the files it sends, and to whom."""
    receiver = {name: getattr(settings, name) for name in RECEIVER}
    return {"parts": digest(parts.described()), "receiver": digest(receiver)}


def _converted(source: calls.Sources) -> tuple[Path, dict[str, Any]] | None:
    """Tell whether a source is a directory that a complete conversion left."""
    if not isinstance(source, str | os.PathLike):
        if len(source) != 1:
            return None
        (source,) = source
    folder = Path(source)
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(report, dict) and report.get("complete") is True and "to" in report
    return (folder, report) if whole and (folder / "data").is_dir() else None


def _as_it_is(
    folder: Path, report: dict[str, Any], destination: Destination, call: Table[str, Any]
) -> Prepared:
    asked = [name for name in ("recipe", "where", "since", "until", "limit") if call.get(name) is not None]
    asked += ["dedupe"] if call.get("dedupe") else []
    if asked:
        raise _too_late(folder, f"--{' and --'.join(asked)}")
    if call.get("from_") not in (None, destination.layout.address, destination.mapping.model):
        raise UsageError(f"{folder}: holds {destination.layout.address}, not {call['from_']}")
    _refuse_late_settings(folder, call["settings"].described(), report.get("settings", {}))
    erase = call.get("erase")
    erased = None if erase is None else ErasedReplay.of_converted(folder, report, erase)
    parts = Parts(folder / "data", destination.layout)
    sending = _of_sending(parts, call["settings"])
    mappings = {**report["mapping"], destination.mapping.file: destination.mapping.digest}
    identity = {"inputs": sending["parts"], "from": report["from"], "to": report["to"], "mappings": mappings,
                "settings": digest(call["settings"].described())}  # fmt: skip
    return Prepared(parts, report, {**identity, **sending}, erased)


def _refuse_late_settings(folder: Path, said: dict[str, Any], used: dict[str, Any]) -> None:
    """Raise UsageError for settings of the conversion that say something else now; those of it may be said again."""
    unsaid = Settings().described()
    late = [
        name for name, value in said.items()
        if value not in (unsaid.get(name), used.get(name)) and not (name in OF_BOTH and used.get(name) is None)
    ]  # fmt: skip
    if late:
        raise _too_late(folder, f"--set {late[0]}")


def _too_late(folder: Path, said: str) -> UsageError:
    return UsageError(f"{folder}: is converted already, so {said} comes too late; convert it anew with it")
