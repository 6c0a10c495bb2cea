"""The commands that convert, and that tell what a conversion will do."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import translate
from translate.cli.application import app
from translate.cli.options import (
    AsJson,
    Assignments,
    From,
    Limit,
    Mappings,
    Recipe,
    SettingsFile,
    Since,
    Sources,
    Until,
    Where,
    layouts,
)
from translate.cli.printing import (
    print_advice,
    print_columns,
    print_json,
    print_list,
    print_slips,
    print_verdict,
    printable,
    whoever_listens,
)
from translate.cli.stores import reaching_stores
from translate.conversion.progress import Bar
from translate.errors import ExitCode, MappingError

if TYPE_CHECKING:
    from translate.conversion.converting import Converted
    from translate.delivery.preflight import Forecast


ADD_HELP = (
    "Before the recipe, for targets that count by it: first_open (an event at each client's earliest, and in all when that "
    "was), session_number (counted where missing), profile_set (an event where a user's properties change), engagement "
    "(a session's length in all its events, and an event of how much was no pause); reads the source twice."
)
FOLD_HELP = (
    "Make one event with a duration of the START and the END of a session, before the recipe; reads the source twice, "
    "and needs disk for the ENDs."
)
TRUST_HELP = (
    "Leave out hourly folders (2016/04/07/12/) that lie further than so many days from --since and --until; without it "
    "all is read, for events may lie in any folder."
)
STATE_HELP = (
    "With --out s3://...: folder or s3:// prefix for rejects, report and what a resumed run needs; else the prefix "
    "beside it, PREFIX-translate/."
)
CENSUS_HELP = (
    "Account for each key of the source in DIR/keys.ndjson, against a count in the raw text; not for files of the hub's "
    "own; the run takes 3 to 12 times as long."
)


@app.command()
def models(mappings: Mappings = None, as_json: AsJson = False) -> None:
    """List the models, their layouts, and what each can read and write."""
    layouts = translate.models(mappings)
    if as_json:
        print_json(layouts.to_dicts())
        return
    lines = [("layout", "read", "write", "about")]
    for row in layouts.iter_rows(named=True):
        marks = ["yes" if row[name] else "-" for name in ("read", "write")]
        default = " (default)" if row["default"] else ""
        lines.append((f"{row['model']}/{row['layout']}{default}", *marks, row["about"]))
    print_columns(lines)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Mappings and recipes.")],
    mappings: Mappings = None,
    as_json: AsJson = False,
) -> int:
    """Check mappings and recipes completely, and run the tests inside them."""
    results = []
    for file in files:
        try:
            checked = translate.check(file, mappings=mappings)
            complaints, tests = checked.complaints, checked.tests
        except MappingError as error:
            complaints, tests = error.complaints, 0
        results.append(
            {"file": str(file), "tests": tests, "complaints": [str(complaint) for complaint in complaints]}
        )
    if as_json:
        print_json(results)
    else:
        for result in results:
            _print_checked(result)
    return ExitCode.USAGE if any(result["complaints"] for result in results) else ExitCode.DONE


def _print_checked(result: dict[str, Any]) -> None:
    for complaint in result["complaints"]:
        print(complaint)
    tests = f", {result['tests']} test{'s' if result['tests'] != 1 else ''}" if result["tests"] else ""
    verdict = f"{len(result['complaints'])} wrong" if result["complaints"] else "ok"
    print(f"{result['file']}: {verdict}{tests}")


@app.command()
@reaching_stores
def convert(
    sources: Sources,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="MODEL[/LAYOUT]",
            autocompletion=layouts,
            help="What to write; `hub` is Parquet of the events.",
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Target directory or s3:// prefix: new, empty, or of an unfinished run.",
        ),
    ] = None,
    from_: From = None,
    recipe: Recipe = None,
    where: Where = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    settings: SettingsFile = None,
    set_: Assignments = None,
    mappings: Mappings = None,
    compression: Annotated[
        str, typer.Option(metavar="none|gzip|zstd", help="How to compress what is written.")
    ] = "none",
    dedupe: Annotated[
        bool, typer.Option("--dedupe", help="Remove events of the same id; reads the source twice.")
    ] = False,
    add: Annotated[list[str] | None, typer.Option(metavar="NAME,...", help=ADD_HELP)] = None,
    fold: Annotated[bool, typer.Option("--fold", help=FOLD_HELP)] = False,
    trust_folders: Annotated[float | None, typer.Option(metavar="DAYS", help=TRUST_HELP)] = None,
    examples: Annotated[
        bool, typer.Option("--examples", help="Put a value into the report for each loss.")
    ] = False,
    census: Annotated[bool, typer.Option("--census", help=CENSUS_HELP)] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show the first 5 records, or as many as --limit says, before and after; write nothing.",
        ),
    ] = False,
    state: Annotated[str | None, typer.Option(metavar="DIR", help=STATE_HELP)] = None,
    sse: Annotated[
        str | None, typer.Option(metavar="AES256|aws:kms", help="S3: how what is written is encrypted there.")
    ] = None,
    sse_kms_key_id: Annotated[
        str | None, typer.Option("--sse-kms-key-id", metavar="ID", help="S3: the key, with --sse aws:kms.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Convert an archive into another model.

    DIR gets data/, rejects.ndjson, report.json and files.ndjson. An interrupted run is resumed by the same call. An
    s3:// prefix gets data/ alone; the rest lies below PREFIX-translate/, or where --state says.
    """
    options: dict[str, Any] = {
        "to": to, "from_": from_, "recipe": recipe, "where": where, "since": since, "until": until, "limit": limit,
        "settings": settings, "set_": set_ or (), "mappings": mappings,
    }  # fmt: skip
    if dry_run and (add or fold):
        raise translate.UsageError("--dry-run looks at a few records only: leave out --add and --fold")
    if dry_run:
        from translate.conversion.app_ids import unmatched_of_call

        _print_preview(translate.preview(sources, **options), as_json=as_json)
        told_of = {name: options[name] for name in ("from_", "settings", "set_", "mappings")}
        print_slips(unmatched_of_call(sources, **told_of))
        return ExitCode.DONE
    if out is None:
        raise translate.UsageError("--out is missing: name a new or empty directory (or say --dry-run)")
    from translate.conversion.report import flaws

    with Bar() as bar:
        report = translate.convert(
            sources,
            out=out,
            compression=compression,
            dedupe=dedupe,
            add=add or (),
            fold=fold,
            examples=examples,
            census=census,
            trust_folders=trust_folders,
            state=state,
            sse=sse,
            sse_kms_key_id=sse_kms_key_id,
            progress=bar.show,
            **options,
        )
    with whoever_listens():
        if as_json:
            print_json(report)
        else:
            _print_report(report, report.hazards_at(dt.datetime.now(dt.UTC)))
    if report.finished_already:
        print(f"translate: {out}: finished already; nothing was done", file=sys.stderr)
        return ExitCode.DONE
    print_slips(report.unmatched_app_ids())
    return (
        ExitCode.FLAWED
        if report["events"]["rejected"] or "verdict" in report or flaws(report)
        else ExitCode.DONE
    )


