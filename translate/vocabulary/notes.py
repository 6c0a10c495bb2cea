"""What became of one value of one event, as a value of its own: the kind of the loss, the reason, and where it stood.

Notes travel through the engine as texts: a JSON head, and the key of a map as it is behind it. Only this module writes
and reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import polars as pl

from translate.engine.library import places, replaced
from translate.vocabulary.notation import quoted

KINDS = ("cannot", "not_mapped", "on_purpose", "changed")
RENAMED: Final = "renamed"
RETYPED: Final = "retyped"
ROUNDED: Final = "rounded to a double"
NOT_MAPPED: Final = "no mapping or rule says where to"
WITHOUT_REASON = {
    "changed": "renamed, retyped or rounded",
    "not_mapped": NOT_MAPPED,
    "cannot": "the target has no place for it",
    "on_purpose": "removed by a rule",
}

OF_RECIPE = "_recipe_notes"  # the column of what a recipe notes
USED = "_used"  # the column of the columns and keys that a recipe took values from
NOTE_TYPE = pl.String
NOTES_TYPE = pl.List(NOTE_TYPE)
DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class InHub:
    """A hub column; of a map the value of one key."""

    column: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class InSource:
    """A place of the source's record, segment by segment from its top: inside of an event, or around the events of a request."""

    path: tuple[str, ...]
    around: bool = False

    @property
    def shown(self) -> str:
        """Give the path as reports show it."""
        return ".".join(self.path)

    def member(self, *segments: str) -> InSource:
        """Give the place of a member of what stands here."""
        return InSource((*self.path, *segments), self.around)

    def lies_in(self, other: InSource) -> bool:
        """Tell whether this is a part of what stands at another place."""
        depth = len(other.path)
        return self.around == other.around and len(self.path) > depth and self.path[:depth] == other.path


Spot = InHub | InSource


@dataclass(frozen=True, slots=True)
class Note:
    """A value that does not arrive as it was, and why."""

    kind: str
    spot: Spot
    why: str


def note(kind: str, spot: Spot, why: str = "") -> Note:
    """Note a loss; the reason may be left out where the kind tells enough."""
    return Note(kind, spot, why or WITHOUT_REASON[kind])


# -- of many events ---------------------------------------------------------------------------------------------------

RECEIVER_CHANGES = "receiver_changes"
# Findings that somebody has to settle: a run that has one of them ends with another exit code.
NAMES_MEET = "names_meet"
LISTED_STANDS = "listed_id_stands"
FLAWS = (NAMES_MEET, LISTED_STANDS)
# Findings of what rows say beyond their events, or once where these say it twice.
FILLED_IN = "filled_in"
SAID_ONCE = "said_once"


@dataclass(frozen=True)
class Loss:
    """A hub column or a key of one whose value does not arrive as it was, and for which events; `field` is its place in the source."""

    spot: InHub
    field: str
    kind: str
    why: str
    events: pl.Expr
    example: pl.Expr | None = None


@dataclass(frozen=True)
class Finding:
    """Something that the user should know, and how many events it concerns."""

    code: str
    message: str
    events: pl.Expr
    field: str | None = None  # the hub column that comes back different for it


