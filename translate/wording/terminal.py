"""Text for a terminal: tables that keep to its width and never break a number, and colour where it is asked for."""

from __future__ import annotations

import os
import textwrap
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import IO

from translate.errors import in_python

STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
INDENT = 2
GAP = 2
COLUMN_MIN = 8  # characters that are left of a text, however narrow it gets
BLOCKS_GAP = 4
PADDED_MAX = 40  # where nothing bounds a line, a cell beyond this pushes on what stands behind it
NO_FIGURE = ("", "-")  # where there is none
CUT = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class Paper:
    """What is written on: `width` in characters, None without bounds; `colour` if it shows any; `typed` if whoever reads types options."""

    width: int | None = None
    colour: bool = False
    typed: bool = True

    def styled(self, text: str, style: str | None) -> str:
        """Give a text its colour."""
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.colour and style and text else text

    def worded(self, text: str) -> str:
        """Say what names options in the words of whoever reads."""
        return text if self.typed else in_python(text)

    def room(self, taken: int = 0) -> int | None:
        """Give the characters that are left of a line."""
        return None if self.width is None else max(COLUMN_MIN, self.width - taken)


def paper_of(stream: IO[str], width: int | None) -> Paper:
    """Give what a stream writes on: a terminal shows colour, unless NO_COLOR says that nobody wants any."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Paper(width, wanted and stream.isatty())


def width_of(text: str) -> int:
    """Give the places that a text takes: two for a letter of Chinese, Japanese or Korean, none for an accent of its own."""
    if text.isascii():
        return len(text)
    plain = (sign for sign in text if not unicodedata.combining(sign))
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in plain)


def clipped(text: str, width: int) -> str:
    """Cut a text to so many places."""
    if width_of(text) <= width:
        return text
    kept, left = [], width - 1
    for sign in text:
        left -= width_of(sign)
        if left < 0:
            break
        kept.append(sign)
    return "".join(kept) + CUT


def columns(
    rows: Sequence[Sequence[str]], paper: Paper, *, wrapped: Collection[int] = (), kept: Collection[int] = (),
    styles: Mapping[int, str] | None = None, head: bool = False,
) -> Iterator[str]:  # fmt: skip
    """Write rows of cells below one another; numbers end below one another, `wrapped` columns go on in the next line.

    What else is too wide is cut, but for numbers and `kept` columns. With `head` the first row names the columns.
    """
    if not rows:
        return
    places = range(len(rows[0]))
    body = rows[1:] if head else rows
    figures = {
        place for place in places
        if any(is_figure(row[place]) for row in body) and all(is_figure(row[place]) or row[place] in NO_FIGURE for row in body)
    }  # fmt: skip
    wanted = [max(width_of(row[place]) for row in rows) for place in places]
    widths = _fitted(wanted, figures.union(kept), paper)
    for number, row in enumerate(rows):
        cells = [
            [cell]
            if paper.width is None
            else textwrap.wrap(cell, max(width, 1), break_long_words=True) or [""]
            if place in wrapped and place not in figures
            else [clipped(cell, width)]
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for texts in zip_longest(*cells, fillvalue=""):
            written = []
            for place, text in enumerate(texts):
                style = "bold" if head and not number else (styles or {}).get(place)
                blank = " " * (widths[place] - width_of(text))
                shown = paper.styled(text, style)  # blanks have no colour
                written.append(blank + shown if place in figures else shown + blank)
            yield (" " * INDENT + (" " * GAP).join(written)).rstrip()


def folded(
    rows: Sequence[Sequence[str]], widths: Sequence[int], fold: Callable[[str, int], Iterable[str]]
) -> Iterator[str]:
    """Write rows of cells below one another, each cell folded to the width of its column."""
    for row in rows:
        cells = (fold(cell, width) for cell, width in zip(row, widths, strict=True))
        for parts in zip_longest(*cells, fillvalue=""):
            padded = (part.ljust(width) for part, width in zip(parts, widths, strict=True))
            yield (" " * GAP).join(padded).rstrip()


def unfolded(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write each row of cells on one line, whatever their length: for `grep`, `cut` and `less -S`."""
    widths = [min(PADDED_MAX, max(map(width_of, cells))) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (" ".join(cell.split("\n")) for cell in row)
        padded = (cell + " " * (width - width_of(cell)) for cell, width in zip(cells, widths, strict=True))
        yield (" " * GAP).join(padded).rstrip()


def _fitted(widths: list[int], fixed: set[int], paper: Paper) -> list[int]:
    """Make the widest texts narrower, one place after the other, until a row fits."""
    if paper.width is None:
        return [min(width, PADDED_MAX) for width in widths]
    free = [place for place in range(len(widths)) if place not in fixed]
    room = paper.width - INDENT - GAP * (len(widths) - 1)
    fitted = list(widths)
    while free and sum(fitted) > room:
        widest = max(free, key=lambda place: fitted[place])
        if fitted[widest] <= COLUMN_MIN:
            break
        fitted[widest] -= 1
    return fitted


def is_figure(cell: str) -> bool:
    """Tell whether a cell holds a number, maybe with a sign, a share or a currency behind it."""
    digits = cell.strip().lstrip("<>+").removeprefix("-").replace(",", "").replace(".", "")
    return digits.removesuffix("%").strip().isdigit()


def beside(blocks: Iterable[Sequence[str]], paper: Paper) -> Iterator[str]:
    """Put blocks of lines beside one another, as many as fit; without bounds each stands alone."""
    row: list[Sequence[str]] = []
    for block in blocks:
        if row and (paper.width is None or _span([*row, block]) > paper.width):
            yield from _in_a_row(row)
            row = []
        row.append(block)
    if row:
        yield from _in_a_row(row)


def _span(blocks: list[Sequence[str]]) -> int:
    return sum(max(map(visible, block), default=0) for block in blocks) + BLOCKS_GAP * (len(blocks) - 1)


def _in_a_row(blocks: list[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(visible, block), default=0) for block in blocks]
    for cells in zip_longest(*blocks, fillvalue=""):
        padded = (cell + " " * (width - visible(cell)) for cell, width in zip(cells, widths, strict=True))
        yield (" " * BLOCKS_GAP).join(padded).rstrip()


def visible(text: str) -> int:
    """Give the places that a text takes, its colours left out."""
    plain, *coloured = text.split("\x1b")
    return width_of(plain + "".join(part.partition("m")[2] for part in coloured))
