"""The page to sign, in the style of all our pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from translate.telling.pages import (
    Markup,
    Section,
    document,
    element,
    facts,
    folded,
    joined,
    paragraph,
    reason,
    table,
    tiles,
)
from translate.telling.rendering import many
from translate.telling.signoff.sides import figures
from translate.telling.signoff.trails import ConversionTrail, Listing, ReplayTrail

if TYPE_CHECKING:
    from translate.telling.signoff import Dossier

COUNTED = ("read", "added", "written", "rejected", "filtered", "duplicates", "merged")
KINDS = {
    "cannot": "the target has no place", "not_mapped": "nobody said where to", "on_purpose": "a rule dropped it", "changed": "arrives changed",
}  # fmt: skip
RECOUNT = "find * -type f -not -name '*.html' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
SIGNED = ("For the migration: name, date", "For the data: name, date", "Accepted by: name, date")


def page(dossier: Dossier, made: dt.datetime) -> str:
    """Write the page; whatever comes from an archive is escaped."""
    conversions, replays = dossier.conversions, dossier.replays
    sections = [
        Section("What is open", [*_open(dossier)]),
        Section("What was there", [*_each(conversions, _there)]),
        Section("What was done", [*_each(conversions, _done)]),
        Section("What was lost and why", [*_each(conversions, _lost)]),
        Section("Figures on both sides", [*_each(conversions, lambda trail: figures(dossier, trail))]),
        Section("Hazards", [*_hazards(dossier)]),
        Section("What was sent", [piece for trail in replays for piece in _sent(trail)]),
        Section("Digests", [*_each(conversions, _digests)]),
        Section(
            "Signatures", [element("div", *(element("div", name) for name in SIGNED), class_="signature")]
        ),
    ]
    names = [element("code", trail.name) for trail in conversions]
    names += [element("code", f"{trail.to} at {trail.endpoint}") for trail in replays]
    return document(
        "Dossier of a migration",
        [paragraph(joined(names, ", "))],
        dossier.verdict,
        sections,
        made,
        "fits" if dossier.is_settled else "loses",
    )


def _each(
    trails: tuple[ConversionTrail, ...], write: Callable[[ConversionTrail], Iterator[Markup]]
) -> Iterator[Markup]:
    """Write something of each conversion, below its name where there are several."""
    for trail in trails:
        pieces = list(write(trail))
        if pieces and len(trails) > 1:
            yield element("h3", f"{trail.folder}: {trail.name}")
        yield from pieces


def _open(dossier: Dossier) -> Iterator[Markup]:
    if dossier.open:
        yield element("ol", *(element("li", point) for point in dossier.open))
    else:
        yield paragraph(element("span", "Nothing.", class_="good"))


def _there(trail: ConversionTrail) -> Iterator[Markup]:
    report = trail.report
    yield facts([
        ("model and layout", report["from"]), ("files", f"{trail.inputs.files:,}"), ("bytes", f"{trail.inputs.bytes:,}"),
        ("events", f"{report['events']['read']:,}"), ("digest of the files", element("code", trail.inputs.digest)),
    ])  # fmt: skip
    yield _files("Files of the source", trail.inputs, ("read", "written", "rejected"))


def _files(caption: str, listing: Listing, counts: tuple[str, ...] = ()) -> Markup:
    head = ("path", *counts, "bytes", "SHA-256")
    rows = [
        (entry["path"], *(entry[name] for name in counts), entry["bytes"], element("code", entry["digest"].removeprefix("sha256:")))
        for entry in listing.first
    ]  # fmt: skip
    listed = table(caption, head, rows, range(1, len(head) - 1), is_told=False)
    more = listing.files - len(listing.first)
    told = [paragraph(f"and {more:,} more, in files.ndjson", quiet=True)] if more > 0 else []
    return folded(f"{caption} ({listing.files:,})", listed, *told, is_aside=True)


def _done(trail: ConversionTrail) -> Iterator[Markup]:
    report, counts = trail.report, trail.report["events"]
    yield tiles((name, counts[name]) for name in COUNTED if counts[name] or name in ("read", "written"))
    added = f" + {counts['added']:,} added" if counts["added"] else ""
    came_out = " + ".join(f"{counts[name]:,} {name}" for name in COUNTED[2:] if counts[name] or name == "written")  # fmt: skip
    yield paragraph(f"It adds up: {counts['read']:,} read{added} = {came_out}.")
    told = [
        ("written as", report["to"]),
        *_flat("", {name: report[name] for name in ("settings", "selection", "options")}),
    ]
    told += [("translate", report["version"]), ("engine", report.get("engine"))]
    yield facts((name, _plain(value)) for name, value in told if value not in (None, False, [], {}, ""))
    rules = [
        (name, element("code", rule.get("when", "")), rule.get("matched"), rule.get("changed"), rule.get("dropped"))
        for name, rule in report.get("rules", {}).items()
    ]  # fmt: skip
    if rules:
        yield table("Rules of the recipe, in events", ("rule", "when", "matched", "changed", "dropped"), rules, [2, 3, 4])  # fmt: skip


def _flat(prefix: str, values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else "yes" if value is True else value


def _lost(trail: ConversionTrail) -> Iterator[Markup]:
    report = trail.report
    if report["rejects"]:
        rows = [(reason(code), count) for code, count in report["rejects"].items()]
        yield table("Rejected: each with its own text in rejects.ndjson", ("why", "events"), rows, [1])
        places = [(reason(entry["code"]), entry["file"], entry["line"]) for entry in trail.rejected]
        places_head = ("why", "file", "line")
        listed = table("The first rejects of each reason", places_head, places, [2], is_told=False)
        yield folded("where the first of each stand", listed)
    if report["filtered"]:
        rows = [*report["filtered"].items()]
        yield table("Left out", ("rule or selection", "events"), rows, [1])
    erasure = report.get("erasure")
    if erasure:
        looked = f"{erasure['looked_through']['lines']:,} lines of {many(erasure['looked_through']['files'], 'file')} were read again"
        found = f"in {erasure['found']:,} places one of them still stands" if erasure["found"] else "none of them stands there"  # fmt: skip
        yield paragraph(f"Erased: {many(erasure['events'], 'event')} of {erasure['met']:,} of {many(erasure['listed'], 'listed id')}; {looked}, and {found}.")  # fmt: skip
    for name, why in (("duplicates", "are gone: others have their ids"), ("merged", "were folded into others")):  # fmt: skip
        if report["events"][name]:
            yield paragraph(f"{many(report['events'][name], 'event')} {why}.")
    losses = [
        (element("code", loss["field"]), KINDS.get(loss["kind"], loss["kind"]), loss["why"], loss["events"])
        for loss in sorted(report["losses"], key=lambda loss: (loss["kind"] == "changed", -loss["events"]))
    ]
    if losses:
        head = ("field of the source", "what", "why", "events")
        yield table("What does not arrive as it was", head, losses, [3])
    findings = [(each["message"], each["events"]) for each in sorted(report["findings"], key=lambda each: -each["events"])]  # fmt: skip
    if findings:
        yield table("To know", ("what", "events"), findings, [1])
    if not (report["rejects"] or report["filtered"] or losses):
        yield paragraph(element("span", "Nothing.", class_="good"))


# -- hazards, replays, digests --------------------------------------------------------------------------------------


def _hazards(dossier: Dossier) -> Iterator[Markup]:
    found = [(trail.folder, each) for trail in dossier.conversions for each in trail.report.get("hazards", ())]  # fmt: skip
    preflight = [(trail.folder, each) for trail in dossier.replays for each in trail.preflight]
    for caption, rows in (
        ("What the target does with such rows, as of the end of the archive", found),
        ("What the preflight found before anything was sent", preflight),
    ):
        told = [(_named(each), _way_out(each), _words(each, where, dossier.replays)) for where, each in rows]
        if told:
            yield table(caption, ("hazard", "what", "accepted"), told)
    if found and not preflight:
        yield paragraph("Rows grow older: the preflight of translate replay judges them as of the day on which they are sent.", quiet=True)  # fmt: skip
    if not (found or preflight):
        yield paragraph("None that is known of these targets.")


def _named(hazard: dict[str, Any]) -> Markup:
    flag = [" ", element("span", "loses data", class_="warn")] if hazard["loses"] else []
    return joined([hazard["name"], *flag])


def _way_out(hazard: dict[str, Any]) -> str:
    return f"{hazard['message']}. Instead: {hazard['instead']}" if hazard["instead"] else hazard["message"]


def accepting(hazard: dict[str, Any], where: str, replays: tuple[ReplayTrail, ...]) -> ReplayTrail | None:
    """Give the replay of a conversion that accepted a hazard by its name."""
    return next(
        (trail for trail in replays if where in trail.holds and hazard["name"] in trail.accepted), None
    )


def _words(hazard: dict[str, Any], where: str, replays: tuple[ReplayTrail, ...]) -> Any:
    """Say by which words a hazard was accepted, where and when."""
    trail = accepting(hazard, where, replays)
    if trail is not None:
        word, at = element("code", f"--accept {hazard['name']}"), trail.accepted[hazard["name"]]
        return joined([word, f", {trail.folder}, {at}"])
    return "not asked: nothing was sent by replay" if hazard["loses"] else ""


def _sent(trail: ReplayTrail) -> Iterator[Markup]:
    counts = trail.events
    yield element("h3", f"{trail.folder}: to {trail.endpoint}")
    yield tiles([*counts.items(), ("requests", trail.requests)])
    begin, end = trail.span
    yield facts([
        ("model", trail.to), ("from", begin or "never"), ("to", end or "never"), ("ended", trail.stopped or "at its end"),
        ("answers lost", many(trail.lost_events, "event")),
    ])  # fmt: skip
    if trail.codes:
        yield table("Refused by the receiver", ("why", "events"), [*trail.codes.items()], [1])
    if trail.verify:
        yield folded("how to see what arrived", element("ul", *(element("li", _said(each)) for each in trail.verify)))  # fmt: skip


def _said(entry: Any) -> str:
    return " ".join(map(str, entry.values())) if isinstance(entry, dict) else str(entry)


def digests(trail: ConversionTrail) -> list[tuple[str, str]]:
    """Name what was held fast, each with its digest."""
    return [
        (f"inputs ({trail.inputs.files:,})", trail.inputs.digest),
        *trail.report["mapping"].items(),
        (f"outputs ({trail.outputs.files:,})", trail.outputs.digest),
    ]


def _digests(trail: ConversionTrail) -> Iterator[Markup]:
    yield facts((name, element("code", digest)) for name, digest in digests(trail))
    yield paragraph(
        "The digest of inputs and outputs is that of the list which sha256sum prints of them, sorted by path; anyone can count it again, inside of ",
        element("code", trail.folder), ": ", element("code", RECOUNT), quiet=True,
    )  # fmt: skip
    yield _files("Files that were written", trail.outputs)
