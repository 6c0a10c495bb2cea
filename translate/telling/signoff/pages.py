"""The page to sign, in the style of all our pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from translate.telling.figures.result import Parity, shown
from translate.telling.pages import (
    Markup,
    Section,
    document,
    element,
    facts,
    folded,
    joined,
    listed,
    paragraph,
    reason,
    table,
    tiles,
)
from translate.telling.signoff.trails import ConversionTrail, Listing, ReplayTrail
from translate.wording.rendering import flat, many

if TYPE_CHECKING:
    from translate.telling.signoff import Dossier

COUNTED = ("read", "added", "written", "rejected", "filtered", "duplicates", "merged")
KINDS = {
    "cannot": "the target has no place", "not_mapped": "nobody said where to", "on_purpose": "a rule dropped it", "changed": "arrives changed",
}  # fmt: skip
RECOUNT = "find * -type f -not -name '*.html' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
TOTALS = ("events", "sessions", "new users")  # figures that add up over days
BY_MONTH = ("monthly users", "monthly people")
SIGNED = ("For the migration: name, date", "For the data: name, date", "Accepted by: name, date")


def page(dossier: Dossier, made: dt.datetime) -> str:
    """Write the page; whatever comes from an archive is escaped."""
    conversions, replays = dossier.conversions, dossier.replays
    signed = (element("div", name) for name in SIGNED)
    sections = [
        Section("What is open", [*_open(dossier)]),
        Section("What was there", [*_each(conversions, _there)]),
        Section("What was done", [*_each(conversions, _done)]),
        Section("What was lost and why", [*_each(conversions, _lost)]),
        Section("Figures on both sides", [*_each(conversions, lambda trail: _figures(dossier, trail))]),
        Section("Hazards", [*_hazards(dossier)]),
        Section("What was sent", [piece for trail in replays for piece in _sent(trail)]),
        Section("Digests", [*_each(conversions, _digests)]),
        Section("Signatures", [element("div", *signed, class_="signature")]),
    ]
    names = [element("code", trail.name) for trail in conversions]
    names += [element("code", f"{trail.to} at {trail.endpoint}") for trail in replays]
    grade = "fits" if dossier.is_settled else "loses"
    about = [paragraph(joined(names, ", "))]
    return document("Dossier of a migration", about, dossier.verdict, sections, made, grade)


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
    first = table(caption, head, rows, range(1, len(head) - 1), is_told=False)
    more = listing.files - len(listing.first)
    told = [paragraph(f"and {more:,} more, in files.ndjson", quiet=True)] if more > 0 else []
    return folded(f"{caption} ({listing.files:,})", first, *told, is_aside=True)


def _done(trail: ConversionTrail) -> Iterator[Markup]:
    report, counts = trail.report, trail.report["events"]
    yield tiles((name, counts[name]) for name in COUNTED if counts[name] or name in ("read", "written"))
    added = f" + {counts['added']:,} added" if counts["added"] else ""
    came_out = " + ".join(f"{counts[name]:,} {name}" for name in COUNTED[2:] if counts[name] or name == "written")  # fmt: skip
    yield paragraph(f"It adds up: {counts['read']:,} read{added} = {came_out}.")
    told = [
        ("written as", report["to"]),
        *flat({name: report[name] for name in ("settings", "selection", "options")}),
    ]
    told += [("translate", report["version"]), ("engine", report.get("engine"))]
    yield facts((name, _plain(value)) for name, value in told if value not in (None, False, [], {}, ""))
    rules = [
        (name, element("code", rule.get("when", "")), rule.get("matched"), rule.get("changed"), rule.get("dropped"))
        for name, rule in report.get("rules", {}).items()
    ]  # fmt: skip
    yield from listed("Rules of the recipe, in events", ("rule", "when", "matched", "changed", "dropped"), rules, [2, 3, 4])  # fmt: skip


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else "yes" if value is True else value


def _lost(trail: ConversionTrail) -> Iterator[Markup]:
    report = trail.report
    if report["rejects"]:
        rows = [(reason(code), count) for code, count in report["rejects"].items()]
        yield table("Rejected: each with its own text in rejects.ndjson", ("why", "events"), rows, [1])
        places = [(reason(entry["code"]), entry["file"], entry["line"]) for entry in trail.rejected]
        places_head = ("why", "file", "line")
        first = table("The first rejects of each reason", places_head, places, [2], is_told=False)
        yield folded("where the first of each stand", first)
    yield from listed("Left out", ("rule or selection", "events"), [*report["filtered"].items()], [1])
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
    head = ("field of the source", "what", "why", "events")
    yield from listed("What does not arrive as it was", head, losses, [3])
    findings = [(each["message"], each["events"]) for each in sorted(report["findings"], key=lambda each: -each["events"])]  # fmt: skip
    yield from listed("To know", ("what", "events"), findings, [1])
    if not (report["rejects"] or report["filtered"] or losses):
        yield paragraph(element("span", "Nothing.", class_="good"))


# -- figures on both sides ------------------------------------------------------------------------------------------


def _figures(dossier: Dossier, trail: ConversionTrail) -> Iterator[Markup]:
    """Compare a conversion's figures on both sides, as far as that was asked for."""
    compared = dossier.compared.get(trail.folder)
    if compared is None:
        yield _not_compared(trail)
        return
    changed = dossier.changed.get(trail.folder) or []
    if changed:
        yield paragraph(element("span", f"{many(len(changed), 'file')} of the source changed since: {changed[0]}", class_="warn"))  # fmt: skip
    else:
        yield paragraph("Each file of the source is, to the byte, as it was when it was converted.")
    told = compared.to_json()
    head = ("source", "target", "difference")
    yield table("In all", ("figure", *head), [*_totals(compared)], [1, 2, 3])
    months = [
        (figure, row["key"], *_sides(figure, row["source"], row["target"]))
        for figure in BY_MONTH
        for row in compared.frame.filter(figure=figure).iter_rows(named=True)
    ]
    yield table("By month", ("figure", "month", *head), months, [2, 3, 4])
    counts = ("rows", "the same", "explained", "unexplained")
    summary = [(row["figure"], *(row[name] for name in counts)) for row in told["summary"]]
    yield table("Day by day: rows of each figure", ("figure", *counts), summary, [1, 2, 3, 4])
    yield folded("what the figures are", facts(told["about"].items()))
    causes = [(each["figure"], each["cause"], each["rows"]) for each in told["causes"]]
    yield from listed("Why rows differ", ("figure", "why", "rows"), causes, [2])
    differing = compared.frame.filter(pl.col("explanation") != "").sort("explained", maintain_order=True)
    rows = [
        (row["figure"], row["key"], *(shown(row["figure"], row[name]) for name in ("source", "target")), row["explanation"])
        for row in differing.iter_rows(named=True)
    ]  # fmt: skip
    if rows:
        differing_head = ("figure", "of", *head[:2], "explanation")
        whole = table("Rows that differ", differing_head, rows, [2, 3], is_told=False)
        yield folded(f"all rows that differ ({len(rows):,})", whole, is_aside=True)
    if told["not_compared"]:
        items = [element("li", each) for each in told["not_compared"]]
        yield folded("what the target's dashboards show beyond the rows", element("ul", *items))


