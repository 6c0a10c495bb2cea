"""What a mapping may ask of rows, of requests and of whole archives: the words, what each takes, of which kinds of places, and what a sheet says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from translate.errors import suggest
from translate.mapping import keys
from translate.mapping.sheet import Sheet, Table, join
from translate.mapping.spec import Field, Layout, Limit

# -- what lies in a place, so far as something may be asked of it: one value, many, or the names of many -----

ROW = "."
NAMES = ".*"

KINDS: dict[str, str] = {
    "row": "the whole row",
    "text": "one text",
    "whole": "one whole number",
    "number": "one number",
    "flag": "true or false",
    "json": "one JSON value",
    "list": "a list",
    "map": "free-form values",
    "key": "one of the free-form values",
    "names": "the names of free-form values",
    "user": "a user's attributes",
    "object": "an object as it is",
    "fields": "an object of places",
}


def kind_of(layout: Layout, place: str) -> str | None:
    """Tell what lies in a place, by one of `KINDS`; None if the layout has no such place.

    `.` is the row itself, `place.*` are the names of what lies in a place, `place.name` is one of its free-form values.
    """
    if place == ROW:
        return "row"
    fields = layout.by_place
    home = fields.get(place.removesuffix(NAMES))
    if place.endswith(NAMES) and place not in fields and home is not None:
        return "names" if home.word.holds_names else None
    head, _, key = place.partition(".")
    if key and head in fields and _kind_of_field(fields[head]) in ("map", "user"):
        return "key"
    if place in fields:
        return _kind_of_field(fields[place])
    return "fields" if any(entry.place.startswith(f"{place}.") for entry in layout.all_fields) else None


def _kind_of_field(entry: Field) -> str:
    kind = entry.wire if entry.const is not None else entry.word.kind
    return "list" if kind == "json" and entry.holds_list else kind


# -- the words -----------------------------------------------------------------------------------------------

Found = tuple[tuple[str, ...], str]  # where in a layout something is wrong, and what

REQUEST_LIMITS = {
    "events_min": "the fewest events of a request",
    "events_max": "the most events of a request",
    "bytes_max": "the most bytes of a request",
}
ARCHIVE_LIMITS = {
    "event_types_max": "the most event types of an application's own",
    "attribute_keys_max": "the most names of an application's attributes",
    "metric_keys_max": "the most names of an application's metrics",
    "interactions_min": "the fewest events",
    "users_with_two_min": "the fewest users with two events or more",
    "event_types_and_columns_max": "the most event types and optional columns together",
    "columns_max": "the most columns of the dataset's own",
    "distinct_times_min": "the fewest times that differ",
}


@dataclass(frozen=True)
class JudgeWord:
    """A judge by its name in a mapping: what it asks, of which kinds of places, and what its value has to be.

    One that `wants` nothing takes no value; `code` is what rows that it refuses are rejected by.
    """

    about: str
    kinds: tuple[str, ...]
    wants: str = ""
    holds: Callable[[Any], bool] = lambda value: value is None
    code: str = "over_limit"

    def complaint(self, value: Any) -> str | None:
        """Say what is wrong with a value, if anything."""
        if self.holds(value):
            return None
        if value is None:
            return f"is missing: {self.wants}"
        if not self.wants:
            return f"takes no value, but has {value!r}"
        return f"should be {self.wants}, but is {value!r}"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def is_pattern(value: Any) -> bool:
    """Tell whether a value is a regular expression."""
    return isinstance(value, str) and _can_be_looked_for(value)


@cache  # layouts that are like another one ask for the same
def _can_be_looked_for(value: str) -> bool:
    try:
        pl.select(pl.lit("").str.contains(value))
    except PolarsError:
        return False
    return True


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))


def _is_table_of(**holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == holds.keys()
        and all(hold(value[name]) for name, hold in holds.items())
    )


TEXTS = ("text", "map", "key", "names", "user")
SCALARS = ("text", "whole", "number", "flag", "json", "list", "map", "object", "user", "key")
WHOLE = ("a whole number", _is_whole)
PATTERN = ("a regular expression", is_pattern)
NESTED = ("map", "object", "json", "list")
LIST = ("a list of texts", _is_texts)
RANGE = ("a least and a most", _is_range)

WORDS: dict[str, JudgeWord] = {
    "required": JudgeWord("it has to be there", SCALARS),
    "one_required": JudgeWord("one of the places has to hold a text, of so many characters at least", ("text", "key"), *WHOLE, code="missing_required"),
    "required_in": JudgeWord("it has to be there in events of these names", ("key",), "a list of event names", _is_texts),
    "characters_max": JudgeWord("no text there is longer", (*TEXTS, "list"), *WHOLE),
    "characters_min": JudgeWord("no text there is shorter", (*TEXTS, "list"), *WHOLE),
    "characters_between": JudgeWord("every text there has so many characters", (*TEXTS, "list"), *RANGE),
    "bytes_max": JudgeWord("the row has no more bytes", ("row",), *WHOLE),
    "line_breaks_max": JudgeWord("no text there has more line breaks", ("text", "map"), *WHOLE),
    "pattern": JudgeWord("every text there is of this form", TEXTS, *PATTERN),
    "one_of": JudgeWord("it is one of these", ("text",), *LIST),
    "one_of_any_case": JudgeWord("it is one of these, in any case", ("text",), *LIST),
    "none_of_any_case": JudgeWord("it is none of these, in any case", ("text", "names", "key"), *LIST),
    "own_begin": JudgeWord("it begins so only if it is one of those known", ("text", "names"), "a table of prefix and known", _is_table_of(prefix=lambda value: isinstance(value, str), known=_is_texts)),
    "number_max": JudgeWord("no number there is larger", ("whole", "number"), *WHOLE),
    "float_bits_max": JudgeWord("no number there is beyond what a float of so many bits holds", ("number",), "16, 32 or 64", lambda value: value in (16, 32, 64) and _is_whole(value)),
    "plain_whole_numbers": JudgeWord("it has neither a fraction nor an exponent", ("whole",)),
    "numbers_of_bits": JudgeWord("its whole part is a number of so many bits, as its text may be", ("key",), "32 or 64", lambda value: value in (32, 64) and _is_whole(value)),
    "whole_numbers_of_bits": JudgeWord("it is a whole number of so many bits, or the text of one", ("key",), "32 or 64", lambda value: value in (32, 64) and _is_whole(value)),
    "spelled_as": JudgeWord("it stands there in one of these forms", ("key",), "a list of JSON texts", _is_texts),
    "no_objects": JudgeWord("it is neither an object nor a list", ("key",)),
    "texts_only": JudgeWord("it is a text, and not a number or anything else", ("text",)),
    "exact_types": JudgeWord("no value is of another type than its place asks for", ("map",)),
    "exact_duration": JudgeWord("it is the time from start to stop, to the millisecond", ("whole",)),
    "maps_of_texts": JudgeWord("all of its values are texts", ("object",)),
    "maps_of_lists": JudgeWord("all of its values are lists of texts", ("object",)),
    "members_max": JudgeWord("there are no more values, in all of the places together; in a list, no more elements", ("map", "user", "list"), *WHOLE),
    "depth_max": JudgeWord("nothing there is nested deeper, the value itself counted", NESTED, *WHOLE),
    "nested_members_max": JudgeWord("no object or list inside of it has more members", NESTED, *WHOLE),
    "nested_characters_max": JudgeWord("no text inside of its objects and lists is longer", NESTED, *WHOLE),
    "list_of_texts": JudgeWord("it is a list of so many texts of so many characters", ("list",), "a table of elements and characters, each a least and a most", _is_table_of(elements=_is_range, characters=_is_range)),
    "objects_whole": JudgeWord("an object that is there has all of these members", ("fields",), *LIST),
    "members_needed": JudgeWord("an object that is there has each of these members", ("fields",), *LIST),
    "members_exactly": JudgeWord("it is an object of these members, and of no others", ("key",), *LIST),
    "elements_need": JudgeWord("each element has one of these members", ("list",), *LIST),
    "elements_own_max": JudgeWord("no element has more members beside those known", ("list",), "a table of most and known", _is_table_of(most=_is_whole, known=_is_texts)),
}  # fmt: skip


def read_row_limits(sheet: Sheet, path: str, table: Table, key: str) -> dict[str, Limit]:
    """Read what is asked of rows: whose places these are is told once all fields are known."""
    limits = {}
    for name, where, inner in sheet.inner(table, path, key):
        sheet.known_keys(inner, where, keys.LIMIT)
        word = sheet.get(inner, where, "judge", str, name)
        if sheet.one_of(word, join(where, "judge") if "judge" in inner else where, "judge", WORDS):
            wrong = WORDS[word].complaint(inner.get("value"))
            if wrong is not None:
                sheet.complain(join(where, "value"), wrong)
        places = sheet.texts(inner, where, "places")
        if places == ():
            told = "is missing: a limit names the places that it judges"
            sheet.complain(join(where, "places"), told)
        alters = sheet.get(inner, where, "alters", str, "")
        if alters and inner.get("hard") is True:
            told = "has no effect: what is beyond a hard limit is refused"
            sheet.complain(join(where, "alters"), told)
        said = {key: sheet.get(inner, where, key, str) for key in ("beside", "says")}
        limit = Limit(name, inner.get("value"), *_why(sheet, inner, where), alters=alters, judge=word)
        limits[name] = replace(limit, places=places or (), **said)
    return limits


def read_limits(sheet: Sheet, path: str, table: Table, key: str, names: Iterable[str]) -> dict[str, Limit]:
    """Read what is asked of requests or of whole archives: numbers, each under its name."""
    limits = {}
    for name, where, inner in sheet.inner(table, path, key):
        sheet.one_of(name, where, "limit", names)
        sheet.known_keys(inner, where, keys.COUNTED)
        value = sheet.need(inner, where, "value", int, 0)
        if value < 0:
            sheet.complain(join(where, "value"), f"should not be negative, but is {value}")
        limits[name] = Limit(name, value, *_why(sheet, inner, where))
    return limits


def _why(sheet: Sheet, inner: Table, where: str) -> tuple[bool, str, bool]:
    """Read whether a limit is hard, who says so, and whether that was only seen."""
    return (
        sheet.need(inner, where, "hard", bool, default=True),
        sheet.need(inner, where, "source", str, ""),
        sheet.get(inner, where, "observed", bool, default=False),
    )


def asked_in_vain(layout: Layout) -> Iterator[Found]:
    """Find what can judge nothing: places that the layout does not have, or that hold what the judge does not judge."""
    for table, limits in (("limits", layout.limits), ("checks", layout.checks)):
        for name, limit in limits.items():
            if limit.judge in WORDS:
                yield from (((table, name, key), message) for key, message in _in_vain(layout, limit))
    known = {entry.place for entry in layout.all_fields}
    unknown = (place for place in layout.taken_without if place not in known)
    yield from ((("taken_without",), f'no field "{place}"') for place in unknown)


def _in_vain(layout: Layout, limit: Limit) -> Iterator[tuple[str, str]]:
    known = [entry.place for entry in layout.all_fields]
    for place in limit.places:
        kind = kind_of(layout, place)
        if kind is None:
            yield "places", f'no place "{place}"{suggest(place, known)}: nothing would be judged there'
        elif kind not in WORDS[limit.judge].kinds:
            yield "places", f'"{place}" is {KINDS[kind]}, of which "{limit.judge}" says nothing'
        elif limit.judge == "objects_whole" and isinstance(limit.value, list):
            needs = [f"{place}.{name}" for name in limit.value]
            yield from (("value", f'no field "{need}"') for need in needs if need not in known)
    if limit.beside is not None and limit.judge != "members_max":
        yield "beside", f'"{limit.judge}" counts nothing'
