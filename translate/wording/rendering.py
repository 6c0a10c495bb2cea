"""Reports that show themselves: the JSON values of a command, as tables in a notebook and as text at a prompt."""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from translate.errors import in_python

SHOWN_MAX = 12  # rows of a table that stand open; the rest is a click away, or left out of text
FOLDED_MAX = 200  # rows that are a click away: a notebook keeps what it shows
CELL_CHARACTERS = 60  # of text; a longer cell goes on below
LEFT, RIGHT = 'style="text-align:left"', 'style="text-align:right"'
HEADS = {"hard": "hard limit", "loses": "loses data", "from": "source", "to": "target"}
LONG_WORD = re.compile(r"\S{40}(?=\S)")


@dataclass(frozen=True)
class Part:
    """How one member of a report is shown: its title, its columns in order, and what it means if it is empty."""

    title: str
    columns: tuple[str, ...] = ()
    nothing: str = ""


@dataclass(frozen=True)
class Table:
    """A table of values; `figures` are the columns whose cells are numbers."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    @property
    def figures(self) -> frozenset[int]:
        """Give the columns that hold numbers only."""
        columns = range(len(self.head))
        known = [[row[place] for row in self.rows if row[place] is not None] for place in columns]
        return frozenset(place for place in columns if known[place] and all(map(_is_number, known[place])))


# Members that are known, in the order in which one asks for them; one that is not named here is shown by its own name.
PARTS = {
    "events": Part("Events"),
    "rejects": Part("Rejected", ("code", "events"), "Nothing was rejected."),
    "refused": Part("Refused", ("reason", "events")),
    "filtered": Part("Filtered", ("rule", "events")),
    "undeclared": Part("Differences that nothing declares", ("events", "field", "examples"), "Every difference is declared."),
    "breaches": Part("Limits that events do not keep", ("events", "hard", "message", "source", "examples"), "Every event keeps its limits."),
    "archive": Part("Limits over all events", ("hard", "message", "source")),
    "losses": Part("What does not arrive as it was", ("events", "field", "kind", "why"), "Nothing is lost or changed."),
    "differences": Part("Declared differences", ("events", "field", "why"), "No event came back changed."),
    "preflight": Part("What the target does with such events", ("events", "name", "loses", "message", "instead")),
    "hazards": Part("Hazards", ("events", "name", "loses", "message", "instead")),
    "findings": Part("To know", ("events", "message")),
    "verify": Part("How to see what arrived"),
}  # fmt: skip
ADVICE = frozenset({"message", "instead"})  # what may name options
IN_A_ROW = frozenset({"events"})  # counts that are shown beside one another


class Report(dict[str, Any]):
    """The answer of a command: a dict of JSON values, which a notebook shows as tables; frames put into one are shown alike.

    Every text is escaped, and characters that do not print are spelled out: names and keys are as the archive has them.
    """

    finished_already = False  # nothing was done: an earlier call had left this report

    def __reduce__(self) -> tuple[type[Report], tuple[dict[str, Any]]]:
        """Copy what was reported, not what it was reported of."""
        return Report, (dict(self),)

    def __repr__(self) -> str:
        counts = self.get("events")
        given = counts.items() if isinstance(counts, Mapping) else ()
        told = ", ".join(f"{name} {count:,}" for name, count in given if count)
        return f"<Report {': '.join(filter(None, (self._title, told))) or ', '.join(self)}>"

    def __str__(self) -> str:
        return self.to_text()

    def to_html(self) -> str:
        """Give the tables as a piece of HTML that needs no style sheet, script or network."""
        pieces = [f'<p style="font-size:1.2em"><b>{escaped(self._title)}</b></p>'] if self._title else []
        pieces += [
            table_html(each) if isinstance(each, Table) else f"<p>{escaped(each)}</p>"
            for each in self._shown()
        ]
        about = self._about()
        if about.rows:
            pieces.append(_folded_html(about.title, _rows_html(about, about.rows)))
        return f"<div>{''.join(pieces)}</div>"

    def to_text(self) -> str:
        """Give the tables as plain text."""
        pieces = [self._title] if self._title else []
        pieces += [_table_text(shown) if isinstance(shown, Table) else shown for shown in self._shown()]
        return "\n\n".join(pieces)

    def _repr_html_(self) -> str:
        """Show the report in a notebook."""
        return self.to_html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001
        """Show the report at IPython's prompt, and beside the HTML in a notebook's file."""
        printer.text("Report(...)" if cycle else self.to_text())

    @property
    def _title(self) -> str:
        ways = {"to": "\N{RIGHTWARDS ARROW}", "via": "there and back through"}
        if "from" in self:
            told = [f"{way} {_text(self[key])}" for key, way in ways.items() if key in self]
            return " ".join([_text(self["from"]), *told])
        return f"Judged as {_text(self['as'])}" if "as" in self else ""

    def _shown(self) -> Iterator[Table | str]:
        """Give each part as a table, or as the sentence that says what its emptiness means; a `verdict` comes first."""
        if isinstance(self.get("verdict"), str):
            yield _text(in_python(self["verdict"][:1].upper() + self["verdict"][1:]))
        for key in self._tables:
            part, value = PARTS.get(key, Part(_text(key).replace("_", " ").capitalize())), self[key]
            if len(value):
                yield _table(key, part, value)
            elif part.nothing:
                yield part.nothing

    @property
    def _tables(self) -> list[str]:
        """Name the members that are tables: the known ones in their order, then lists of rows under any name."""
        given = {key: self.get(key) for key in PARTS}
        known = [
            key
            for key, value in given.items()
            if isinstance(value, Mapping | list | tuple) or _is_frame(value)
        ]
        return [*known, *(key for key in self if key not in PARTS and _is_table(self[key]))]

    def _about(self) -> Table:
        """Give what is no table by itself: where from, by which mappings and settings, how long it took."""
        shown = {*self._tables, "verdict"}
        rest = {key: value for key, value in self.items() if key not in shown}
        return Table("About this run", ("", ""), list(flat(rest)))


# -- what is shown -------------------------------------------------------------------------------------------------


def _is_table(value: Any) -> bool:
    is_rows = isinstance(value, list | tuple) and any(isinstance(entry, Mapping) for entry in value)
    return is_rows or _is_frame(value)


def _is_frame(value: Any) -> bool:
    return type(value).__name__ == "DataFrame" and hasattr(value, "rows")  # without an import of polars


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _table(key: str, part: Part, value: Any) -> Table:
    if _is_frame(value):
        return Table(part.title, tuple(value.columns), value.rows())
    if isinstance(value, Mapping):
        return _counts(key, part, value)
    if not all(isinstance(entry, Mapping) for entry in value):
        return Table(part.title, ("",), [(entry,) for entry in value])
    columns = tuple(dict.fromkeys(name for entry in value for name in entry))
    wanted = [name for name in part.columns if name in columns] or columns
    present = tuple(name for name in wanted if any(entry.get(name) not in (None, [], ()) for entry in value))
    rows = [tuple(_worded(name, entry.get(name)) for name in present) for entry in value]
    if "events" in present:
        rows = sorted(rows, key=lambda row: _weight(row[present.index("events")]))
    return Table(part.title, tuple(HEADS.get(name, name) for name in present), rows)


def _worded(name: str, value: Any) -> Any:
    """Say in Python's words what a report says in those of the command line: whoever sees these tables called from Python."""
    return in_python(value) if name in ADVICE and isinstance(value, str) else value


