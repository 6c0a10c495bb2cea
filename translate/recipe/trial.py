"""The tests inside a recipe: an event of hub columns as TOML says them, through the rules and the target's writer, and what came of it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl

from translate import events, mapping
from translate.errors import Complaint, suggest
from translate.mapping.settings import Settings, parse_time
from translate.mapping.sheet import Sheet, located
from translate.reader.hub import TRAVELLERS, with_event_ids
from translate.reader.literals import Refused, number_digits
from translate.recipe import privacy
from translate.recipe.mistakes import words_here
from translate.recipe.reshaping import COPY
from translate.recipe.rules import Recipe
from translate.recipe.spec import REJECT, Test
from translate.recipe.steps import FILTERED
from translate.vocabulary.notation import quoted
from translate.writer.dataset import moved, with_columns
from translate.writer.packing import ROW
from translate.writer.shape import Source, as_json
from translate.writer.writer import Writer

JSON_TEXT = ("other", "user_properties", "extra")
Row = dict[str, Any]


def read(sheet: Sheet, path: str, table: dict[str, Any], head: str = "") -> dict[str, Any]:
    """Give an event's hub columns; complain about what is none, or not of its type."""
    event: dict[str, Any] = {}
    for key, value in table.items():
        column, where = f"{head}{key}", f"{path}.{key}"
        if column not in events.SCHEMA:
            if isinstance(value, dict):
                event |= read(sheet, where, value, f"{column}.")
            else:
                own = words_here(column)
                near = f"; it is {own} here" if own else suggest(column, events.SCHEMA)
                home, _, last = column.partition(".")
                near = f"; write {home} = {{ {last} = ... }}" if home in events.MAPS and last else near
                sheet.complain(where, f'no hub column "{column}"{near}')
            continue
        try:
            event[column] = _value(column, value)
        except (ValueError, OverflowError) as error:
            sheet.complain(where, str(error))
    return event


def frame(samples: list[dict[str, Any]]) -> pl.LazyFrame:
    """Make hub events of samples, each with its number as its row."""
    rows = [
        {name: default for name, (_, default) in TRAVELLERS.items()} | {"row": number} | sample
        for number, sample in enumerate(samples)
    ]
    schema = {**{name: dtype for name, (dtype, _) in TRAVELLERS.items()}, **events.SCHEMA}
    values = {name: [row.get(name) for row in rows] for name in schema}
    return pl.DataFrame({name: pl.Series(values[name], dtype=dtype) for name, dtype in schema.items()}).lazy()


def _value(column: str, value: Any) -> Any:
    dtype = events.SCHEMA[column]
    if column in events.MAPS:
        table = _checked(value, isinstance(value, dict), "a table")
        return {key: _member(column, key, inner) for key, inner in table.items()}
    if dtype == events.TIME:
        return _time(value)
    if dtype == events.TEXT:
        if column in ("items", "impression") and isinstance(value, list):
            return json_text(value)
        return _checked(value, isinstance(value, str), "text")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if dtype == events.WHOLE:
        return _checked(value, is_number and isinstance(value, int), "a whole number")
    return float(_checked(value, is_number, "a number"))


def _checked(value: Any, fits: bool, kind: str) -> Any:  # noqa: FBT001  the one thing to check
    if not fits:
        raise ValueError(f"should be {kind}, but is {value!r}")
    return value


def _time(value: Any) -> dt.datetime:
    if isinstance(value, str):
        try:
            return parse_time(value)
        except ValueError:
            raise ValueError(f"should be a time, but is {value!r}") from None
    time: dt.datetime = _checked(value, isinstance(value, dt.datetime), "a time")
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _member(column: str, key: str, value: Any) -> str:
    if column in JSON_TEXT:
        return json_text(value)
    if column == "attributes":
        return str(_checked(value, isinstance(value, str), f"text under {key}"))
    if column == "user_property_times" and not isinstance(value, int):
        return str(int(_time(value).timestamp() * 1000))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return number_text(_checked(value, is_number, f"a number under {key}"))


def number_text(number: float) -> str:
    """Give a number's digits as the hub holds them."""
    if isinstance(number, int):
        return str(number)
    try:
        return number_digits(repr(number))[0]
    except (ArithmeticError, Refused):
        raise ValueError(f"should be a finite number, but is {number!r}") from None


def json_text(value: Any) -> str:
    """Write a TOML value as JSON text."""
    try:
        return quoted(value)
    except TypeError:
        raise ValueError(f"has no form in JSON: {value!r}") from None