def _not_compared(trail: ConversionTrail) -> Markup:
    if trail.is_lake:
        return paragraph("A lake is asked by SQL: its schema.sql tells how to count there.")
    if trail.rows_are_elsewhere:
        return paragraph("They were not compared: the rows do not lie here. Copy them from their bucket to ", element("code", f"{trail.folder}/data"), ", and ask again.")  # fmt: skip
    return paragraph("They were not compared: ", element("code", "translate dossier DIR --source SOURCE"), " compares them.")  # fmt: skip


def _totals(compared: Parity) -> Iterator[tuple[Any, ...]]:
    """Give the figures that add up over days."""
    frame = compared.frame
    for figure in TOTALS:
        mine = frame.filter(figure=figure)
        yield (figure, *_sides(figure, *(sum(mine[name].to_list()) for name in ("source", "target"))))
    revenue = frame.filter(figure="revenue").with_columns(key=pl.col("key").str.split(" ").list.last())
    sums = revenue.group_by("key").agg(pl.col("source", "target").sum()).sort("key")
    for code, source, target in sums.iter_rows():
        yield (f"revenue, {code}", *_sides("revenue", source, target))


def _sides(figure: str, source: float, target: float) -> tuple[str, str, str]:
    difference = round(target - source, 6)
    return shown(figure, source), shown(figure, target), shown(figure, difference) if difference else ""


# -- hazards, replays, digests --------------------------------------------------------------------------------------


def _hazards(dossier: Dossier) -> Iterator[Markup]:
    found = [(trail.folder, each) for trail in dossier.conversions for each in trail.report.get("hazards", ())]  # fmt: skip
    preflight = [(trail.folder, each) for trail in dossier.replays for each in trail.preflight]
    for caption, rows in (
        ("What the target does with such rows, as of the end of the archive", found),
        ("What the preflight found before anything was sent", preflight),
    ):
        told = [(_named(each), _way_out(each), _words(each, where, dossier.replays)) for where, each in rows]
        yield from listed(caption, ("hazard", "what", "accepted"), told)
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
    of_it = (trail for trail in replays if where in trail.holds)
    return next((trail for trail in of_it if hazard["name"] in trail.accepted), None)


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
    yield from listed("Refused by the receiver", ("why", "events"), [*trail.codes.items()], [1])
    if trail.verify:
        yield folded("how to see what arrived", element("ul", *(element("li", _said(each)) for each in trail.verify)))  # fmt: skip


def _said(entry: Any) -> str:
    return " ".join(map(str, entry.values())) if isinstance(entry, dict) else str(entry)


def _digests(trail: ConversionTrail) -> Iterator[Markup]:
    yield facts((name, element("code", digest)) for name, digest in trail.digests)
    yield paragraph(
        "The digest of inputs and outputs is that of the list which sha256sum prints of them, sorted by path; anyone can count it again, inside of ",
        element("code", trail.folder), ": ", element("code", RECOUNT), quiet=True,
    )  # fmt: skip
    yield _files("Files that were written", trail.outputs)
