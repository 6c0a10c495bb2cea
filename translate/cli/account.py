"""What a conversion did, in the terminal."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from translate.cli.printing import print_advice, print_list, print_verdict, printable

if TYPE_CHECKING:
    from translate.conversion.converting import Converted
    from translate.conversion.streaming import Streamed
    from translate.delivery.preflight import Forecast

ERASED_SHOWN_MAX = 10


def print_conversion(report: Converted, hazards: list[Forecast]) -> None:
    """Print the report of a conversion into a directory."""
    print_verdict(report)
    if "verdict" in report:
        print_advice(report.get("nothing_written", {}))
    _print_counts(report)
    _print_rejects(report, report.place("rejects.ndjson"), report.first_reject())
    if "erasure" in report:
        _print_erasure(report["erasure"])
    if "keys" in report:
        print(f"keys: {report.place('keys.ndjson')}")
    _print_hazards(report, "today", [dataclasses.asdict(hazard) for hazard in hazards])
    print(f"report: {report.place('report.json')}")


def _print_erasure(told: dict[str, Any]) -> None:
    """Print who was left out, and whether somebody of them stands in what was written all the same."""
    looked, places = told["looked_through"], told["places"]
    print(
        f"erased: {told['events']:,} event{'s' if told['events'] != 1 else ''} of {told['met']:,} of {told['listed']:,} listed ids"
    )
    where = "none of them stands there" if not told["found"] else f"{told['found']:,} hold a listed id"
    print(f"read again: {looked['lines']:,} lines of {looked['files']:,} files; {where}")
    for place in places[:ERASED_SHOWN_MAX]:
        print(
            f"  {printable(place['file'])}:{place['line']} holds the id in line {place['listed']} of the list"
        )
    if told["found"] > ERASED_SHOWN_MAX:
        print(f"  and {told['found'] - ERASED_SHOWN_MAX:,} more: see the report")


def _print_rejects(report: dict[str, Any], place: str, first: dict[str, Any] | None) -> None:
    if report["events"]["rejected"]:
        told = f"; the first: {printable(first['message'])}" if first else ""
        print(f"rejected records: {place}{told}")


def _print_hazards(report: dict[str, Any], when: str, hazards: list[dict[str, Any]]) -> None:
    if hazards:
        print(f"what {report['to'].partition('/')[0]} does with these rows {when}:")
    for hazard in hazards:
        kind = "loses" if hazard["loses"] else "said"
        print(f"{kind:<6}{hazard['name']}: {hazard['message']}\n      instead: {hazard['instead']}")


def _print_counts(report: dict[str, Any]) -> None:
    """Print what went in and out, what is lost, and what there is to know."""
    from translate.conversion.report import flaws

    counts, files = report["events"], report["inputs"]["files"]
    print(
        f"{report['from']} -> {report['to']}: {files:,} file{'s' if files != 1 else ''}, {report['inputs']['bytes']:,} bytes"
    )
    if "trusted_folders" in report:
        told = report["trusted_folders"]
        print(
            f"not read: {told['files']:,} files in {len(told['folders']):,} folders, by --trust-folders {told['days']:g}"
        )
    for name in ("read", "added", "written", "rejected", "filtered", "duplicates", "merged"):
        if counts[name] or name in ("read", "written"):
            print(f"{name:<10}{counts[name]:>14,}  {_reasons(report, name)}".rstrip())
    print_list(
        "lost or changed",
        report["losses"],
        lambda loss: f"{loss['field']}: {loss['kind']}, {loss['why']}{_example(loss)}",
    )
    wrong = flaws(report)
    print_list("to settle", wrong, lambda finding: f"{finding['message']}")
    print_list(
        "to know",
        [finding for finding in report["findings"] if finding not in wrong],
        lambda finding: f"{finding['message']}",
    )


def _reasons(report: dict[str, Any], name: str) -> str:
    reasons = {"rejected": report["rejects"], "filtered": report["filtered"]}.get(name, {})
    return ", ".join(
        f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: -item[1])
    )


def _example(loss: dict[str, Any]) -> str:
    return f", for example {loss['example']}" if "example" in loss else ""


def print_stream(report: Streamed, rejects: Path | None) -> None:
    """Print what became of the events of a stream."""
    print_verdict(report)
    _print_counts(report)
    _print_rejects(report, str(rejects or "not kept; --rejects FILE keeps them"), report.first_reject)
    as_of = next((hazard["as_of"] for hazard in report["hazards"]), "")
    _print_hazards(report, f"if they come at {as_of}", report["hazards"])
