"""The commands that convert, and that tell what a conversion will do."""

from __future__ import annotations

import datetime as dt
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

import translate
from translate.archive.stored import PIPE
from translate.cli.account import print_conversion, print_stream
from translate.cli.application import app
from translate.cli.census import Tallied, Verified, WithCensus
from translate.cli.cluster import LOCAL, Engine, Master, converter
from translate.cli.options import (
    AsJson,
    Assignments,
    Erase,
    From,
    Limit,
    Mappings,
    PartSize,
    Recipe,
    SettingsFile,
    Since,
    Sources,
    Until,
    Where,
    layouts,
)
from translate.cli.printing import paper, print_json, print_slips, whoever_listens
from translate.cli.stores import reaching_stores
from translate.conversion.progress import Bar
from translate.errors import ExitCode, MappingError
from translate.telling.terminal import columns

OUT_HELP = (
    "Target directory or s3:// prefix: new, empty, or of an unfinished run; - writes the rows to standard output, and what "
    "is told to standard error."
)
ADD_HELP = (
    "Before the recipe, for targets that count by it: first_open (an event at each client's earliest, and in all when that "
    "was), session_number (counted where missing), profile_set (an event where a user's properties change), engagement "
    "(a session's length in all its events, and an event of how much was no pause); reads the source twice."
)
FOLD_HELP = (
    "Make one event with a duration of the START and the END of a session, before the recipe; reads the source twice, "
    "and needs disk for the ENDs."
)
LAKE_HELP = (
    "Lay the events of --to hub down for engines over files: a folder for each day, sorted by client and time, schema.sql "
    "beside them; needs disk for all of them twice."
)
TRUST_HELP = (
    "Leave out hourly folders (2016/04/07/12/) that lie further than so many days from --since and --until; without it "
    "all is read, for events may lie in any folder."
)
STATE_HELP = (
    "With --out s3://...: folder or s3:// prefix for rejects, report and what a resumed run needs; else the prefix "
    "beside it, PREFIX-translate/."
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
    print("\n".join(columns(lines, paper(), wrapped=(3,), kept=(0,), head=True)))


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


@app.command(cls=WithCensus)
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
    out: Annotated[str | None, typer.Option("--out", metavar="DIR", help=OUT_HELP)] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where rejects go with --out -: a new file; else they are counted only."
        ),
    ] = None,
    from_: From = None,
    recipe: Recipe = None,
    where: Where = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    erase: Erase = None,
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
    lake: Annotated[bool, typer.Option("--lake", help=LAKE_HELP)] = False,
    trust_folders: Annotated[float | None, typer.Option(metavar="DAYS", help=TRUST_HELP)] = None,
    examples: Annotated[
        bool, typer.Option("--examples", help="Put a value into the report for each loss.")
    ] = False,
    census: Tallied = False,
    verified_census: Verified = False,
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
    part_size: PartSize = None,
    engine: Engine = LOCAL,
    master: Master = None,
    as_json: AsJson = False,
) -> int:
    """Convert an archive into another model.

    DIR gets data/, rejects.ndjson, report.json and files.ndjson. An interrupted run is resumed by the same call. An
    s3:// prefix gets data/ alone; the rest lies below PREFIX-translate/, or where --state says. With `--out -` the rows go to
    standard output; a SOURCE `-`, standard input, is then read once, as it comes.
    """
    options: dict[str, Any] = {
        "to": to, "from_": from_, "recipe": recipe, "where": where, "since": since, "until": until, "limit": limit,
        "settings": settings, "set_": set_ or (), "mappings": mappings,
    }  # fmt: skip
    if dry_run and (add or fold):
        raise translate.UsageError("--dry-run looks at a few records only: leave out --add and --fold")
    if dry_run:
        from translate.conversion.app_ids import unmatched_of_call

        _print_preview(translate.preview(sources, erase=erase, **options), as_json=as_json)
        told_of = {name: options[name] for name in ("from_", "settings", "set_", "mappings")}
        print_slips(unmatched_of_call(sources, **told_of))
        return ExitCode.DONE
    if out is None:
        raise translate.UsageError("--out is missing: name a new or empty directory (or say --dry-run)")
    if out == PIPE:
        whole = {
            "--dedupe": dedupe, "--add": add, "--fold": fold, "--census": census, "--lake": lake,
            "--erase": erase, "--trust-folders": trust_folders, "--part-size": part_size,
            "--engine": engine != LOCAL,
        }  # fmt: skip
        refused = [name for name, asked in whole.items() if asked]
        options |= {"compression": compression, "examples": examples}
        return _stream(sources, rejects, refused, as_json=as_json, **options)
    if rejects is not None:
        raise translate.UsageError("--rejects is for --out - only: with a directory they lie in it")

    with Bar() as bar, converter(engine, master, limit=limit, erase=erase) as convert_by:
        report = convert_by(
            sources,
            out=out,
            compression=compression,
            dedupe=dedupe,
            add=add or (),
            fold=fold,
            examples=examples,
            census="verify" if verified_census else census,
            trust_folders=trust_folders,
            lake=lake,
            part_size=part_size,
            erase=erase,
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
            print_conversion(report, report.hazards_at(dt.datetime.now(dt.UTC)))
    if report.finished_already:
        print(f"translate: {out}: finished already; nothing was done", file=sys.stderr)
        return ExitCode.DONE
    print_slips(report.unmatched_app_ids())
    return _code_of(report)


def _code_of(report: dict[str, Any]) -> int:
    """Give the exit code of a run whose report has something for its caller to look at, or nothing."""
    from translate.conversion.report import flaws

    looked_at = report["events"]["rejected"] or "verdict" in report or flaws(report)
    return ExitCode.FLAWED if looked_at else ExitCode.DONE


def _stream(
    sources: list[str], rejects: Path | None, refused: list[str], *, as_json: bool, **options: Any
) -> int:
    """Write the rows to standard output, and the account to standard error."""
    if refused:
        raise translate.UsageError(
            f"{refused[0]} cannot stream: leave it out, or name a directory in place of --out -"
        )
    try:
        report = translate.stream(sources, output=sys.stdout.buffer, rejects=rejects, **options)
    except BrokenPipeError:  # whoever read has enough
        return ExitCode.DONE
    with redirect_stdout(sys.stderr):
        if as_json:
            print_json(report)
        else:
            print_stream(report, rejects)
    return _code_of(report)


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
