"""An explanation as JSON values, as a data frame, as Markdown, and as text of a given width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from translate.telling.explanation.sides import HubOrigin
from translate.wording.terminal import GAP, folded, unfolded

State = Literal[
    "filled", "fixed", "missing", "nothing", "off", "not_written",  # a field of the target
    "cannot", "not_mapped", "on_purpose", "not_read",  # a place of the source that has none in the target
]  # fmt: skip
NO_PLACE = ("cannot", "not_mapped", "on_purpose", "not_read")
NARROWEST = 14  # five columns of it fit into 80 characters
PRINTED = 120  # columns of an explanation that is printed, or turned into text


@dataclass(frozen=True)
class Row:
    """One field of the target and where it comes from, or one place of the source that no field takes up."""

    part: str
    field: str
    state: State
    origins: tuple[HubOrigin, ...] = ()
    how: str = ""
    lost: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the row as JSON values; `field` and `part` are null where the target has no place."""
        return {
            "field": self.field or None,
            "part": self.part or None,
            "state": self.state,
            "from": [origin.to_json() for origin in self.origins],
            "how": self.how,
            "lost": list(self.lost),
        }


@dataclass(frozen=True, repr=False)
class Explanation:
    """What becomes of a source's fields in a target; `rows` is the table, the rest stands beside it.

    The states of a row: `filled` from the source, `fixed` whatever the source says, `missing` (required, and
    nothing gives it), `nothing` in the source, `off` unless a setting asks for it, `not_written`; and, for places
    of the source without one in the target, `cannot`, `not_mapped`, `on_purpose` and `not_read`.
    """

    source: str
    target: str
    recipe: str | None
    digests: dict[str, str]
    rows: list[Row]
    names: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    limits: list[dict[str, Any]] = field(default_factory=list)
    recipe_rules: list[dict[str, Any]] = field(default_factory=list)
    personal: list[dict[str, Any]] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Explanation {self._title}: {len(self.rows)} rows>"

    def __str__(self) -> str:
        return self.to_text()

    def _repr_markdown_(self) -> str:
        """Show the page in a notebook."""
        return self.to_markdown()

    @property
    def missing(self) -> list[str]:
        """Name the required fields that nothing gives."""
        return [row.field for row in self.rows if row.state == "missing"]

    @property
    def frame(self) -> pl.DataFrame:
        """Give the table as a frame of texts: `field`, `part`, `state`, `from`, `how`, `lost`."""
        rows = [{**row.to_json(), "from": _from(row), "lost": "; ".join(row.lost)} for row in self.rows]
        names = ("field", "part", "state", "from", "how", "lost")
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "from": self.source,
            "to": self.target,
            "recipe": self.recipe,
            "mapping": self.digests,
            "missing": self.missing,
            "rows": [row.to_json() for row in self.rows],
            "names": self.names,
            "tables": self.tables,
            "limits": self.limits,
            "rules": self.recipe_rules,
            "personal": self.personal,
        }

    def to_markdown(self) -> str:
        """Write a page for a runbook."""
        lines = [f"# {self._title}", ""]
        for sentence in self._sentences():
            lines += [sentence, ""]
        lines += _markdown_table(_HEADS, [_markdown_cells(row, self._twice) for row in self.rows])
        for title, head, rows in self._sections():
            lines += ["", f"## {title}", "", *_markdown_table(head, rows)]
        return "\n".join(lines) + "\n"

    def to_text(self, width: int | None = PRINTED) -> str:
        """Write the page for a terminal of that many columns; with None each row is one line."""
        told = (line for each in self._sentences() for line in _folded(each, width or len(each)))
        lines = [self._title, *told, ""]
        head = (self.target, self.source, _HEADS[2])
        lines += _text_table(head, [_text_cells(row, self._twice) for row in self.rows], width)
        for title, section_head, rows in self._sections():
            lines += ["", f"{title}:", *_text_table(section_head, rows, width)]
        return "\n".join(lines) + "\n"

    @property
    def _twice(self) -> frozenset[str]:
        """Name the fields that lie both in the event and in the request around it."""
        parts = [{row.field for row in self.rows if row.part == part} for part in ("event", "request")]
        return frozenset(parts[0] & parts[1]) - {""}

    @property
    def _title(self) -> str:
        return f"{self.source} -> {self.target}" + (f", by the recipe {self.recipe}" if self.recipe else "")

    def _sentences(self) -> Iterator[str]:
        if self.missing:
            yield f"Required, and nothing gives it unless a recipe or setting does: {', '.join(self.missing)}"

    def _sections(self) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
        """Give the title, head and rows of each small table that has any."""
        found: list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]] = [
            ("Rules", ("rule", "when", "what it does"),
             [(rule["rule"], rule["when"] or "always", "; ".join(rule["does"])) for rule in self.recipe_rules]),
            ("Personal data", ("source", "what it is", "goes into", "by the recipe"),
             [(row["place"], row["about"], row["goes_to"] or "nothing", row["treatment"]) for row in self.personal]),
            ("Well-known events", ("hub", self.source, self.target, "to know"),
             [(row["name"], row["from"] or "-", row["to"], row["note"]) for row in self.names]),
            *((f"Values of {', '.join(table['fields'])}; any other one stays as it is", ("any case of", "becomes"), list(table["values"].items()))
              for table in self.tables),
            ("Limits", ("effect", "what", "by"), [(row["effect"], row["what"], row["source"]) for row in self.limits]),
        ]  # fmt: skip
        yield from (section for section in found if section[2])


