"""The command line: parse, call, print. Whatever it does is a call of the front door."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer  # noqa: TID251

import translate
from translate.errors import ExitCode, MappingError, TranslateError
from translate.progress import Bar

app = typer.Typer(
    name="translate",
    help="Converts event archives between Amazon Mobile Analytics, Pinpoint, Clickstream, Learning Context and Personalize.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
SHOWN_MAX = 12
LOSS_KINDS = ("cannot", "not_mapped", "on_purpose", "changed")
ADD_HELP = (
    "For Clickstream, before the recipe: first_open (an event at each client's earliest), session_number (counted where "
    "missing), profile_set (an event where a user's properties change); reads the source twice."
)
FOLD_HELP = (
    "Make one event with a duration of the START and the END of a session, before the recipe; reads the source twice, "
    "and needs disk for the ENDs."
)
CENSUS_HELP = (
    "Account for each key of the source in DIR/keys.ndjson, against a count in the raw text; only for JSON of one event a "
    "record; the run takes 8 to 10 times as long."
)
UNFOLDED = 10_000  # where there is no terminal, tables are not folded

Sources = Annotated[list[str], typer.Argument(metavar="SOURCE", help="File, folder (read recursively), glob, or s3:// URL of these.")]
From = Annotated[str | None, typer.Option("--from", metavar="MODEL[/LAYOUT]", help="What the source is; recognised if not said.")]
Recipe = Annotated[str | None, typer.Option("--recipe", metavar="FILE", help="Recipe: a file, or the name of a shipped one, e.g. ecommerce-to-personalize.")]
Where = Annotated[str | None, typer.Option("--where", metavar="SQL", help='Take only events for which this is true, e.g. "name = \'purchase\'".')]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Take only events from this time on; UTC if it names no zone.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Take only events before this time.")]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", help="Stop after so many events.")]
SettingsFile = Annotated[Path | None, typer.Option("--settings", metavar="FILE", help="Settings, in TOML.")]
Assignments = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting, e.g. app_ids.OLD=new; as often as needed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def main() -> NoReturn:
    """Run the command line and leave with the exit code of the contract."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = app(standalone_mode=False)
        if code == ExitCode.INTERRUPTED:  # what the parser makes of Ctrl-C
            raise KeyboardInterrupt
        raise SystemExit(code if isinstance(code, int) else ExitCode.DONE)
    except MappingError as error:
        _complain(error)
        raise SystemExit(error.exit_code) from None
    except TranslateError as error:
        print(f"translate: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except (KeyboardInterrupt, typer.Abort):
        print("translate: interrupted; repeat the call to resume it", file=sys.stderr)
        raise SystemExit(ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(ExitCode.DONE) from None
    except Exception as error:
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        raise SystemExit(ExitCode.USAGE) from None


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(error: MappingError) -> None:
    for complaint in error.complaints[:SHOWN_MAX]:
        print(f"translate: {complaint}", file=sys.stderr)
    if len(error.complaints) > SHOWN_MAX:
        print(f"translate: and {len(error.complaints) - SHOWN_MAX} more", file=sys.stderr)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"translate {translate.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    del version


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models, their layouts, and what each can read and write."""
    layouts = translate.models()
    if as_json:
        print(json.dumps(layouts.to_dicts(), indent=2))
        return
    lines = [("layout", "read", "write", "about")]
    for row in layouts.iter_rows(named=True):
        marks = ["yes" if row[name] else "-" for name in ("read", "write")]
        default = " (default)" if row["default"] else ""
        lines.append((f"{row['model']}/{row['layout']}{default}", *marks, row["about"]))
    _print_columns(lines)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Mappings and recipes.")], as_json: AsJson = False
) -> int:
    """Check mappings and recipes completely, and run the tests inside them."""
    results = []
    for file in files:
        try:
            checked = translate.check(file)
            complaints, tests = checked.complaints, checked.tests
        except MappingError as error:
            complaints, tests = error.complaints, 0
        results.append({"file": str(file), "tests": tests, "complaints": [str(complaint) for complaint in complaints]})
    if as_json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
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
def explain(
    from_: Annotated[str, typer.Option("--from", metavar="MODEL[/LAYOUT]", help="What the source is; `hub` too.")],
    to: Annotated[str, typer.Option("--to", metavar="MODEL[/LAYOUT]", help="What would be written.")],
    recipe: Recipe = None,
    settings: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings, in TOML.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting, e.g. app_ids.OLD=new; as often as needed.")] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a runbook.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell where each field of a target comes from, by which conversion, and what of the source has no place."""
    if as_json and as_markdown:
        raise translate.UsageError("--json and --markdown: say one of them")
    explained = translate.explain(from_=from_, to=to, recipe=recipe, settings=settings, set_=set_ or ())
    with _whoever_listens():
        if as_json:
            print(json.dumps(explained.to_json(), indent=2, ensure_ascii=False))
        elif as_markdown:
            print(explained.to_markdown(), end="")
        else:
            print(explained.to_text(shutil.get_terminal_size((UNFOLDED, 24)).columns), end="")


@app.command()
def convert(
    sources: Sources,
    to: Annotated[str, typer.Option("--to", metavar="MODEL[/LAYOUT]", help="What to write; `hub` is Parquet of the events.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Target directory: new, empty, or of an unfinished run.")] = None,
    from_: From = None,
    recipe: Recipe = None,
    where: Where = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    settings: SettingsFile = None,
    set_: Assignments = None,
    compression: Annotated[str, typer.Option(metavar="none|gzip|zstd", help="How to compress what is written.")] = "none",
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Remove events of the same id; reads the source twice.")] = False,
    add: Annotated[str | None, typer.Option(metavar="NAME,...", help=ADD_HELP)] = None,
    fold: Annotated[bool, typer.Option("--fold", help=FOLD_HELP)] = False,
    examples: Annotated[bool, typer.Option("--examples", help="Put a value into the report for each loss.")] = False,
    census: Annotated[bool, typer.Option("--census", help=CENSUS_HELP)] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the first 5 records, or --limit, before and after; write nothing.")] = False,
    as_json: AsJson = False,
) -> int:
    """Convert an archive into another model.

    DIR gets data/, rejects.ndjson, report.json and files.ndjson. An interrupted run is resumed by the same call.
    """
    options: dict[str, Any] = {
        "to": to, "from_": from_, "recipe": recipe, "where": where, "since": since, "until": until, "limit": limit,
        "settings": settings, "set_": set_ or (),
    }  # fmt: skip
    if dry_run and (add or fold):
        raise translate.UsageError("--dry-run looks at a few records only: leave out --add and --fold")
    if dry_run:
        _print_preview(translate.preview(sources, **options), as_json=as_json)
        return ExitCode.DONE
    if out is None:
        raise translate.UsageError("--out is missing: name a new or empty directory (or say --dry-run)")
    with Bar() as bar:
        report = translate.convert(
            sources, out=out, compression=compression, dedupe=dedupe, add=add or (), fold=fold, examples=examples, census=census,
            progress=bar.show, **options,
        )
    with _whoever_listens():
        if as_json:
            print(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            _print_report(report, out)
    return ExitCode.FLAWED if report["events"]["rejected"] else ExitCode.DONE


@app.command()
def roundtrip(
    sources: Sources,
    via: Annotated[str, typer.Option("--via", metavar="MODEL[/LAYOUT]", help="The model to go through.")],
    from_: From = None,
    where: Where = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    settings: SettingsFile = None,
    set_: Assignments = None,
    examples: Annotated[bool, typer.Option("--examples", help="Show the values of undeclared differences.")] = False,
    as_json: AsJson = False,
) -> int:
    """Take events through another model and home again, and list every difference.

    A difference is declared by a mapping, with its reason, or it is a fault. The exit code is 1 if there is a fault, or a
    record that cannot be read.
    """
    report = translate.roundtrip(
        sources, via=via, from_=from_, where=where, since=since, until=until, limit=limit, settings=settings,
        set_=set_ or (), examples=examples,
    )  # fmt: skip
    with _whoever_listens():
        if as_json:
            print(json.dumps(report, indent=2, ensure_ascii=False, default=str))
        else:
            _print_roundtrip(report)
    return ExitCode.FLAWED if report["undeclared"] or report["events"]["unreadable"] else ExitCode.DONE


def _print_roundtrip(report: dict[str, Any]) -> None:
    print(f"{report['from']} -> {report['via']} -> {report['from']}")
    for name, count in report["events"].items():
        if count or name in ("read", "returned"):
            print(f"{name:<10}{count:>14,}")
    refused = [{"why": why, "events": count} for why, count in report["refused"].items()]
    _print_list("not carried", refused, lambda entry: entry["why"], rest="with --json")
    _print_list("declared", report["differences"], lambda entry: f"{entry['field']}: {_declared(entry['why'])}", rest="with --json")
    _print_list("UNDECLARED", report["undeclared"], _undeclared, rest="with --json")
    if report["events"]["unreadable"]:
        print("unreadable records: convert tells which and why")
    if not report["undeclared"]:
        print("no undeclared difference")


@app.command()
def validate(
    sources: Sources,
    as_: Annotated[str | None, typer.Option("--as", metavar="MODEL[/LAYOUT]", help="Whose limits to judge by; recognised if not said.")] = None,
    where: Where = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    settings: SettingsFile = None,
    set_: Assignments = None,
    examples: Annotated[bool, typer.Option("--examples", help="Show the first record that does not keep each limit.")] = False,
    as_json: AsJson = False,
) -> int:
    """Judge rows against their model's limits, documented and observed; nothing is changed.

    The exit code is 1 if the receiver would refuse or drop a row.
    """
    with Bar() as bar:
        result = translate.validate(
            sources, as_=as_, where=where, since=since, until=until, limit=limit, settings=settings, set_=set_ or (),
            examples=examples, progress=bar.show,
        )  # fmt: skip
    with _whoever_listens():
        if as_json:
            print(json.dumps(result, indent=2, ensure_ascii=False))
        else:
            _print_validation(result)
    return ExitCode.FLAWED if result["events"]["refused"] else ExitCode.DONE


def _print_validation(result: dict[str, Any]) -> None:
    files = result["inputs"]["files"]
    print(f"{result['as']}: {files:,} file{'s' if files != 1 else ''}, {result['inputs']['bytes']:,} bytes")
    for name, count in result["events"].items():
        if count or name in ("read", "breached"):
            print(f"{name:<10}{count:>14,}")
    for title, observed in (("documented", False), ("observed, and not documented", True)):
        breaches = [breach for breach in result["breaches"] if breach["observed"] == observed]
        if breaches:
            print(f"{title}:")
        for breach in breaches:
            _print_breach(breach)
    if result["archive"]:
        print("over the whole archive:")
        for finding in result["archive"]:
            print(f"{'':>24}  {finding['message']}")
            print(f"{'':>24}  by {finding['source']}")
    if not result["breaches"] and not result["archive"]:
        print("every limit is kept")


def _print_breach(breach: dict[str, Any]) -> None:
    requests = f", in {breach['requests']:,} request{'s' if breach['requests'] != 1 else ''}" if "requests" in breach else ""
    first = breach["examples"][0]
    print(f"{breach['events']:>14,}  {'refused' if breach['hard'] else 'advice ':<8}  {_printable(breach['message'])}{requests}")
    print(f"{'':>24}  by {breach['source']}")
    print(f"{'':>24}  first in {_printable(first['file'])}:{first['line']}")
    for name in ("message", "text"):
        if name in first:
            print(f"{'':>24}  {_printable(first[name])}")


def _declared(why: str) -> str:
    """Spell a reason as the account of a conversion does: the kind of loss, a comma, why."""
    kind, colon, reason = why.partition(": ")
    return f"{kind}, {reason}" if colon and kind in LOSS_KINDS else why


def _undeclared(entry: dict[str, Any]) -> str:
    first = entry["examples"][0] if entry["examples"] else {}
    where = f", first in {first['file']}:{first['line']}" if first else ""
    values = f" ({first['before']!r} came back as {first['after']!r})" if "before" in first else ""
    return f"{entry['field']}{where}{values}"


@contextlib.contextmanager
def _whoever_listens() -> Iterator[None]:
    """Print for as long as somebody reads: `| head` is no failure of the run."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_columns(lines: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_preview(shown: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(shown, indent=2, ensure_ascii=False))
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


def _print_report(report: dict[str, Any], out: Path) -> None:
    counts, files = report["events"], report["inputs"]["files"]
    print(f"{report['from']} -> {report['to']}: {files:,} file{'s' if files != 1 else ''}, {report['inputs']['bytes']:,} bytes")
    for name in ("read", "added", "written", "rejected", "filtered", "duplicates", "merged"):
        if counts[name] or name in ("read", "written"):
            print(f"{name:<10}{counts[name]:>14,}  {_reasons(report, name)}".rstrip())
    _print_list("lost or changed", report["losses"], lambda loss: f"{loss['field']}: {loss['kind']}, {loss['why']}{_example(loss)}")
    _print_list("to know", report["findings"], lambda finding: f"{finding['message']}")
    if counts["rejected"]:
        print(f"rejected records: {out / 'rejects.ndjson'}; the first: {_first_reject(out)}")
    if "keys" in report:
        print(f"keys: {out / 'keys.ndjson'}")
    print(f"report: {out / 'report.json'}")


def _first_reject(out: Path) -> str:
    with (out / "rejects.ndjson").open(encoding="utf-8") as rejects:
        return _printable(json.loads(rejects.readline())["message"])


def _reasons(report: dict[str, Any], name: str) -> str:
    reasons = {"rejected": report["rejects"], "filtered": report["filtered"]}.get(name, {})
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: -item[1]))


def _example(loss: dict[str, Any]) -> str:
    return f", for example {loss['example']}" if "example" in loss else ""


def _printable(text: str) -> str:
    """Spell control characters out, so that no key of an archive steers the terminal."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)


def _print_list(
    title: str, entries: list[dict[str, Any]], text: Callable[[dict[str, Any]], str], rest: str = "in the report"
) -> None:
    if not entries:
        return
    print(f"{title}:")
    for entry in sorted(entries, key=lambda entry: -entry["events"])[:SHOWN_MAX]:
        print(f"{entry['events']:>24,}  {_printable(text(entry))}")
    if len(entries) > SHOWN_MAX:
        print(f"{'':>24}  and {len(entries) - SHOWN_MAX} more {rest}")
