"""What is wrong with an SQL expression, at which place of it, and what was meant: a hub column, a map's key, or a text without its quotes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import polars as pl

from translate import events, mapping
from translate.errors import suggest
from translate.recipe.dialect import in_words, instead, pattern_of
from translate.recipe.expressions import KEYED, key_of, type_of
from translate.wording.terminal import width_of

INDENT = "    "
SHOWN_CHARACTERS = 90  # of a line of SQL, so that it stands in one line of a terminal
BEFORE_SHOWN = 40  # of them stand before the place

TOKEN = re.compile(
    r"'(?:[^']|'')*'"
    r'|"(?:[^"]|"")*"'
    r'|[^\W\d]\w*(?:\.(?:[^\W\d]\w*|"[^"]*"))*'
    r"|\d+(?:\.\d+)?|==|<>|!=|<=|>=|\S"
)
COMPARED = re.compile(r"(?:==?|<>|!=|\bI?LIKE|\bIN\s*\((?:[^()]*,)?)\s*$", re.IGNORECASE)
BARE = re.compile(r"\w+(?: \w+)*")  # words alone, one of which means something in SQL
# What the parser beneath polars says; polars itself keeps its words and the place to itself.
PARSER = re.compile(
    r"sql parser error: (?P<what>.*?) at Line: (?P<line>\d+), Column: (?P<column>\d+)", re.DOTALL
)
EXPECTED = re.compile(r"Expected: (?P<wanted>.*), found: (?P<found>.*)", re.DOTALL)
OPENED = "SELECT (\n"  # what is missing at the end is then told from what follows
UNENDED = {"Unterminated string literal": "this text lacks its second quote"}
LISTED = "stand in docs/dialect.md"
AT_THE_END = "the expression ends here"


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with an expression, and from where to where it stands, if that is known."""

    message: str
    place: tuple[int, int] | None = None