def _counts(key: str, part: Part, value: Mapping[str, Any]) -> Table:
    if key in IN_A_ROW:
        return Table(part.title, tuple(value), [tuple(value.values())])
    rows = sorted(value.items(), key=lambda entry: _weight(entry[1]))
    return Table(part.title, part.columns if len(part.columns) == 2 else ("what", "events"), rows)


def _weight(value: Any) -> float:
    """Order by number, the largest first; what is none comes last, in its own order."""
    return -value if _is_number(value) else 1


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give what values within values there are, by their paths, but for those that are none."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        elif value not in (None, [], ()):
            yield f"{prefix}{key}", value


def _text(value: Any) -> str:
    """Write a value as one cell."""
    if isinstance(value, Mapping):
        return _example(value)
    if isinstance(value, list | tuple):
        return "; ".join(_text(entry) for entry in value)
    if _is_number(value):
        whole = f"{value:,}" if isinstance(value, int | Decimal) else f"{value:,.0f}"
        return whole if isinstance(value, int | Decimal) or abs(value) >= 100 else f"{value:.4g}"
    return printable({None: "", True: "yes", False: "no"}.get(value, str(value)))


def _example(value: Mapping[str, Any]) -> str:
    """Write an example as `file:line`, and what else it says as JSON."""
    placed = {"file", "line"} <= value.keys()
    rest = {key: entry for key, entry in value.items() if not (placed and key in ("file", "line"))}
    written = json.dumps(rest, ensure_ascii=False, default=str) if rest else ""
    return printable(f"{value['file']}:{value['line']} {written}".strip() if placed else written)


