"""A unit's account: what is counted over its rows while they are written, put together into its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from translate import passes
from translate.archive import parquet
from translate.archive.batches import TOO_LARGE
from translate.conversion.lines_file import LinesFile
from translate.conversion.plan import FIRST, FREE_FORM, LEFT_OUT, Query
from translate.conversion.report import COUNTS, RunReport, commonest
from translate.engine.library import present
from translate.passes.sightings import hashed
from translate.recipe.tallies import TALLY, WHERE, flag
from translate.vocabulary import notation, notes
from translate.vocabulary.notation import quoted
from translate.writer.packing import ROW
from translate.writer.shape import Source
from translate.writer.writer import FILTERED, NOTES

SUMMED = ("_loss", "_finding", TALLY)
OF_REJECT = ("file", "line", "code", "message", "base64", "text")
OUTCOME = ("file", "code", FILTERED, "_duplicate", "_merged", "_added", LEFT_OUT)


class UnitAccount:
    """Takes in the rows of a unit, batch by batch, and tells what became of them; rejects go to a file of their own."""

    def __init__(self, query: Query, rejects: LinesFile, *, examples: bool) -> None:
        self._query = query
        self._rejects = rejects
        self._examples = examples
        self._outcomes: Counter[tuple[Any, ...]] = Counter()
        self._careful: Counter[tuple[Any, ...]] = Counter()
        self._nulls: Counter[tuple[Any, ...]] = Counter()
        self._flags: Counter[str] = Counter()
        self._smallest: dict[str, str] = {}
        self._notes: Counter[str] = Counter()
        self._smallest_of_notes: dict[str, str] = {}

    def add(self, batch: pl.DataFrame) -> None:
        """Take in a batch, and put its rejects away."""
        if _tells(batch["code"]):
            rejects, erasing = _rejects(batch), self._query.erasing
            told = erasing.withhold(rejects) if erasing else rejects
            self._rejects.write("".join(f"{reject}\n" for reject in told).encode())
        if batch.height:
            self._count(batch)

    def _count(self, batch: pl.DataFrame) -> None:
        first = batch.select_seq(first=FIRST).to_series()
        self._count_outcomes(batch, first)
        self._count_flags(batch, first)
        if _tells(batch[NOTES]):
            self._count_notes(batch)

    @staticmethod
    def is_written_whole(batch: pl.DataFrame) -> bool:
        """Tell whether all rows of a batch are written."""
        return not any(_tells(batch[name]) for name in ("code", FILTERED))

    def _count_outcomes(self, batch: pl.DataFrame, first: pl.Series) -> None:
        told = [name for name in OUTCOME if _tells(batch[name])]
        looked_at = batch[[*told, "careful", "nulls"]].hstack([first])
        for row, rows in looked_at.to_struct().value_counts().iter_rows():
            outcome = (*(row.get(name) for name in OUTCOME), row["first"])
            self._outcomes[outcome] += rows
            self._careful[outcome] += rows * (row["careful"] or 0)
            self._nulls[outcome] += rows * (row["nulls"] or 0)

    def _count_flags(self, batch: pl.DataFrame, first: pl.Series) -> None:
        """Count losses and findings over the rows that are written, what rules did over all; keep each loss's smallest example."""
        for column in batch.iter_columns():
            name = column.name
            if name.startswith(SUMMED):
                wrong = column & first if name.startswith(flag(WHERE, "")) else column
                if count := int(wrong.sum()):
                    self._flags[name] += count
            elif name.startswith("_example"):
                _keep_smallest(self._smallest, name, batch.select_seq(pl.col(name).min()).item())

    def _count_notes(self, batch: pl.DataFrame) -> None:
        for note, count, example in counts_of_notes(batch, self._query.source, examples=self._examples):
            self._notes[note] += count
            _keep_smallest(self._smallest_of_notes, note, example)

    def report(self) -> RunReport:
        """Put the counts into the unit's report."""
        report = RunReport()
        files: dict[str, Counter[str]] = {}
        for outcome, rows in sorted(self._outcomes.items(), key=lambda found: found[0][0]):
            told = dict(zip((*OUTCOME, "first"), outcome, strict=True))
            self._tell_outcome(report, files.setdefault(told["file"], Counter()), told, rows)
            if told["first"]:
                report.careful += self._careful[outcome]
                report.find("explicit_nulls", "explicit nulls, read as absent", self._nulls[outcome])
        for path, by_file in files.items():
            report.events.update(by_file)
            report.files.append({"path": path, **{name: by_file[name] for name in COUNTS}})
        report.left_out = {reason: commonest(names) for reason, names in report.left_out.items()}
        self._tell_flags(report)
        for text, count in self._notes.items():
            told_of = notes.read(text)
            place, example = self._query.source.shown(told_of.spot), self._smallest_of_notes.get(text)
            report.lose(place, told_of.kind, told_of.why, count, example)
        return report

    @staticmethod
    def _tell_outcome(report: RunReport, by_file: Counter[str], told: dict[str, Any], rows: int) -> None:
        outcome = _outcome(told)
        by_file[outcome] += rows
        by_file["read" if told["first"] else "added"] += rows
        if told["_added"] is not None:
            report.find(f"{told['_added']}_added", passes.ADDED[told["_added"]], rows)
        if outcome == "rejected":
            report.rejects[told["code"]] += rows
        elif outcome == "filtered":
            report.filtered[told[FILTERED]] += rows
            report.left_out.setdefault(told[FILTERED], Counter())[told[LEFT_OUT]] += rows

    def _tell_flags(self, report: RunReport) -> None:
        tallies = {name: count for name, count in self._flags.items() if name.startswith(TALLY)}
        report.tallies.update({name.removeprefix(TALLY): count for name, count in tallies.items()})
        for number, loss in enumerate(self._query.counts.losses):
            example = self._smallest.get(f"_example{number}")
            report.lose(loss.field, loss.kind, loss.why, self._flags[f"_loss{number}"], example)
        for number, finding in enumerate(self._query.counts.findings):
            report.find(finding.code, finding.message, self._flags[f"_finding{number}"])


