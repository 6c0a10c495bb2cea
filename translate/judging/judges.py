"""The judges: each word that a sheet's limits may use, and in which rows a place is not as it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from translate.judging import members
from translate.judging.members import Look, Seldom
from translate.judging.rows import Keyed, Rows
from translate.mapping.checks import NAMES
from translate.mapping.spec import Limit
from translate.vocabulary.word import Word
from translate.vocabulary.words.objects import MAP_OF_LISTS, MAP_OF_TEXTS

# What a row is wrong in: in which rows, or what to look for; and what to say of them.
Wrong = Iterator[tuple[pl.Expr | Look | Seldom, str]]
Judge = Callable[[Limit, str, Rows], Wrong]

# The largest number that a float of so many bits holds.
HUB_BITS = 64  # of a whole number
LARGEST = {16: 65504.0, 32: 3.4028234663852886e38, 64: 1.7976931348623157e308}


def judged(limit: Limit, rows: Rows) -> Wrong:
    """Give what rows may be wrong in by one limit."""
    if limit.judge in TOGETHER:
        yield from TOGETHER[limit.judge](limit, rows)
        return
    for place in limit.places:
        yield from JUDGES[limit.judge](limit, place, rows)


# -- whether something is there -------------------------------------------------------------------------------------


def _required(_limit: Limit, place: str, rows: Rows) -> Wrong:
    yield rows.is_missing(place), f"{place} is missing"


def _required_in(limit: Limit, place: str, rows: Rows) -> Wrong:
    name = next(entry.place for entry in rows.layout.fields if entry.hub[:1] == ("name",))
    for event in limit.value:
        told = f"{place} is missing, in an event of {name} {event}"
        yield (rows.value(name) == event) & rows.is_missing(place), told


def _one_required(limit: Limit, rows: Rows) -> Wrong:
    """Ask for a text in one of the places; one that is too short is none."""
    least = limit.value
    texts = [each.told for place in limit.places for each in rows.texts(place)]
    enough = [(text.str.len_chars() >= least).fill_null(value=False) for text in texts]
    what = f" of {least:,} characters or more" if least > 1 else ""
    told = f"neither {' nor '.join(limit.places)} has a text{what}"
    yield ~pl.any_horizontal(pl.lit(value=False), *enough), told


def _objects_whole(limit: Limit, place: str, rows: Rows) -> Wrong:
    needs = [f"{place}.{name}" for name in limit.value]
    there = [value.is_not_null() for value in rows.members(place)]
    whole = pl.all_horizontal(rows.value(name).is_not_null() for name in needs)
    if there:
        yield pl.any_horizontal(there) & ~whole, f"{place} without {' or '.join(needs)}"


def _members_needed(limit: Limit, place: str, rows: Rows) -> Wrong:
    for name in limit.value:
        yield from _looked(rows, place, members.lacks(name), f"{place} without {name}")


def _members_exactly(limit: Limit, place: str, rows: Rows) -> Wrong:
    head, _, key = place.partition(".")
    message = f"{place} is not an object of {' and '.join(limit.value)}, and nothing else"
    yield from _looked(rows, head, members.is_not_exactly(key, limit.value), message)


def _texts_only(_limit: Limit, place: str, rows: Rows) -> Wrong:
    yield from _looked(rows, place, members.is_no_text, f"{place} is no text")


def _looked(rows: Rows, head: str, wrong: members.Wrong, message: str) -> Wrong:
    """Look at a member of the row's text; a writer's own members stand as their codecs write them."""
    if rows.whole is not None:
        yield Look(head, wrong, of_row=True), message


# -- texts ----------------------------------------------------------------------------------------------------------


def _is_not_between(least: int, most: int | None) -> Callable[[pl.Expr], pl.Expr]:
    def test(text: pl.Expr) -> pl.Expr:
        count = text.str.len_chars()
        if most is None:
            return count < least
        return count > most if least == 0 else ~count.is_between(least, most)

    return test


def _length(least: int, most: int | None) -> str:
    if most is None:
        return "that is empty" if least == 1 else f"of less than {least:,} characters"
    if least == 0:
        return f"of more than {most:,} characters"
    if least == 1:
        return f"that is empty or has more than {most:,} characters"
    return f"that is not of {least:,} to {most:,} characters"


def _characters(least: int, most: int | None, place: str, rows: Rows) -> Wrong:
    what = _length(least, most)
    if rows.kind(place) == "list":
        yield from _in_list(place, rows, members.has_text(least, most), f"a text in {place} {what}")
        return
    longest = most if least == 0 else None
    yield from _any_text(place, rows, _is_not_between(least, most), what, longest=longest)


def _any_text(
    place: str, rows: Rows, test: Callable[[pl.Expr], pl.Expr], what: str, *, longest: int | None = None
) -> Wrong:
    """Judge each of the texts in a place, or each of the names of what is in it, together; `longest` has no text that is right more bytes."""
    texts = rows.texts(place)
    found = [each.any(test) for each in texts]
    if not found:
        return
    message = f"{_noun(place, rows)} {what}"
    home = place.removesuffix(NAMES)
    if home in {**rows.free, **rows.users} and rows.kind(place) == "names":
        yield Seldom(home, key=test), message
    elif home in rows.users and rows.kind(place) == "user" and longest is not None:
        yield Seldom(home, found[0], bytes_max=longest), message
    elif home in rows.free and rows.kind(place) == "map" and longest is not None:
        besides = pl.any_horizontal(found[1:]) if found[1:] else None
        yield Seldom(home, found[0], bytes_max=longest, besides=besides), message
    else:
        yield pl.any_horizontal(found) if len(found) > 1 else found[0], message


def _noun(place: str, rows: Rows) -> str:
    kind = rows.kind(place)
    if kind == "names":
        return f"a name in {place.removesuffix(NAMES)}"
    if kind in ("map", "user"):
        return f"a value in {place}"
    return f"{'an' if place[0] in 'aeiouAEIOU' else 'a'} {place}"


def _pattern(limit: Limit, place: str, rows: Rows) -> Wrong:
    what = f"that is not of the form {limit.value}"
    yield from _any_text(place, rows, lambda text: ~text.str.contains(limit.value), what)


def _line_breaks_max(limit: Limit, place: str, rows: Rows) -> Wrong:
    most = limit.value
    what = f"with more than {most:,} line breaks" if most else "with a line break"
    yield from _any_text(place, rows, lambda text: text.str.count_matches(r"\r\n|[\r\n]") > most, what)


def _one_of(limit: Limit, place: str, rows: Rows) -> Wrong:
    told = f"{place} is none of {', '.join(limit.value)}"
    yield ~rows.value(place).cast(pl.String).is_in(limit.value), told


def _one_of_any_case(limit: Limit, place: str, rows: Rows) -> Wrong:
    lower = [text.lower() for text in limit.value]
    told = f"{place} is none of {', '.join(limit.value)}"
    yield ~rows.value(place).cast(pl.String).str.to_lowercase().is_in(lower), told


def _none_of_any_case(limit: Limit, place: str, rows: Rows) -> Wrong:
    lower = [text.lower() for text in limit.value]
    what = f"that is reserved ({', '.join(limit.value)}; in any case)"
    yield from _any_text(place, rows, lambda text: text.str.to_lowercase().is_in(lower), what)


def _own_begin(limit: Limit, place: str, rows: Rows) -> Wrong:
    prefix, known = limit.value["prefix"], limit.value["known"]
    what = f"that begins with {prefix}, as only those of the model's own should"
    yield from _any_text(place, rows, lambda text: text.str.starts_with(prefix) & ~text.is_in(known), what)


def _bytes_max(limit: Limit, _place: str, rows: Rows) -> Wrong:
    if rows.text is not None:
        yield rows.text.str.len_bytes() > limit.value, f"more than {limit.value:,} bytes"


# -- numbers --------------------------------------------------------------------------------------------------------


def _number_max(limit: Limit, place: str, rows: Rows) -> Wrong:
    told = f"{_noun(place, rows)} above {limit.value:,}"
    yield rows.value(place).cast(pl.Float64, strict=False) > limit.value, told


def _float_bits_max(limit: Limit, place: str, rows: Rows) -> Wrong:
    wrong = rows.value(place).cast(pl.Float64, strict=False).abs() > LARGEST[limit.value]
    yield wrong, f"{_noun(place, rows)} beyond what a float of {limit.value} bits holds"


def _plain_whole_numbers(_limit: Limit, place: str, rows: Rows) -> Wrong:
    wrong = rows.spelled(place).str.contains(r"^-?[0-9]+[.eE]")
    yield wrong, f"{place} has a fraction or an exponent, and should be a plain whole number"


def _keyed(
    place: str, rows: Rows, wrong: Callable[[Keyed], pl.Expr], message: str, *, whole_fits: bool = False
) -> Wrong:
    """Judge a value by its key, which most often is in no map, if anywhere in its own place; `whole_fits` tells that no whole number is wrong."""
    home, _, key = place.partition(".")
    if home not in rows.free:
        yield wrong(rows.keyed(place)), message
        return
    own = rows.free[home].at_its_own_place(key)
    is_sure = whole_fits and rows.is_written and rows.free[home].is_whole(key)
    besides = None if own is None or is_sure else wrong(own)
    yield Seldom(home, wrong(rows.keyed(place)), key=lambda name: name == key, besides=besides), message


def _numbers_of_bits(limit: Limit, place: str, rows: Rows) -> Wrong:
    """Ask for a number that fits, its fraction aside, or a text of a whole one; a blank text is read as none."""

    def wrong(value: Keyed) -> pl.Expr:
        whole = value.digits.str.extract(r"^(-?[0-9]+)")
        is_none = _is_no_whole_text(value, limit.value) | value.json.is_not_null()
        return ~_fits(whole, limit.value) | is_none

    message = f"{place} is no number of {limit.value} bits"
    yield from _keyed(place, rows, wrong, message, whole_fits=limit.value == HUB_BITS)


def _whole_numbers_of_bits(limit: Limit, place: str, rows: Rows) -> Wrong:
    def wrong(value: Keyed) -> pl.Expr:
        texts = pl.coalesce(value.text, value.digits)
        is_whole = texts.str.contains(r"^[+-]?[0-9]+$") & _fits(texts, limit.value)
        return ~is_whole | value.json.is_not_null()

    message = f"{place} is no whole number of {limit.value} bits"
    yield from _keyed(place, rows, wrong, message, whole_fits=limit.value == HUB_BITS)


def _is_no_whole_text(value: Keyed, bits: int) -> pl.Expr:
    text = value.text.str.strip_chars()
    return pl.when(text != "").then(~(text.str.contains(r"^[+-]?[0-9]+$") & _fits(text, bits)))


def _fits(whole: pl.Expr, bits: int) -> pl.Expr:
    number = whole.str.strip_prefix("+").cast({32: pl.Int32, 64: pl.Int64}[bits], strict=False)
    return pl.when(whole.is_not_null()).then(number.is_not_null())


def _spelled_as(limit: Limit, place: str, rows: Rows) -> Wrong:
    """Ask for one of several values, each as JSON writes it."""
    texts = [text.removeprefix('"').removesuffix('"') for text in limit.value if text.startswith('"')]
    others = [text for text in limit.value if not text.startswith('"')]

    def wrong(value: Keyed) -> pl.Expr:
        return pl.coalesce(~value.text.is_in(texts), ~value.digits.is_in(others), ~value.json.is_in(others))

    yield from _keyed(place, rows, wrong, f"{place} is none of {', '.join(others)}")


def _no_objects(_limit: Limit, place: str, rows: Rows) -> Wrong:
    def wrong(value: Keyed) -> pl.Expr:
        return value.json.str.contains(r"^[\[{]")

    yield from _keyed(place, rows, wrong, f"{place} is an object or a list")


# -- types ----------------------------------------------------------------------------------------------------------


def _exact_types(_limit: Limit, rows: Rows) -> Wrong:
    if rows.retyped is not None:
        yield rows.retyped, "a number where a text belongs, a text where a number belongs, or neither of them"


def _exact_duration(_limit: Limit, place: str, rows: Rows) -> Wrong:
    start, stop = (rows.hub(column) for column in rows.entry(place).hub[1:3])
    if start is not None and stop is not None:
        wrong = rows.value(place) != (stop - start).dt.total_milliseconds()
        yield wrong, f"{place} is not the time from start to stop, to the millisecond"


def _maps_of(word: Word, what: str) -> Judge:
    """Ask of objects what the word that writes such ones changes."""

    def judge(_limit: Limit, place: str, rows: Rows) -> Wrong:
        is_kept = rows.is_written and rows.entry(place).word is word
        if word.changed is not None and place in rows.objects and not is_kept:
            yield word.changed([rows.objects[place]]), f"{place} holds something that is no {what}"

    return judge


# -- counts and lists -----------------------------------------------------------------------------------------------


def _members_max(limit: Limit, rows: Rows) -> Wrong:
    """Count what is in all places together."""
    lists = [place for place in limit.places if rows.kind(place) == "list"]
    for place in lists:
        wrong_list = members.has_more_than(limit.value)
        yield from _in_list(place, rows, wrong_list, f"more than {limit.value:,} in {place}")
    places = [place for place in limit.places if place not in lists]
    if places:
        wrong = pl.sum_horizontal(rows.count(place, limit.beside) for place in places) > limit.value
        message = f"more than {limit.value:,} in {' and '.join(places)}"
        if len(places) == 1 and places[0] in rows.free:
            most = limit.value - len(rows.free[places[0]].presets)
            yield Seldom(places[0], wrong, entries_max=most), message
        else:
            yield wrong, message


def _list_of_texts(limit: Limit, place: str, rows: Rows) -> Wrong:
    elements, characters = (tuple(limit.value[name]) for name in ("elements", "characters"))
    message = f"{place} is not a list of {elements[0]:,} to {elements[1]:,} texts of {characters[0]:,} to {characters[1]:,} characters"
    yield from _in_list(place, rows, members.is_no_list_of_texts(elements, characters), message)


def _elements_need(limit: Limit, place: str, rows: Rows) -> Wrong:
    message = f"an element of {place} without {' or '.join(limit.value)}"
    yield from _in_list(place, rows, members.needs_one_of(limit.value), message)


def _elements_own_max(limit: Limit, place: str, rows: Rows) -> Wrong:
    most = limit.value["most"]
    message = f"an element of {place} with more than {most:,} members of its own"
    yield from _in_list(place, rows, members.has_own(most, limit.value["known"]), message)


def _in_list(place: str, rows: Rows, wrong: members.Wrong, message: str) -> Wrong:
    if place in rows.lists:
        yield Look(place, wrong), message


# -- what is nested -------------------------------------------------------------------------------------------------


def _nested(wrong: Callable[[int], members.Wrong], what: str) -> Judge:
    """Look into the objects and lists of a place, one by one."""

    def judge(limit: Limit, place: str, rows: Rows) -> Wrong:
        if rows.json_of(place) is not None:
            yield Look(place, wrong(limit.value)), f"{place} {what.format(limit.value)}"

    return judge


JUDGES: dict[str, Judge] = {
    "required": _required,
    "required_in": _required_in,
    "characters_max": lambda limit, place, rows: _characters(0, limit.value, place, rows),
    "characters_min": lambda limit, place, rows: _characters(limit.value, None, place, rows),
    "characters_between": lambda limit, place, rows: _characters(limit.value[0], limit.value[1], place, rows),
    "bytes_max": _bytes_max,
    "line_breaks_max": _line_breaks_max,
    "pattern": _pattern,
    "one_of": _one_of,
    "one_of_any_case": _one_of_any_case,
    "none_of_any_case": _none_of_any_case,
    "own_begin": _own_begin,
    "number_max": _number_max,
    "float_bits_max": _float_bits_max,
    "plain_whole_numbers": _plain_whole_numbers,
    "numbers_of_bits": _numbers_of_bits,
    "whole_numbers_of_bits": _whole_numbers_of_bits,
    "spelled_as": _spelled_as,
    "no_objects": _no_objects,
    "texts_only": _texts_only,
    "exact_duration": _exact_duration,
    "maps_of_texts": _maps_of(MAP_OF_TEXTS, "text"),
    "maps_of_lists": _maps_of(MAP_OF_LISTS, "list of texts"),
    "depth_max": _nested(members.is_deeper_than, "is nested deeper than {:,}"),
    "nested_members_max": _nested(
        members.has_larger_than, "holds an object or list of more than {:,} members"
    ),
    "nested_characters_max": _nested(members.has_longer_inside, "holds a text of more than {:,} characters"),
    "list_of_texts": _list_of_texts,
    "objects_whole": _objects_whole,
    "members_needed": _members_needed,
    "members_exactly": _members_exactly,
    "elements_need": _elements_need,
    "elements_own_max": _elements_own_max,
}
# Those that look at all of their places at once.
TOGETHER: dict[str, Callable[[Limit, Rows], Wrong]] = {
    "one_required": _one_required,
    "members_max": _members_max,
    "exact_types": _exact_types,
}
