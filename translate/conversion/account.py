"""A unit's account: what is counted over its rows while they are written, put together into its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from translate import notes, passes
from translate.archive import hub_files
from translate.conversion.plan import FIRST, FREE_FORM, LEFT_OUT, WRITTEN, Query
from translate.conversion.report import COUNTS, Finding, Loss, RunReport, commonest
from translate.passes import duplicates
from translate.passes.duplicates import hashed
from translate.reader.oversize import TOO_LARGE
from translate.recipe.tallies import TALLY, WHERE, flag
from translate.vocabulary import notation
from translate.writer.packing import ROW
from translate.writer.shape import Source
from translate.writer.writer import FILTERED, NOTES


def counts(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Count rows by file and outcome.

    One grouping for all of it: beside a second one the engine would keep the whole unit in memory.
    """
    return rows.group_by(
        "file", "code", FILTERED, "_duplicate", "_merged", "_added", LEFT_OUT, first=FIRST
    ).agg(rows=pl.len(), careful=pl.col("careful").sum(), nulls=pl.col("nulls").sum())


def counts_of_flags(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Count losses and findings over the rows that are written, what rules did over all; find each loss's smallest example."""
    names = rows.collect_schema().names()
    of_selection = flag(WHERE, "")
    return rows.select(
        *(
            pl.col(name).sum()
            for name in names
            if name.startswith(("_loss", "_finding", TALLY)) and not name.startswith(of_selection)
        ),
        *((pl.col(name) & FIRST).sum() for name in names if name.startswith(of_selection)),
        *(pl.col(name).min() for name in names if name.startswith("_example")),
        _rows=pl.len(),
    )


def noted(rows: pl.LazyFrame, *, examples: bool) -> pl.LazyFrame:
    """Give the notes of keys that were lost or changed, one a row, to be written down and counted after the run."""
    given = [name for name in FREE_FORM if examples and name in rows.collect_schema()]
    return rows.filter(pl.col(NOTES).is_not_null()).select(*given, note=pl.col(NOTES)).explode("note")


def counts_of_notes(noted_rows: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    """Count each note; where the values were kept for examples, give the smallest one of each key."""
    given = [name for name in FREE_FORM if name in noted_rows.collect_schema()]
    example = pl.coalesce(_examples(given, source)) if given else pl.lit(None, pl.String)
    return (
        noted_rows.select("note", example=example)
        .group_by("note")
        .agg(count=pl.len(), example=pl.col("example").min())
    )


def _examples(given: list[str], source: Source) -> Iterator[pl.Expr]:
    """Look a note's value up in the maps that were kept."""
    spot = notes.spots(pl.col("note")).struct
    for name in given:
        prefix = "" if name == "extra" else f"{source.place(name)}."
        path = pl.when(spot.field("path").str.starts_with(prefix)).then(
            spot.field("path").str.strip_prefix(prefix)
        )
        yield pl.col(name).map.get(
            pl.when(spot.field("column") == name).then(spot.field("key")).otherwise(path)
        )


def rejects(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Write the rejects as JSON lines, in the order of the source."""
    text = hub_files.text_of(rows)
    raw = (
        pl.when(pl.col("code") == TOO_LARGE)
        .then(text)
        .when(pl.col("base64"))
        .then(pl.concat_str(pl.lit('{"base64":'), notation.json_text(text), pl.lit("}")))
        .otherwise(notation.json_text(text))
    )
    line = pl.concat_str(
        pl.lit('{"file":'), notation.json_text(pl.col("file")),
        pl.lit(',"line":'), pl.col("line").cast(pl.String),
        pl.lit(',"code":'), notation.json_text(pl.col("code")),
        pl.lit(',"message":'), notation.json_text(pl.col("message")),
        pl.lit(',"raw":'), raw, pl.lit("}"),
    )  # fmt: skip
    return rows.filter(pl.col("code").is_not_null()).select(reject=line)


def put_together(
    query: Query, counted: pl.DataFrame, flags: pl.DataFrame, noted_rows: pl.DataFrame
) -> RunReport:
    """Put a unit's counts into its report."""
    report = RunReport()
    files: dict[str, Counter[str]] = {}
    for row in counted.sort("file").iter_rows(named=True):
        outcome = _outcome(row)
        by_file = files.setdefault(row["file"], Counter())
        by_file[outcome] += row["rows"]
        by_file["read" if row["first"] else "added"] += row["rows"]
        if row["_added"] is not None:
            report.find(f"{row['_added']}_added", passes.ADDED[row["_added"]], row["rows"])
        if outcome == "rejected":
            report.rejects[row["code"]] += row["rows"]
        elif outcome == "filtered":
            report.filtered[row[FILTERED]] += row["rows"]
            report.left_out.setdefault(row[FILTERED], Counter())[row[LEFT_OUT]] += row["rows"]
        if row["first"]:
            report.careful += row["careful"]
            report.find("explicit_nulls", "explicit nulls, read as absent", row["nulls"] or 0)
    for path, by_file in files.items():
        report.events.update(by_file)
        report.files.append({"path": path, **{name: by_file[name] for name in COUNTS}})
    report.left_out = {reason: commonest(names) for reason, names in report.left_out.items()}
    _count_flags(report, query, flags)
    for text, count, example in noted_rows.iter_rows():
        told = notes.read(text)
        report.lose(query.source.shown(told.spot), told.kind, told.why, count, example)
    return report


def _outcome(row: dict[str, Any]) -> str:
    if row["code"] is not None:
        return "rejected"
    if row["_duplicate"]:
        return "duplicates"
    if row["_merged"]:
        return "merged"
    return "written" if row[FILTERED] is None else "filtered"


def _count_flags(report: RunReport, query: Query, flags: pl.DataFrame) -> None:
    counts: dict[str, Any] = flags.row(0, named=True)
    report.tallies.update(
        {
            name.removeprefix(TALLY): count
            for name, count in counts.items()
            if name.startswith(TALLY) and count
        }
    )
    losses: list[Loss] = query.counts.losses
    findings: list[Finding] = query.counts.findings
    for number, loss in enumerate(losses):
        report.lose(
            loss.field,
            loss.kind,
            loss.why,
            int(counts[f"_loss{number}"] or 0),
            counts.get(f"_example{number}"),
        )
    for number, finding in enumerate(findings):
        report.find(finding.code, finding.message, int(counts[f"_finding{number}"] or 0))


def row_digests(query: Query) -> pl.LazyFrame:
    """Hash the rows that are written, by all that the target will see of them."""
    if query.columns == [ROW]:
        return query.rows.select(hash=hashed(ROW).filter(WRITTEN))
    columns = [notation.json_text(pl.col(name).cast(pl.String)).fill_null("null") for name in query.columns]
    text = query.rows.with_columns(_text=pl.concat_str(columns, separator=","))
    return text.select(hash=hashed("_text").filter(WRITTEN))


def count_identical(files: Iterable[Path], rows: int) -> int:
    """Count the rows that are identical to an earlier one."""
    found = list(files)
    if not found:
        return 0
    hashes = pl.scan_parquet(found)
    distinct: int = sum(
        bucket.select(pl.col("hash").n_unique()).collect(engine="streaming").item()
        for _, bucket in duplicates.buckets(hashes, "hash", duplicates.BUCKET_ROWS)
    )
    return rows - distinct