def _tells(column: pl.Series) -> bool:
    """Tell whether a column says anything of any row."""
    return column.any() if column.dtype == pl.Boolean else column.null_count() < len(column)


def _keep_smallest(kept: dict[str, str], name: str, example: str | None) -> None:
    if example is not None:
        kept[name] = min(kept.get(name, example), example)


def _outcome(told: dict[str, Any]) -> str:
    if told["code"] is not None:
        return "rejected"
    if told["_duplicate"]:
        return "duplicates"
    if told["_merged"]:
        return "merged"
    return "written" if told[FILTERED] is None else "filtered"


# -- notes ------------------------------------------------------------------------------------------------------------


def counts_of_notes(
    rows: pl.DataFrame, source: Source, *, examples: bool = False
) -> Iterable[tuple[str, int, str | None]]:
    """Count each note of rows; with examples give the smallest value of each key among those that the rows have."""
    if not examples:
        counts = rows[NOTES].drop_nulls().explode(empty_as_null=False).value_counts()
        return ((note, count, None) for note, count in counts.iter_rows())
    each = (
        rows[[NOTES, *FREE_FORM]]
        .drop_nulls(NOTES)
        .lazy()
        .select(*FREE_FORM, note=pl.col(NOTES))
        .explode("note")
    )
    counted = each.select("note", example=pl.coalesce(_examples(source))).group_by("note")
    return (
        counted.agg(count=pl.len(), example=pl.col("example").min()).collect(engine="in-memory").iter_rows()
    )


def _examples(source: Source) -> Iterator[pl.Expr]:
    """Look a note's value up in the maps that were kept."""
    spot = notes.spots(pl.col("note")).struct
    for name in FREE_FORM:
        prefix = "" if name == "extra" else f"{source.place(name)}."
        path = pl.when(spot.field("path").str.starts_with(prefix)).then(
            spot.field("path").str.strip_prefix(prefix)
        )
        yield pl.col(name).map.get(
            pl.when(spot.field("column") == name).then(spot.field("key")).otherwise(path)
        )


# -- rejects ----------------------------------------------------------------------------------------------------------


def _rejects(batch: pl.DataFrame) -> list[str]:
    """Write the rejects of a batch as JSON texts: one by one, for a query of a few rows waits for others' work."""
    there = present(batch["code"])
    rows = pl.DataFrame([batch[name][there] for name in OF_REJECT])
    if rows.schema["text"].is_nested():
        rows = rows.with_columns_seq(parquet.text_of(rows.lazy()))
    return [_reject(row) for row in rows.iter_rows()]


def _reject(row: tuple[Any, ...]) -> str:
    file, line, code, message, is_base64, text = row
    raw = quoted({"base64": text} if is_base64 else text)
    raw = text if code == TOO_LARGE else raw  # that is JSON already
    told = {"file": file, "line": line, "code": code, "message": message}
    return f'{quoted(told)[:-1]},"raw":{raw}}}'


# -- rows that become identical ---------------------------------------------------------------------------------------


def digests_of(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Hash rows by all that the target will see of them."""
    texts = [notation.json_text(pl.col(name).cast(pl.String)).fill_null("null") for name in columns]
    text = pl.col(ROW) if columns == [ROW] else pl.concat_str(texts, separator=",")
    return rows.select(_text=text).select(hash=hashed("_text"))
