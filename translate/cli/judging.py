"""The commands that judge: rows by their limits, mappings by what comes home again, mappings and recipes by their tests."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import translate
from translate.cli import app
from translate.cli.options import (
    AsJson,
    From,
    Mappings,
    Selection,
    Settings,
    Sources,
    layout_option,
    reaching_stores,
    switch,
)
from translate.cli.printing import (
    Bar,
    counted,
    print_hanging,
    print_json,
    print_list,
    print_verdict,
    tell,
    whoever_listens,
)
from translate.errors import ExitCode, MappingError
from translate.wording.rendering import many, printable

if TYPE_CHECKING:
    from translate.judging.preflight import Forecast

UNDER = " " * 26  # where the text of an entry begins
LOSS_KINDS = ("cannot", "not_mapped", "on_purpose", "changed")


@app.command()
@reaching_stores
def roundtrip(
    sources: Sources,
    *,
    via: Annotated[str, layout_option("--via", "The model to go through.")],
    from_: From = None,
    selection: Selection,
    settings: Settings,
    examples: Annotated[bool, switch("--examples", "Show the values of undeclared differences.")] = False,
    as_json: AsJson = False,
) -> int:
    """Take events through another model and home again, and list every difference.

    A difference is declared by a mapping, with its reason, or it is a fault. The exit code is 1 if there is a fault, or a
    record that cannot be read.
    """
    report = translate.roundtrip(sources, via=via, from_=from_, **selection, **settings, examples=examples)
    tell(report, lambda: _print_roundtrip(report), as_json=as_json)
    return ExitCode.FLAWED if report["undeclared"] or report["events"]["unreadable"] else ExitCode.DONE


def _print_roundtrip(report: dict[str, Any]) -> None:
    print_verdict(report)
    print(f"{report['from']} -> {report['via']} -> {report['from']}")
    for name, count in report["events"].items():
        if count or name in ("read", "returned"):
            print(counted(name, count))
    refused = [{"why": why, "events": count} for why, count in report["refused"].items()]
    print_list("not carried", refused, lambda entry: entry["why"], rest="with --json")
    print_list("declared", report["differences"], _declared, rest="with --json")
    print_list("UNDECLARED", report["undeclared"], _undeclared, rest="with --json")
    if report["events"]["unreadable"]:
        print("unreadable records: convert tells which and why")
    if not report["undeclared"]:
        print("no undeclared difference")


@app.command()
@reaching_stores
def validate(
    sources: Sources,
    *,
    as_: Annotated[
        str | None, layout_option("--as", "Whose limits to judge by; recognised if not said.")
    ] = None,
    selection: Selection,
    settings: Settings,
    examples: Annotated[
        bool, switch("--examples", "Show the first record that does not keep each limit.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Judge rows against their model's limits, documented and observed; nothing is changed.

    The exit code is 1 if the receiver would refuse or drop a row.
    """
    with Bar() as bar:
        result = translate.validate(
            sources, as_=as_, **selection, **settings, examples=examples, progress=bar.show
        )
    now = dt.datetime.now(dt.UTC)
    tell(result, lambda: _print_validation(result, result.ages_at(now)), as_json=as_json)
    return ExitCode.FLAWED if result["events"]["refused"] else ExitCode.DONE


def _print_validation(result: dict[str, Any], ages: list[Forecast]) -> None:
    print_verdict(result)
    print(f"{result['as']}: {many(result['inputs']['files'], 'file')}, {result['inputs']['bytes']:,} bytes")
    for name, count in result["events"].items():
        if count or name in ("read", "breached"):
            print(counted(name, count))
    for title, observed in (("documented", False), ("observed, and not documented", True)):
        breaches = [breach for breach in result["breaches"] if breach["observed"] == observed]
        if breaches:
            print(f"{title}:")
        for breach in breaches:
            _print_breach(breach)
    if result["archive"]:
        print("over the whole archive:")
        for finding in result["archive"]:
            print_hanging(UNDER, finding["message"])
            print_hanging(UNDER, f"by {finding['source']}")
    _print_ages(ages)
    if not result["breaches"] and not result["archive"]:
        print("every limit is kept")


def _print_ages(ages: list[Forecast]) -> None:
    if ages:
        print("for their age, if they come today:")
    for found in ages:
        print_hanging(f"{found.events:>14,}  {'altered':<8}  ", printable(found.message))
        print_hanging(UNDER, f"by {found.source}")


def _print_breach(breach: dict[str, Any]) -> None:
    requests = f", in {many(breach['requests'], 'request')}" if "requests" in breach else ""
    first = breach["examples"][0]
    verdict = "refused" if breach["hard"] else "altered" if "receiver_changes" in breach else "advice"
    print_hanging(f"{breach['events']:>14,}  {verdict:<8}  ", f"{printable(breach['message'])}{requests}")
    if "receiver_changes" in breach:
        print_hanging(UNDER, f"the receiver {printable(breach['receiver_changes'])}")
    print_hanging(UNDER, f"by {breach['source']}")
    print_hanging(UNDER, f"first in {printable(first['file'])}:{first['line']}")
    for name in ("message", "text"):
        if name in first:
            print_hanging(UNDER, printable(first[name]))


def _declared(entry: dict[str, Any]) -> str:
    """Spell a reason as the account of a conversion does: the kind of loss, a comma, why."""
    kind, colon, reason = entry["why"].partition(": ")
    why = f"{kind}, {reason}" if colon and kind in LOSS_KINDS else entry["why"]
    return f"{entry['field']}: {why}"


def _undeclared(entry: dict[str, Any]) -> str:
    first = entry["examples"][0] if entry["examples"] else {}
    where = f", first in {first['file']}:{first['line']}" if first else ""
    values = f" ({first['before']!r} came back as {first['after']!r})" if "before" in first else ""
    return f"{entry['field']}{where}{values}"


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Mappings and recipes.")],
    mappings: Mappings = None,
    as_json: AsJson = False,
) -> int:
    """Check mappings and recipes completely, and run the tests inside them."""
    from translate.recipe import Checked

    results = []
    for file in files:
        try:
            results.append(translate.check(file, mappings=mappings))
        except MappingError as error:
            results.append(Checked(str(file), error.complaints))
    with whoever_listens():
        if as_json:
            print_json([
                {"file": str(file), "tests": checked.tests, "complaints": list(map(str, checked.complaints))}
                for file, checked in zip(files, results, strict=True)
            ])  # fmt: skip
        else:
            for file, checked in zip(files, results, strict=True):
                print(*checked.complaints, f"{file}: {checked.verdict}", sep="\n")
    return ExitCode.USAGE if any(checked.complaints for checked in results) else ExitCode.DONE