_HEADS = ("target", "source", "conversion", "may be lost or changed")


def _from(row: Row) -> str:
    return "; ".join(origin.text for origin in row.origins)


def _target(row: Row, twice: frozenset[str]) -> str:
    """Name the field; one that lies both in the event and around it is told apart."""
    of_request = " of the request" if row.part == "request" and row.field in twice else ""
    return "(no place)" if row.state in NO_PLACE else f"{row.field}{of_request}"


def _text_cells(row: Row, twice: frozenset[str]) -> tuple[str, ...]:
    lost = "; ".join(row.lost)
    if row.state in NO_PLACE:
        return _target(row, twice), _from(row), lost
    return _target(row, twice), _from(row) or "-", f"{row.how} [{lost}]" if lost else row.how


def _markdown_cells(row: Row, twice: frozenset[str]) -> tuple[str, ...]:
    target = _target(row, twice)
    if row.state not in NO_PLACE:
        target = target.replace(row.field, f"`{row.field}`", 1)
    how = f"**{row.how}**" if row.state == "missing" else row.how
    return target, "; ".join(_markdown_origin(origin) for origin in row.origins), how, "; ".join(row.lost)


def _markdown_origin(origin: HubOrigin) -> str:
    is_made = not origin.column or origin.place.startswith("made:")
    return origin.text if is_made else origin.text.replace(origin.place, f"`{origin.place}`", 1)


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [list(head), ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines)
    return [f"| {' | '.join(line)} |" for line in cells]


def _text_table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    lines = [head, *rows]
    if width is None:
        return list(unfolded(lines))
    widths = _widths([max(len(line[column]) for line in lines) for column in range(len(head))], width)
    return list(folded(lines, widths, _folded))


def _widths(wanted: list[int], width: int) -> list[int]:
    """Share the terminal's width out: narrow columns as they are, wide ones what is left, in equal shares."""
    left = width - GAP * (len(wanted) - 1)
    if sum(wanted) <= left:
        return wanted
    widths = list(wanted)
    open_columns = set(range(len(wanted)))
    while open_columns:
        share = max(left // len(open_columns), NARROWEST)
        narrow = {column for column in open_columns if wanted[column] <= share}
        if not narrow:
            for column in open_columns:
                widths[column] = share
            break
        left -= sum(wanted[column] for column in narrow)
        open_columns -= narrow
    return widths


def _folded(cell: str, width: int) -> Iterator[str]:
    """Break a cell at blanks, and a word that is too long after dots and the like, else anywhere."""
    line = ""
    for word in cell.split():
        for number, piece in enumerate([word] if len(word) <= width else _pieces(word, width)):
            glued = f"{line} {piece}" if line and number == 0 else f"{line}{piece}"
            if len(glued) > width:
                yield line
                glued = piece
            line = glued
    yield line


def _pieces(word: str, width: int) -> Iterator[str]:
    for piece in re.findall(r"[^.,_/(]*[.,_/(]|[^.,_/(]+", word):
        yield from (piece[start : start + width] for start in range(0, len(piece), width))
