"""The command `convert`: into a directory, into a store, to standard output, or a few records before and after; on a cluster too."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

import translate
from translate.archive.stored import PIPE
from translate.cli import app
from translate.cli.account import print_conversion, print_stream
from translate.cli.options import (
    AsJson,
    Erase,
    From,
    Group,
    Recipe,
    Selection,
    Settings,
    Sources,
    layout_option,
    reaching_stores,
    said,
    switch,
)
from translate.cli.printing import Bar, print_json, print_slips, tell, whoever_listens
from translate.errors import ExitCode

if TYPE_CHECKING:
    from translate.conversion.converting import Converted, Preview

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
SORT_HELP = (
    "Put rows in the order that their receiver wants over all files, where its sheet says one (see explain); needs disk for "
    "all of them three times."
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
    "own. With --census=verify a scanner apart from the engine counts, and the run takes 10 to 20 times as long."
)
CENSUS_SAID, CENSUS_TAKEN = "--census=verify", "--verified-census"
PART_SIZE_HELP = (
    "How much of the source becomes a part of the output, 64MB unless said: small files together, stretches of "
    "large ones that are not compressed; a run is resumed part by part."
)
WORKERS_HELP = (
    "How many processes make parts, each with its share of the cores; what they write is the same for any number. "
    "With --limit one process works, and with numbered requests unless there are three or more."
)
ENGINE_HELP = (
    "Who makes the parts: this machine, or the executors of Spark (which the extra `spark` installs), to the same bytes; "
    "--out has to be reached from all of them."
)
REJECTS_HELP = "Where rejects go with --out -: a new file; else they are counted only."
DRY_RUN_HELP = "Show the first 5 records, or as many as --limit says, before and after; write nothing."
MASTER_HELP = "Spark's master; else the one it was submitted to, or local[*]."
LOCAL = "local"
Master = Annotated[str | None, said("--master", "URL", MASTER_HELP)]

PASSES = Group({
    "dedupe": (bool, switch("--dedupe", "Remove events of the same id; reads the source twice."), False),
    "add": (list[str], said("--add", "NAME,...", ADD_HELP), ()),
    "fold": (bool, switch("--fold", FOLD_HELP), False),
    "lake": (bool, switch("--lake", LAKE_HELP), False),
    "sort": (bool, switch("--sort", SORT_HELP), False),
    "trust_folders": (float | None, said("--trust-folders", "DAYS", TRUST_HELP), None),
})  # fmt: skip
STORED = Group({
    "state": (str | None, said("--state", "DIR", STATE_HELP), None),
    "sse": (str | None, said("--sse", "AES256|aws:kms", "S3: how what is written is encrypted there."), None),
    "sse_kms_key_id": (str | None, said("--sse-kms-key-id", "ID", "S3: the key, with --sse aws:kms."), None),
    "part_size": (str | None, said("--part-size", "SIZE", PART_SIZE_HELP), None),
})  # fmt: skip
# What needs the whole archive, or a directory, in the order in which it is refused.
NOT_STREAMED = (
    "dedupe", "add", "fold", "census", "lake", "sort", "trust_folders", "part_size", "workers",
    "state", "sse", "sse_kms_key_id",
)  # fmt: skip


class WithCensus(TyperCommand):
    """A command whose flag may say more: no parser takes an option both with a value and without."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the flag with what it says as another one."""
        return super().parse_args(ctx, [CENSUS_TAKEN if word == CENSUS_SAID else word for word in args])


