"""Pages of one hand: what each of our pages is made of, from its head to its tables; a page needs nothing but itself."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from translate import __version__
from translate.errors import OutputError
from translate.wording.rendering import printable

WORD_MAX = 24  # characters that stand together in a cell
TEXT_MIN = 60  # characters of a cell that needs room on a narrow screen
ROWS_MAX = 500  # of a table: the rest is in the JSON


REASONS = {
    "bad_json": "is not JSON", "incomplete": "is cut off", "damaged_file": "the file is damaged, its rest is lost",
    "unreadable_file": "the file cannot be opened", "not_recognised": "the file is of another layout", "bad_row": "has more or fewer cells than its header",
    "missing_required": "lacks what every event needs", "bad_time": "has a time that is none", "time_implausible": "has a time that cannot be",
    "wrong_type": "has a value of another type", "bad_number": "has a number that is none", "too_large": "is larger than a record may be",
}  # fmt: skip


class Markup(str):
    """What is HTML already; whatever else comes onto a page is text, and is escaped."""

    __slots__ = ()


@dataclass(frozen=True)
class Section:
    """One part of a page, with the heading by which the list of contents leads to it."""

    title: str
    pieces: Sequence[Markup]

    @property
    def anchor(self) -> str:
        """Give what links name it by."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    def html(self) -> Markup:
        """Write the section."""
        heading = element("h2", self.title, id=self.anchor)
        return element("section", heading, *self.pieces, aria_labelledby=self.anchor)


def markup(value: Any) -> Markup:
    """Escape what is no HTML, and spell out what does not print."""
    return value if isinstance(value, Markup) else Markup(escape(printable(str(value))))


def joined(pieces: Iterable[Any], between: str = "") -> Markup:
    """Put pieces one after the other."""
    return Markup(between.join(map(markup, pieces)))


def element(tag: str, *inside: Any, **attributes: Any) -> Markup:
    """Write an element; a trailing `_` of an attribute's name goes, other ones are hyphens, and None is no attribute."""
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(printable(str(value)))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{told}>{joined(inside)}</{tag}>")


def document(
    title: str, about: Sequence[Markup], verdict: Sequence[Any], sections: Sequence[Section], made: dt.datetime, grade: str | None = None,
) -> str:  # fmt: skip
    """Write a page: its verdict first, then its contents, and a section each."""
    links = [
        element("li", element("a", section.title, href=f"#{section.anchor}"))
        for section in sections
        if section.pieces
    ]
    kinds = " ".join(filter(None, ("verdict", grade)))
    told = element("div", *(element("p", sentence) for sentence in verdict), class_=kinds)
    body = [
        element("a", "Skip to the contents of the page", class_="skip", href="#page"),
        element("header", element("h1", title), *about, told),
        element("nav", element("ol", *links), aria_label="Contents"),
        element("main", *(section.html() for section in sections if section.pieces), id="page"),
        element("footer", f"Made by translate {__version__} on {made:%Y-%m-%d}. The page loads nothing and sends nothing."),
    ]  # fmt: skip
    style, script = _beside("page.css"), _beside("page.js")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{markup(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + f"\n<script>{script}</script>\n</body>\n</html>\n"
    )


@cache
def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


# -- pieces ---------------------------------------------------------------------------------------------------------


def paragraph(*inside: Any, quiet: bool = False) -> Markup:
    """Write a paragraph."""
    return element("p", *inside, class_="quiet" if quiet else None)


def tiles(counted: Iterable[tuple[str, Any]]) -> Markup:
    """Write a tile for each count."""
    told = ((name, f"{count:,}" if isinstance(count, int) else count) for name, count in counted)
    shown = (element("div", element("dt", name), element("dd", text), class_="tile") for name, text in told)
    return element("dl", *shown, class_="tiles")


def reason(code: str) -> str:
    """Say in words why a record is none, with the code that reports and rejects have."""
    return f"{REASONS[code]} ({code})" if code in REASONS else code.replace("_", " ")


def facts(told: Iterable[tuple[str, Any]]) -> Markup:
    """Write what is known of one thing, name by name."""
    pieces = (piece for name, value in told for piece in (element("dt", name), element("dd", value)))
    return element("dl", *pieces, class_="facts")


def folded(summary: Any, *inside: Markup, is_open: bool = False, is_aside: bool = False) -> Markup:
    """Write what is a click away; on paper it stands open, but for what is an aside."""
    kind = "aside" if is_aside else None
    return element("details", element("summary", summary), *inside, open="" if is_open else None, class_=kind)


def share(part: float, text: str) -> Markup:
    """Write a cell that is a bar as long as a share."""
    return Markup(f'<td class="share" style="--share:{part:.4f}">{markup(text)}</td>')


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[Any]], figures: Sequence[int] = (), *, is_told: bool = True,
) -> Markup:  # fmt: skip
    """Write a table that sorts and can be searched; the columns of `figures` stand to the right, the first other one names a row.

    The caption is not shown where `is_told` is not: a heading above says it. Only words too long for a column are broken.
    """
    naming = next((place for place in range(len(head)) if place not in figures), None)
    lines = [
        element("tr", *(_cell(cell, place in figures, place == naming) for place, cell in enumerate(row)))
        for row in rows[:ROWS_MAX]
    ]
    whole = _whole(caption, head, figures, lines, "listing", is_told=is_told)
    left = len(rows) - ROWS_MAX
    return joined([whole, *([paragraph(f"and {left:,} more in the JSON", quiet=True)] if left > 0 else [])])  # fmt: skip