def flaws(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the findings of a report, as JSON values, that somebody has to settle."""
    return [finding for finding in report["findings"] if finding["code"] in FLAWS]


# -- as texts ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=65536)
def written(noted: Note) -> str:
    """Write a note as the text that travels."""
    spot = noted.spot
    if isinstance(spot, InSource):
        return _head(noted.kind, noted.why, list(spot.path), spot.around)
    return _head(noted.kind, noted.why, spot.column, spot.key is not None) + (spot.key or "")


@lru_cache(maxsize=65536)
def read(text: str) -> Note:
    """Read a note back."""
    (kind, why, place, more), end = DECODER.raw_decode(text)
    spot: Spot = (
        InHub(place, text[end:] if more else None) if isinstance(place, str) else InSource(tuple(place), more)
    )
    return Note(kind, spot, why)


def read_all(texts: Iterable[str] | None) -> list[Note]:
    """Read an event's notes; none where there are none."""
    return [] if texts is None else [read(text) for text in texts]


def _head(kind: str, why: str, place: str | list[str], more: bool) -> str:  # noqa: FBT001  as it stands in the text
    return quoted([kind, why, place, more])


# -- in the engine ----------------------------------------------------------------------------------------------------


def none() -> pl.Expr:
    """Give a column of no notes."""
    return pl.lit(None, NOTES_TYPE)


def series(noted: Iterable[Iterable[Note] | None]) -> pl.Series:
    """Make a column of events' notes; an event without any has null."""
    texts = [[written(each) for each in own] or None if own else None for own in noted]
    return pl.Series(texts, dtype=NOTES_TYPE)


def beginning(kind: str, column: str, why: str = "") -> str:
    """Give what stands before the key in the text of a note on a key of a map."""
    return _head(kind, why or WITHOUT_REASON[kind], column, more=True)


def of_keys(keys: pl.Expr, kind: str, column: str, why: str = "") -> pl.Expr:
    """Note each key in a list of keys of a map."""
    head = pl.lit(beginning(kind, column, why))
    return keys.list.eval(pl.concat_str(head, pl.element()))


def where(lost: pl.Expr, noted: Note) -> pl.Expr:
    """Give a list of one note for the events that lost something, and an empty one for the others."""
    return pl.when(lost).then(pl.lit([written(noted)], NOTES_TYPE)).otherwise(pl.lit([], NOTES_TYPE))


def together(parts: Iterable[pl.Expr]) -> pl.Expr:
    """Put lists of notes together; an event without any has null, or an empty one."""
    lists = [*parts]
    if len(lists) < 2:
        return lists[0] if lists else none()
    return pl.map_batches(lists, _together, return_dtype=NOTES_TYPE, is_elementwise=True)


def _together(parts: Sequence[pl.Series]) -> pl.Series:
    """Put them together where one event has those of several parts: most have none, or those of one."""
    said = [part for part in parts if part.null_count() < len(part) and part.list.len().max()]
    if len(said) < 2:
        return said[0] if said else parts[0]
    frame = pl.DataFrame([part.alias(str(number)) for number, part in enumerate(said)])
    columns = [pl.col(name) for name in frame.columns]
    says = [column.list.len() > 0 for column in columns]
    first = pl.coalesce(pl.when(told).then(column) for column, told in zip(columns, says, strict=True))
    found = frame.select_seq(first=first, several=pl.sum_horizontal(says) > 1)
    rows = places(found["several"])
    if not len(rows):
        return found["first"]
    whole = frame[rows].select_seq(pl.concat_list(column.fill_null([]) for column in columns))
    return replaced(found["first"], found["several"], whole.to_series())


def say_retyped(notes: pl.Expr) -> pl.Expr:
    """Tell which events have a note of a value that was retyped."""
    beginning = f"{quoted(['changed', RETYPED])[:-1]},"
    return notes.list.eval(pl.element().str.starts_with(beginning)).list.any().fill_null(value=False)


def spots(notes: pl.Expr) -> pl.Expr:
    """Give where single notes lost something: the hub's `column` and `key`, or the `path` as reports show it."""
    schema: dict[str, Any] = {"column": pl.String, "key": pl.String, "path": pl.String}

    def batch(texts: pl.Series) -> pl.Series:
        found = [None if text is None else _parts(read(text).spot) for text in texts]
        return pl.Series(found, dtype=pl.Struct(schema))

    return notes.map_batches(batch, return_dtype=pl.Struct(schema), is_elementwise=True)


def _parts(spot: Spot) -> dict[str, str | None]:
    if isinstance(spot, InSource):
        return {"column": None, "key": None, "path": spot.shown}
    return {"column": spot.column, "key": spot.key, "path": None}
