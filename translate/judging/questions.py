"""All that the rows of a layout may be wrong in: its limits and checks, each with the rows that do not keep it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from translate.conversion.report import RECEIVER_CHANGES
from translate.judging import requests
from translate.judging.judges import judged
from translate.judging.members import Look, with_looks
from translate.judging.rows import Rows
from translate.judging.seldom import Seldom, with_seldom
from translate.mapping.checks import WORDS
from translate.mapping.spec import Limit
from translate.reader.tree import is_read
from translate.settings import Settings


@dataclass(frozen=True)
class Question:
    """Something that a row may be wrong in, in which rows it is, and what to say about them."""

    limit: Limit
    wrong: pl.Expr
    message: str

    @property
    def code(self) -> str:
        """Tell by what a row is rejected for it."""
        return WORDS[self.limit.judge].code if self.limit.judge in WORDS else "over_limit"

    @property
    def told_as(self) -> str:
        """Tell by which code a row is told of that is taken all the same."""
        return RECEIVER_CHANGES if self.limit.alters else "over_advice"

    @property
    def cited(self) -> str:
        """Say it with what comes of it, and who says so."""
        altered = f": the receiver {self.limit.alters}" if self.limit.alters else ""
        return f"{self.message}{altered} ({self.limit.source})"


class Judge:
    """Judges rows, written or read; never changes them."""

    def __init__(self, rows: Rows, needs: Iterable[Question] = ()) -> None:
        self._rows = rows
        self._looks: dict[str, Look] = {}
        self._seldom: dict[str, Seldom] = {}
        self.questions = [*needs]
        self.questions += [
            Question(limit, self._flag(wrong), limit.says or message)
            for limit in [*rows.layout.limits.values(), *rows.layout.checks.values()]
            for wrong, message in judged(limit, rows)
        ]

    def _flag(self, wrong: pl.Expr | Look | Seldom) -> pl.Expr:
        if isinstance(wrong, pl.Expr):
            return wrong.fill_null(value=False)
        if isinstance(wrong, Seldom):
            column = f"_seldom{len(self._seldom)}"
            self._seldom[column] = wrong
            return wrong.told_by(column)
        column = f"_look{len(self._looks)}"
        self._looks[column] = wrong
        return pl.col(column)

    def look(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add the columns of flags that the questions need beside those of the rows."""
        homes = {question.home: self._rows.free[question.home].maps for question in self._seldom.values()}
        frame = with_seldom(frame, self._seldom, homes)
        into = {look.place for look in self._looks.values() if not look.of_row}
        texts = {place: text for place in sorted(into) if (text := self._rows.json_of(place)) is not None}
        return with_looks(frame, self._looks, texts, self._rows.whole)


def alone_of(rows: Rows) -> Iterator[Question]:
    """Ask rows that are written whether a request can hold them at all."""
    if rows.text is not None:
        for limit, wrong in requests.alone_over_bytes(rows.layout, rows.text):
            yield Question(limit, wrong.fill_null(value=False), requests.message(limit))


def needs_of(rows: Rows, settings: Settings) -> Iterator[Question]:
    """Ask rows that are read for what is required, as a writer has to give it; an application's id may come from the settings."""
    layout = rows.layout
    limit = Limit("places_required", 1, hard=True, source=layout.source)
    for entry in layout.all_fields:
        if not is_read(entry) or entry.place in layout.taken_without:
            continue
        if entry.required and not (entry.hub == ("app.id",) and settings.app_id):
            yield Question(limit, rows.is_missing(entry.place), f"{entry.place} is missing")
        elif entry.required_for:
            action = next(other for other in layout.fields if other.word.gives_action)
            wrong = (rows.value(action.place) == entry.required_for) & rows.is_missing(entry.place)
            yield Question(
                limit,
                wrong.fill_null(value=False),
                f"{entry.place} is missing, in an event of {action.place} {entry.required_for}",
            )