def _print_preview(shown: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    for record in shown:
        print(f"{record['file']}:{record['line']}")
        print(f"  before  {record['before']}")
        if "after" in record:
            after = record["after"]
            print(f"  after   {after if isinstance(after, str) else json.dumps(after, ensure_ascii=False)}")
        elif "rejected" in record:
            print(f"  rejected  {record['rejected']}: {record['message']}")
        else:
            print(f"  filtered  {record['filtered']}")


def _print_report(report: Converted, hazards: list[Forecast]) -> None:
    from translate.conversion.report import flaws

    counts, files = report["events"], report["inputs"]["files"]
    print_verdict(report)
    if "verdict" in report:
        print_advice(report.get("nothing_written", {}))
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
    if counts["rejected"]:
        first = report.first_reject()
        told = f"; the first: {printable(first['message'])}" if first else ""
        print(f"rejected records: {report.place('rejects.ndjson')}{told}")
    if "keys" in report:
        print(f"keys: {report.place('keys.ndjson')}")
    if hazards:
        print(f"what {report['to'].partition('/')[0]} does with these rows today:")
    for hazard in hazards:
        print(
            f"{'loses' if hazard.loses else 'said':<6}{hazard.name}: {hazard.message}\n      instead: {hazard.instead}"
        )
    print(f"report: {report.place('report.json')}")


def _reasons(report: dict[str, Any], name: str) -> str:
    reasons = {"rejected": report["rejects"], "filtered": report["filtered"]}.get(name, {})
    return ", ".join(
        f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: -item[1])
    )


def _example(loss: dict[str, Any]) -> str:
    return f", for example {loss['example']}" if "example" in loss else ""