def listed(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[Any]], figures: Sequence[int] = (), **more: Any
) -> Iterator[Markup]:
    """Write a table, if there is anything to list in it."""
    if rows:
        yield table(caption, head, rows, figures, **more)


def _cell(cell: Any, is_figure: bool, is_name: bool) -> Markup:  # noqa: FBT001
    if isinstance(cell, Markup) and cell.startswith("<td"):
        return cell
    text = "" if cell is None else f"{cell:,}" if is_figure and isinstance(cell, int) else cell
    is_long = not isinstance(text, Markup) and max(map(len, str(text).split()), default=0) > WORD_MAX
    is_text = len(str(text)) > TEXT_MIN
    kind = "figure" if is_figure else "long" if is_long else "text" if is_text else None
    return element("th", text, scope="row", class_=kind) if is_name else element("td", text, class_=kind)


def heat(
    caption: str, head: Sequence[str], rows: Sequence[tuple[Sequence[Any], Sequence[float | None]]]
) -> Markup:
    """Write a table of shares, the larger the deeper; each row has cells of its own before them."""
    most = max((value for _, values in rows for value in values if value is not None), default=0) or 1
    lines = []
    for (name, *before), values in rows:
        cells = [element("td", f"{each:,}" if isinstance(each, int) else each, class_="figure", style="--share:0") for each in before]  # fmt: skip
        cells += [element("td", "" if value is None else f"{100 * value:.1f} %", class_="figure", style=f"--share:{(value or 0) / most:.3f}")
                  for value in values]  # fmt: skip
        lines.append(element("tr", element("th", name, scope="row"), *cells))
    return _whole(caption, head, range(1, len(head)), lines, "heat", is_told=False)


def _whole(
    caption: str, head: Sequence[str], figures: Container[int], lines: Sequence[Markup], kind: str, *, is_told: bool
) -> Markup:  # fmt: skip
    """Put a table together; what is too wide for a screen is moved sideways, by keys too."""
    heads = [element("th", name, scope="col", class_="figure" if place in figures else None) for place, name in enumerate(head)]  # fmt: skip
    whole = element(
        "table",
        element("caption", caption, class_=None if is_told else "unseen"),
        element("thead", element("tr", *heads)),
        element("tbody", *lines),
        class_=kind,
    )
    return element("div", whole, class_="wide", tabindex="0", role="group", aria_label=caption)


def chart(drawn: str, caption: Any, figures: Markup | None = None) -> Markup:
    """Write a drawing with its caption, and its figures as a table a click away."""
    shown = Markup(f'<div class="chart" tabindex="0">{drawn}</div>')
    told = [folded("the figures", figures, is_aside=True)] if figures else []
    return element("figure", shown, element("figcaption", caption), *told)


def legend(names: Mapping[str, str]) -> Markup:
    """Say which colour is what: a name for each class of a bar."""
    return joined(
        Markup(f'<span class="key {kind}" aria-hidden="true"></span>{markup(name)}')
        for kind, name in names.items()
    )


def write_page(path: str | os.PathLike[str], page: str) -> None:
    """Write a page; raise OutputError where no file can be."""
    try:
        Path(path).write_text(page, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}; name a file that can be written") from error