def failures(recipe: Recipe, mappings: Path | None = None) -> list[Complaint]:
    """Run a recipe's tests; give a complaint for each difference."""
    if not recipe.tests:
        return []
    addresses = dict.fromkeys(test.to for test in recipe.tests)
    outcomes = {address: _outcomes(recipe, address, mappings) for address in addresses}
    differences = []
    for number, test in enumerate(recipe.tests):
        mine = [row for row in outcomes[test.to] if row["row"] == number]
        differences += [Complaint(recipe.file, *told) for told in _differences(test, mine)]
    return differences if recipe.path is None else located(differences, recipe.path)


def _outcomes(recipe: Recipe, address: str, mappings: Path | None) -> list[Row]:
    """Give what came of the tests' events in a layout: filtered, rejected, or the written row as `fields`.

    Beside the fields of the row stand those of the request around it, by their places.
    """
    model, layout = mapping.find_layout(address, mappings)
    provided = set(events.SCHEMA)
    given = with_event_ids(frame([test.event for test in recipe.tests]), provided)
    source = Source(frozenset(provided), {FILTERED: FILTERED}, recipe.set_columns)
    said: dict[str, Any] = {name: name for name in recipe.needs}  # each setting is its own value
    writer = Writer(model, with_columns(layout, recipe.columns), Settings(**said), source)
    marked = mapping.marked_anywhere(mappings) if recipe.personal else ()
    ruled = recipe.apply(given, marked, privacy.TRIAL_KEY)
    written = writer.rows(moved(ruled, recipe.columns)).collect().sort("row", COPY)
    if layout.records == "json-lines":
        values = {entry.place: as_json(entry, pl.col(f"@{entry.place}")) for entry in writer.shape.around}
        around = written.select(**values).to_dicts() if values else [{}] * written.height
        rows = zip(written[ROW], around, strict=True)
        fields = [{**_parsed(members), **json.loads(text or "{}")} for text, members in rows]
    else:
        places = {name[1:]: name for name in written.columns if name.startswith("=")}
        fields = written.select(**places).to_dicts()
    told = written.select("row", "code", "message", FILTERED).to_dicts()
    return [{**row, "fields": inner} for row, inner in zip(told, fields, strict=True)]


def _parsed(members: dict[str, str | None]) -> Row:
    return {place: json.loads(text) for place, text in members.items() if text is not None}


def _differences(test: Test, outcomes: list[Row]) -> list[tuple[str, str]]:
    rows = [row for row in outcomes if row[FILTERED] is None]
    if len(rows) != len(test.expect):
        wanted = f"give {_rows(len(test.expect))}" if test.expect else "be filtered"
        return [(test.path, f"should {wanted}, but {_got(rows, outcomes)}")]
    found = []
    for number, (row, expected) in enumerate(zip(rows, test.expect, strict=True), start=1):
        path = f"{test.path}.expect[{number}]" if len(rows) > 1 else test.path
        found += [(path, message) for message in _compare(row, expected)]
    return found


def _got(rows: list[Row], outcomes: list[Row]) -> str:
    if not rows:
        reasons = sorted({row[FILTERED] for row in outcomes})
        return f"is filtered: {', '.join(reasons)}"
    codes = sorted({row["code"] for row in rows if row["code"]})
    return f"gives {_rows(len(rows))}" + (f" (rejected: {', '.join(codes)})" if codes else "")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _compare(row: Row, expected: Row) -> list[str]:
    state = f"rejected ({row['code']}): {row['message']}" if row["code"] else "written"
    if REJECT in expected:
        is_so = row["code"] == expected[REJECT]
        return [] if is_so else [f"should be rejected ({expected[REJECT]}), but is {state}"]
    if row["code"] is not None:
        return [f"should be written, but is {state}"]
    return _compare_fields(row["fields"], expected, "")


def _compare_fields(fields: Any, expected: Row, head: str) -> list[str]:
    """Compare the fields that a test names, those of nested tables one by one."""
    messages = []
    for place, wanted in expected.items():
        actual = _lookup(fields, place)
        if isinstance(wanted, dict) and isinstance(actual, dict):
            messages += _compare_fields(actual, wanted, f"{head}{place}.")
        elif not _equal(actual, wanted):
            shown = "absent" if actual is None else _shown(actual)
            messages.append(f"{head}{place} should be {_shown(wanted)}, but is {shown}")
    return messages


def _lookup(fields: Any, place: str) -> Any:
    """Find a place by its name, else by its segments: a key may hold a dot itself."""
    if not isinstance(fields, dict):
        return None
    if place in fields:
        return fields[place]
    for position, character in enumerate(place):
        if character == "." and place[:position] in fields:
            return _lookup(fields[place[:position]], place[position + 1 :])
    return None


def _equal(actual: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(actual, bool):
        return actual is wanted
    if isinstance(wanted, int | float) and isinstance(actual, str):
        return actual == number_text(wanted)  # CSV holds the digits of numbers
    if wanted == "" and actual is None:
        return True  # and nothing where a value is absent
    return bool(actual == wanted)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