class Unfit(ValueError):  # noqa: N818  it says what is wrong with an expression, not that the tool failed
    """An expression that no recipe may hold: everything that is wrong with it, and where."""

    def __init__(self, sql: str, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = list(dict.fromkeys(mistakes))
        self.messages = list(dict.fromkeys(mistake.message for mistake in self.mistakes))
        self.sql = sql
        super().__init__("; ".join(self.messages))

    def excerpt_of(self, message: str) -> str:
        """Give the lines that show where a message's mistakes are; nothing where that is not known."""
        mine = (mistake for mistake in self.mistakes if mistake.message == message)
        return excerpt(self.sql, [mistake.place for mistake in mine if mistake.place])

    @property
    def excerpt(self) -> str:
        """Give the lines that show all places."""
        return excerpt(self.sql, [mistake.place for mistake in self.mistakes if mistake.place])


def excerpt(sql: str, places: list[tuple[int, int]]) -> str:
    """Show the line of an expression where the first of these places is, and carets below it."""
    if not places:
        return ""
    first = min(start for start, _ in places)
    begin = sql.rfind("\n", 0, first) + 1
    end = sql.find("\n", begin)
    end = len(sql) if end < 0 else end
    cut = max(begin, first - BEFORE_SHOWN) if end - begin > SHOWN_CHARACTERS else begin
    line = sql[cut : min(end, cut + SHOWN_CHARACTERS)]
    marks = [" "] * (len(line) + 1)
    for start, stop in places:
        for position in range(start, max(stop, start + 1)):
            if cut <= position <= cut + len(line):
                marks[position - cut] = "^"
    shown = "".join(sign if sign.isprintable() else " " for sign in line)
    head, tail = "..." if cut > begin else "", "..." if cut + len(line) < end else ""
    below = "".join(mark * width_of(sign) for mark, sign in zip(marks, f"{shown} ", strict=True)).rstrip()
    return f"{INDENT}{head}{shown}{tail}\n{INDENT}{' ' * len(head)}{below}"


def tokens(sql: str) -> Iterator[tuple[str, int, int]]:
    """Cut an expression into words, texts, numbers and signs, each with its place."""
    return ((found[0], found.start(), found.end()) for found in TOKEN.finditer(sql))


def place_of(sql: str, name: str) -> tuple[int, int] | None:
    """Find where an expression names a column, in double quotes or without."""
    quoted = '"' + name.replace('"', '""') + '"'
    bare = ((text, place) for text, *place in tokens(sql) if not text.startswith("'"))
    places = (place for text, place in bare if text == quoted or text.replace('"', "") == name)
    return next(((start, end) for start, end in places), None)


def place_of_word(sql: str, words: Collection[str]) -> tuple[int, int] | None:
    """Find where an expression has one of some words of SQL, in capitals or not."""
    return next(((start, end) for text, start, end in tokens(sql) if text.upper() in words), None)


def place_of_token(sql: str, wanted: str) -> tuple[int, int] | None:
    """Find where an expression has a word, text, number or sign just as it is."""
    return next(((start, end) for text, start, end in tokens(sql) if text == wanted), None)


def is_compared_with(sql: str, place: tuple[int, int]) -> bool:
    """Tell whether what stands at a place is what something else is compared with: a text that lacks its quotes."""
    return COMPARED.search(sql[: place[0]]) is not None


def of_parser(sql: str, error: Exception) -> Mistake:
    """Say where the parser stopped, and what it expected there."""
    known = _lonely_bracket(sql) or of_engine(sql, error)
    if known is not None:
        return known
    if BARE.fullmatch(sql.strip()):
        told = f"is not an SQL expression; a text stands in single quotes: '{sql.strip()}'"
        return Mistake(told, (0, len(sql)))
    said = first_line(error)
    try:
        pl.SQLContext().execute(f"{OPENED}{sql}\n)")
    except pl.exceptions.PolarsError as again:
        found = PARSER.search(str(again))
    else:
        found = None
    if found is None:
        function = re.search(r"unsupported function '(\w+)'", said)
        stray = re.search(r"found unexpected token '(.)'", said)
        if stray:
            met = f"there is {stray[1]}"
            return Mistake(_followed("an operator, or the end,", met), place_of_token(sql, stray[1]))
        way_out = instead(function[1]) or f"; those that there are {LISTED}" if function else ""
        return Mistake(f"is not an SQL expression: {said}{way_out}", _place_of_function(sql, said))
    place = _place(sql, int(found["line"]) - 1, int(found["column"]) - 1)
    expected = EXPECTED.fullmatch(found["what"])
    if expected is None:
        return Mistake(f"is not an SQL expression: {UNENDED.get(found['what'], found['what'])}", place)
    wanted = "the end" if expected["wanted"] == "end of statement" else expected["wanted"]
    at_end = place[0] >= len(sql.rstrip())
    met = AT_THE_END if at_end else f"there is {expected['found']}"
    if wanted == ")":
        signs = [text for text, _, end in tokens(sql) if end <= place[0]]
        wanted = "a comma or )" if signs.count("(") > signs.count(")") else "an operator, or the end,"
    return Mistake(_followed(wanted, met), place)


def of_engine(sql: str, error: Exception) -> Mistake | None:
    """Say what the engine says of an expression in words of this one, and what to write; None where it says something new."""
    pattern = pattern_of(error)
    told = in_words(error)
    return None if told is None else Mistake(told, place_of_text(sql, pattern) if pattern else None)


def place_of_text(sql: str, text: str) -> tuple[int, int] | None:
    """Find where an expression has a text."""
    return place_of_token(sql, written_out(text))


def written_out(text: str) -> str:
    """Write a text as it stands in an expression, in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def _followed(wanted: str, met: str) -> str:
    return f"is not an SQL expression: {wanted} should follow, but {met}"


def _lonely_bracket(sql: str) -> Mistake | None:
    """Find a bracket that lacks the other one."""
    opened: list[tuple[int, int]] = []
    for text, start, end in tokens(sql):
        if text == "(":
            opened.append((start, end))
        elif text == ")":
            if not opened:
                return Mistake("is not an SQL expression: this bracket closes none", (start, end))
            opened.pop()
    return Mistake("is not an SQL expression: this bracket is never closed", opened[-1]) if opened else None


def _place(sql: str, line: int, column: int) -> tuple[int, int]:
    """Give the place of a word by its line (from 1) and its column; what is beyond is the end."""
    lines = sql.split("\n")
    if line > len(lines):
        end = len(sql.rstrip())
        return end, end + 1
    start = sum(len(before) + 1 for before in lines[: line - 1]) + column
    stop = next((end for _, begin, end in tokens(sql) if begin == start), start + 1)
    return start, stop


def _place_of_function(sql: str, said: str) -> tuple[int, int] | None:
    named = re.search(r"function '(\w+)'", said)
    return place_of_word(sql, {named[1].upper()}) if named else None


def first_line(error: Exception) -> str:
    """Give the first line of an error, shortened."""
    line = str(error).strip().splitlines()[0].rstrip(".:")
    return line if len(line) <= 200 else f"{line[:200]}..."


# -- what was meant by a name --------------------------------------------------------------------------------

WORDS_SHOWN_MAX = 2  # of the columns that a word may stand for
MAPS_BY_HALF = {"attribute": "attributes", "attr": "attributes", "attrs": "attributes", "params": "attributes",
                "properties": "attributes", "metric": "metrics"}  # fmt: skip


def instead_of(name: str, sql: str, place: tuple[int, int] | None) -> str:
    """Give the clause that says what to write in place of a name that is no hub column; nothing where nobody knows."""
    own = words_here(name)
    if own:
        return f"; it is {own} here"
    hub = as_hub(name)
    if hub != name:
        return f'; did you mean "{hub}"?'
    known = [column for column, dtype in events.SCHEMA.items() if dtype != events.MAP]
    in_quotes = place is not None and sql[place[0]] == '"'
    if place is not None and (is_compared_with(sql, place) or sql.strip() == name):
        return f"; a text stands in single quotes: '{name}'"
    if near := suggest(name, known):
        return near
    if in_quotes:
        return f"; a text stands in single quotes: '{name}', a key of the event is \"attributes.{name}\""
    return "" if "." in name else f'; a key of the event is "attributes.{name}" or "metrics.{name}"'


NO_COLUMN = re.compile(r'unable to find column "([^"]+)"|^column not found: (\S+)')
OF_MAPS = re.compile(r"Map\(|map\[|StructFieldNotFound")
OF_TIMES = re.compile(r"compare 'date/datetime/time'|dtype: Datetime\('ms', 'UTC'\)")
OF_TEXT = re.compile(r"compare string with numeric|check for String values")


def notes_on(error: Exception) -> Iterator[str]:
    """Say what to write on a frame of hub events where polars says only that it cannot."""
    said = f"{type(error).__name__}: {error}"
    missing = NO_COLUMN.search(said)
    if missing is not None:
        name = missing[1] or missing[2]
        container, _, key = as_hub(name).partition(".")
        if key and container in KEYED:
            yield f'hub events hold "{key}" in a map: pl.col("{container}").map.get("{key}")'
        elif own := words_here(name):
            yield f'hub events have no "{name}": it is {own} here'
        else:
            yield f'hub events have no "{name}"{suggest(name, events.SCHEMA)}; translate.events.COLUMNS lists what they have'
    elif OF_MAPS.search(said):
        yield 'attributes, metrics and the like are maps of hub events: pl.col("attributes").map.get("KEY")'
    elif OF_TIMES.search(said):
        yield (
            'times of hub events are UTC: pl.col("time") >= datetime(2016, 4, 7, tzinfo=UTC), or scan(..., since="2016-04-07")'
        )
    elif OF_TEXT.search(said):
        yield "that column of hub events is text; compare it with text"


def words_here(name: str) -> str:
    """Name the hub columns for which a word of a model's own records stands, if it is one."""
    columns: Counter[str] | dict[str, int] = _by_place().get(name) or _by_place().get(name.lower()) or {}
    likeliest = sorted(columns, key=lambda column: (-columns[column], column))
    return " or ".join(f'"{column}"' for column in likeliest[:WORDS_SHOWN_MAX])


def as_hub(name: str) -> str:
    """Give a dotted name as the hub spells it, where the map's name is only nearly right; else the name as it is."""
    home, dot, key = name.partition(".")
    if not dot or not key or key_of(name) or type_of(name) is not None:
        return name
    lowered = home.lower()
    right = MAPS_BY_HALF.get(lowered, lowered)
    return f"{right}.{key}" if right in KEYED else name


@cache
def _by_place() -> dict[str, Counter[str]]:
    """Count, for each place of all models and its last word, the hub columns that it stands for."""
    found: dict[str, Counter[str]] = {}
    for model in mapping.models():
        for layout in mapping.load(model).layouts.values():
            for entry in layout.all_fields:
                column = next(iter(entry.hub), None)
                if column is None or events.SCHEMA[column] == events.MAP:
                    continue
                for word in {entry.place, entry.place.lower(), entry.path[-1], entry.path[-1].lower()}:
                    found.setdefault(word, Counter())[column] += 1
    return found