def many(count: int, of: str) -> str:
    """Write a count and what it is of."""
    return f"{count:,} {of}{'s' if count != 1 else ''}"


def printable(text: str) -> str:
    """Spell out what does not print: no name of an archive turns a line around, or steers a terminal."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)


# -- as HTML and as text --------------------------------------------------------------------------------------------


def escaped(value: Any) -> str:
    """Escape a cell's text, and let words that are too long for a line be broken."""
    marked = LONG_WORD.sub("\\g<0>\0", _text(value))  # no text has this character: it would be spelled out
    return html.escape(marked).replace("\0", "<wbr>")


def table_html(table: Table) -> str:
    """Write a table that needs no style sheet, and that no style sheet turns round: each cell says itself where its text stands."""
    shown, rest = table.rows[:SHOWN_MAX], table.rows[SHOWN_MAX:]
    left = f"<p>and {len(rest) - FOLDED_MAX:,} more</p>" if len(rest) > FOLDED_MAX else ""
    more = _folded_html(f"{len(rest):,} more", _rows_html(table, rest[:FOLDED_MAX]) + left) if rest else ""
    return f"<p><b>{escaped(table.title)}</b></p>{_rows_html(table, shown)}{more}"


def _folded_html(summary: str, inside: str) -> str:
    return f'<details style="margin-bottom:1em"><summary>{escaped(summary)}</summary>{inside}</details>'


def _rows_html(table: Table, rows: Sequence[tuple[Any, ...]]) -> str:
    figures = table.figures
    sides = [RIGHT if place in figures else LEFT for place in range(len(table.head))]
    head = "".join(f"<th {side}>{escaped(name)}</th>" for name, side in zip(table.head, sides, strict=True))
    cells = (
        [f"<td {side}>{escaped(cell)}</td>" for cell, side in zip(row, sides, strict=True)] for row in rows
    )
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    named = f"<thead><tr>{head}</tr></thead>" if any(table.head) else ""
    return f"<table>{named}<tbody>{body}</tbody></table>"


def _lines(cells: list[str]) -> Iterator[tuple[str, ...]]:
    """Write a row: one line, or several where a cell is long."""
    folded = (textwrap.wrap(cell, CELL_CHARACTERS) or [""] for cell in cells)
    yield from zip_longest(*folded, fillvalue="")


def _table_text(table: Table) -> str:
    rows = [table.head, *table.rows[:SHOWN_MAX]]
    lines = [line for row in rows for line in _lines([_text(cell) for cell in row])]
    widths = [max(len(line[place]) for line in lines) for place in range(len(table.head))]
    written = [table.title]
    for line in lines if any(table.head) else lines[1:]:
        cells = [cell.rjust(width) if place in table.figures else cell.ljust(width)
                 for place, (cell, width) in enumerate(zip(line, widths, strict=True))]  # fmt: skip
        written.append("  ".join(cells).rstrip())
    more = len(table.rows) - SHOWN_MAX
    return "\n".join([*written, *([f"and {more:,} more"] if more > 0 else [])])