@app.command(cls=WithCensus)
@reaching_stores
def convert(
    sources: Sources,
    *,
    to: Annotated[str, layout_option("--to", "What to write; `hub` is Parquet of the events.")],
    out: Annotated[str | None, said("--out", "DIR", OUT_HELP)] = None,
    rejects: Annotated[Path | None, said("--rejects", "FILE", REJECTS_HELP)] = None,
    from_: From = None,
    recipe: Recipe = None,
    selection: Selection,
    erase: Erase = None,
    settings: Settings,
    compression: Annotated[
        str, said("--compression", "none|gzip|zstd", "How to compress what is written.")
    ] = "none",
    passes: Annotated[dict[str, Any], PASSES],
    examples: Annotated[bool, switch("--examples", "Put a value into the report for each loss.")] = False,
    census: Annotated[bool, switch("--census", CENSUS_HELP)] = False,
    verified_census: Annotated[bool, typer.Option(CENSUS_TAKEN, hidden=True)] = False,
    dry_run: Annotated[bool, switch("--dry-run", DRY_RUN_HELP)] = False,
    stored: Annotated[dict[str, Any], STORED],
    workers: Annotated[int | None, said("--workers", "N", WORKERS_HELP)] = None,
    engine: Annotated[str, said("--engine", "local|spark", ENGINE_HELP)] = LOCAL,
    master: Master = None,
    as_json: AsJson = False,
) -> int:
    """Convert an archive into another model.

    DIR gets data/, rejects.ndjson, report.json and files.ndjson. An interrupted run is resumed by the same call. An
    s3:// prefix gets data/ alone; the rest lies below PREFIX-translate/, or where --state says. With `--out -` the rows go to
    standard output; a SOURCE `-`, standard input, is then read once, as it comes.
    """
    options: dict[str, Any] = {"to": to, "from_": from_, "recipe": recipe, **selection, **settings}
    if dry_run and (passes["add"] or passes["fold"]):
        raise translate.UsageError("--dry-run looks at a few records only: leave out --add and --fold")
    if dry_run:
        from translate.conversion.nothing import app_ids_unmatched_of_call

        shown = translate.preview(sources, erase=erase, **options)
        _print_preview(shown, as_json=as_json)
        print_slips([shown.verdict] if shown.verdict else [])
        print_slips(app_ids_unmatched_of_call(sources, from_=from_, **settings))
        return ExitCode.DONE
    if out is None:
        raise translate.UsageError("--out is missing: name a new or empty directory (or say --dry-run)")
    if out == PIPE:
        given = {**passes, **stored, "census": census, "workers": workers}
        refused = [f"--{name.replace('_', '-')}" for name in NOT_STREAMED if given[name]]
        refused += ["--engine"] if engine != LOCAL else []
        options |= {"compression": compression, "examples": examples, "erase": erase}
        return _stream(sources, rejects, refused, as_json=as_json, **options)
    if rejects is not None:
        raise translate.UsageError("--rejects is for --out - only: with a directory they lie in it")

    asked = {"workers": workers, "limit": selection["limit"]}
    with Bar() as bar, converter(engine, master, **asked) as convert_by:
        report = convert_by(
            sources, out=out, compression=compression, examples=examples, erase=erase,
            census="verify" if verified_census else census, progress=bar.show, **passes, **stored, **options,
        )  # fmt: skip
    now = dt.datetime.now(dt.UTC)
    tell(report, lambda: print_conversion(report, report.hazards_at(now)), as_json=as_json)
    if report.finished_already:
        print(f"translate: {out}: finished already; nothing was done", file=sys.stderr)
        return ExitCode.DONE
    print_slips(report.unmatched_app_ids())
    return _code_of(report)


def _code_of(report: dict[str, Any]) -> int:
    """Give the exit code of a run whose report has something for its caller to look at, or nothing."""
    from translate.vocabulary.notes import flaws

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
    if sys.__stdout__ is None:
        raise translate.UsageError("--out -: standard output is closed; open it, or name a directory")
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


def _print_preview(shown: Preview, *, as_json: bool) -> None:
    with whoever_listens():
        if as_json:
            print_json(shown)
        elif shown:
            print(shown.to_text())


@contextlib.contextmanager
def converter(
    engine: str, master: str | None, *, workers: int | None, **asked: Any
) -> Iterator[Callable[..., Converted]]:
    """Give the call that converts, by this machine or by a cluster; raise UsageError for what neither does."""
    if engine == "spark":
        from translate import spark
        from translate.spark.cluster import session_of

        spark.refuse_by_name(**asked)
        if workers is not None:
            raise translate.UsageError(
                "--workers is for this machine: with --engine spark its executors work"
            )
        with session_of(master) as session:
            yield partial(spark.convert, session)
        return
    if engine != LOCAL:
        raise translate.UsageError(f"--engine {engine}: is none (one of: {LOCAL}, spark)")
    if master is not None:
        raise translate.UsageError("--master is for --engine spark")
    yield partial(translate.convert, workers=workers)


@app.command("spark-check")
def check_of_cluster(master: Master = None, as_json: AsJson = False) -> int:
    """Tell versions, engine and platform of the driver and the executors of a cluster."""
    from translate.spark.cluster import differences, session_of, spark_check

    with session_of(master) as session:
        members = spark_check(session)
    different = differences(members)
    if as_json:
        answers = [{"role": member.role, **member.told} for member in members]
        print_json({"members": answers, "differences": different})
    else:
        for member in members:
            print(member.role)
            for name, told in member.told.items():
                print(f"  {name:<10}{told}")
        print("\n".join(different) or "all would make the same parts")
    return ExitCode.FLAWED if different else ExitCode.DONE
