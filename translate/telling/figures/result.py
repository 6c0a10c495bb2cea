"""The answer of `parity`: figures on both sides, each difference explained or flagged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from translate.conversion.naming import Meeting
from translate.wording.rendering import Report, printable
from translate.wording.terminal import Paper, columns

SCHEMA = {
    "figure": pl.String, "key": pl.String, "source": pl.Float64, "target": pl.Float64, "difference": pl.Float64,
    "explanation": pl.String, "explained": pl.Boolean,
}  # fmt: skip
SHOWN_MAX = 12
CAUSES_MAX = 40
MONEY, SHARE = "revenue", "retention"


@dataclass(frozen=True, repr=False)
class Parity:
    """Figures of a source and a target, compared.

    `frame` has a row for each `figure` and `key` (a day, a month, a day and a type or a currency): `source`, `target`,
    `difference`, `explanation` and `explained`; a figure that a side does not have is 0 there, or null where that would
    be a statement (means and shares). `causes` counts by `figure` and `cause` the rows that differ for it, `about` says what
    each figure is, `report` tells whether the run's own report was at hand; `beyond` what the
    target's dashboards show that its rows alone do not tell, `merged` which event types are one in the target,
    `renamed` which have another name there: such a type is one row, under both names.
    """

    source: str
    target: str
    frame: pl.DataFrame
    causes: tuple[dict[str, Any], ...] = ()
    about: dict[str, str] = field(default_factory=dict)
    report: bool = False
    beyond: tuple[str, ...] = ()
    merged: tuple[Meeting, ...] = ()
    renamed: tuple[str, ...] = ()

    @property
    def unexplained(self) -> int:
        """Count the differences that nothing explains."""
        return int((~self.frame["explained"]).sum())

    def __repr__(self) -> str:
        return f"<Parity {self.source} -> {self.target}: {self._verdict}>"

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        """Show the tables in a notebook."""
        return self.to_html()

    def to_html(self) -> str:
        """Give the tables as a piece of HTML that needs no style sheet, script or network."""
        return self._tables().to_html()

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "from": self.source,
            "to": self.target,
            "report": self.report,
            "unexplained": self.unexplained,
            "summary": [*self._summary()],
            "causes": [*self.causes],
            "merged": [{"written": meeting.written, "names": [*meeting.names], "events": meeting.events, "text": meeting.text} for meeting in self.merged],
            "renamed": [*self.renamed],
            "about": self.about,
            "not_compared": [*self.beyond],
            "figures": [{**row, "source": _plain(row["source"]), "target": _plain(row["target"]), "difference": _plain(row["difference"])}
                        for row in self.frame.iter_rows(named=True)],
        }  # fmt: skip

    def to_text(self, shown_max: int = SHOWN_MAX, *, width: int | None = None, colour: bool = False) -> str:
        """Write the tables for a terminal of so many characters, at most so many rows of each."""
        paper = Paper(width, colour)
        lines = [f"{self.source} -> {self.target}", ""]
        summary = [(row["figure"], *(f"{row[name]:,}" for name in _COUNTED)) for row in self._summary()]
        lines += columns([("figure", *_COUNTED), *summary], paper, head=True)
        if self.causes:
            told = [(each["figure"], f"{each['rows']:,}", printable(each["cause"])) for each in self.causes]
            shown = columns([("figure", "rows", "cause"), *told[:CAUSES_MAX]], paper, wrapped=(2,), head=True)
            lines += ["", paper.styled("why they differ:", "bold"), *shown, *_more(len(told), CAUSES_MAX)]
        if self.merged:
            texts = _wrapped([meeting.text for meeting in self.merged[:CAUSES_MAX]], paper)
            title = paper.styled("one type for the target:", "bold")
            lines += ["", title, *texts, *_more(len(self.merged), CAUSES_MAX)]
        if self.renamed:
            lines += ["", paper.styled("other names for the target:", "bold"), *_wrapped(self.renamed, paper)]
        kinds = (("UNEXPLAINED", "red", False), ("explained, for example", "bold", True))
        for title, style, explained in kinds:
            rows = self._rows(explained=explained)
            if rows.height:
                cells = [_HEAD, *map(_cells, rows.head(shown_max).iter_rows(named=True))]
                lines += ["", paper.styled(f"{title}:", style)]
                lines += columns(cells, paper, wrapped=(1, 4), head=True)
            lines += _more(rows.height, shown_max)
        if self.beyond:
            title = "the dashboards show more, which rows alone do not tell:"
            lines += ["", title, *_wrapped(self.beyond, paper)]
        verdict = paper.styled(self._verdict, "red" if self.unexplained else "green")
        return "\n".join([*lines, "", verdict]) + "\n"

    @property
    def _verdict(self) -> str:
        count = self.unexplained
        if count:
            return f"{count:,} difference{'s' if count != 1 else ''} that nothing explains"
        return "every difference is explained" if self._rows(explained=True).height else "no difference"

    def _rows(self, *, explained: bool) -> pl.DataFrame:
        """Give the differences of one kind, the heaviest of each figure first, the figures taking turns."""
        differs = pl.col("explanation") != ""
        chosen = self.frame.filter(differs & (pl.col("explained") == explained))
        rows = chosen.with_columns(_order=pl.int_range(pl.len()))
        turn = pl.col("difference").abs().fill_null(0).rank("ordinal", descending=True).over("figure")
        return rows.with_columns(_turn=turn).sort("_turn", "_order").drop("_turn", "_order")

    def _summary(self) -> Iterator[dict[str, Any]]:
        """Count each figure's rows: the same on both sides, explained, unexplained."""
        for (name,), rows in self.frame.group_by("figure", maintain_order=True):
            differs = rows["explanation"] != ""
            explained = rows["explained"]
            yield {"figure": name, "rows": rows.height, "the same": int((~differs & explained).sum()),
                   "explained": int((differs & explained).sum()), "unexplained": int((~explained).sum())}  # fmt: skip

    def _tables(self) -> Report:
        named = [name for name in SCHEMA if name != "explained"]

        def differences(*, explained: bool) -> list[dict[str, Any]]:
            rows = self._rows(explained=explained).iter_rows(named=True)
            return [{name: _as_shown(row, name) for name in named} for row in rows]

        values: dict[str, Any] = {
            "from": self.source,
            "to": self.target,
            "verdict": self._verdict,
            "figures": [*self._summary()],
            "why_they_differ": [*self.causes],
            "one_type_for_the_target": [{"events": each.events, "text": each.text} for each in self.merged],
            "differences_that_nothing_explains": differences(explained=False),
            "explained_differences": differences(explained=True),
            "other_names_for_the_target": [*self.renamed],
            "not_compared": [*self.beyond],
        }
        return Report({name: value for name, value in values.items() if value})


_COUNTED = ("rows", "the same", "explained", "unexplained")
_HEAD = ("figure", "of", "source", "target", "explanation")


def _wrapped(sentences: Sequence[str], paper: Paper) -> list[str]:
    return [*columns([(printable(sentence),) for sentence in sentences], paper, wrapped=(0,))]


def _plain(value: Any) -> Any:
    """Give whole numbers as such."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_shown(row: dict[str, Any], name: str) -> Any:
    """Give a cell of a table in a notebook: money and shares as such, any other number as one."""
    if row["figure"] in (MONEY, SHARE) and isinstance(row[name], float):
        return shown(row["figure"], row[name])
    return _plain(row[name])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    sides = (shown(row["figure"], row[name]) for name in ("source", "target"))
    return row["figure"], printable(row["key"]), *sides, printable(row["explanation"])


def _more(count: int, most: int) -> list[str]:
    return [f"and {count - most:,} more with --json"] if count > most else []


def shown(figure: str, value: float | None) -> str:
    """Write a figure as what it is: money with its cents, a share in per cent, any other as a number."""
    if value is None:
        return "-"
    if figure == MONEY:
        return f"{value:,.2f}"
    return f"{value:.1%}" if figure == SHARE else f"{_plain(value):,}"
