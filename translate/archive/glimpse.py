"""A glimpse of a file's first lines: what values they hold, as far as these can be told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from translate.reader.literals import DECODER, Pairs, Refused
from translate.reader.opening import PRINTED, body_of, printed_form

MEMBER = re.compile(r'"(\w+)"\s*:')
MARGIN = "\ufeff \t\r"
BLANKS = re.compile(r"[\ufeff \t\r\n]*")


class Glimpsed:
    """Records that are parsed when they are first asked for, once."""

    def __init__(self, records: Iterator[Any]) -> None:
        self._records = records
        self._seen: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        yield from self._seen
        for record in self._records:
            self._seen.append(record)
            yield record


def values_in(lines: Iterable[str]) -> Iterator[Any]:
    """Give the values of some lines, which may reach over several; of a broken line, whatever looks like a member.

    A line is asked for only once the values before it were taken.
    """
    left = iter(lines)
    for line in left:
        text, position = line.strip(MARGIN), 0
        while position < len(text):
            try:
                value, position = DECODER.raw_decode(text, position)
            except (json.JSONDecodeError, RecursionError):
                more = [following.strip(MARGIN) for following in left]
                if more:
                    text = "\n".join([text, *more])
                    continue
                value, position = _of_broken(text, position)
            yield value
            position = BLANKS.match(text, position).end()  # type: ignore[union-attr]  # it matches nothing at all, too


def _of_broken(text: str, position: int) -> tuple[Any, int]:
    """Give the elements of an array that goes on after the text; of any other broken line what looks like a member."""
    printed = PRINTED.match(text, position)
    if printed:
        return _of_printed(text, position, printed.end())
    elements, end = _elements(text, position)
    if len(elements) > 1 or (elements and end == len(text)):
        return elements, len(text)
    line, _, _ = text[position:].partition("\n")
    body = body_of(line)
    if body is not None:
        return body, position + len(line)
    members = Pairs((name, "") for name in MEMBER.findall(line))
    return [members] if line.startswith("[") else members, position + len(line)


def _of_printed(text: str, position: int, begin: int) -> tuple[Any, int]:
    """Give the form that begins in a text; if it goes on after the text, with the elements that are there."""
    try:
        return printed_form(text, position)
    except Refused:
        name = text[position:begin].rstrip("= \t").rpartition("&")[2]
        return Pairs([(name, _elements(text, begin)[0])]), len(text)


def _elements(text: str, position: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while text[position : position + 1] == ("," if found else "["):
        position = BLANKS.match(text, position + 1).end()  # type: ignore[union-attr]
        try:
            value, position = DECODER.raw_decode(text, position)
        except (json.JSONDecodeError, RecursionError):
            break
        found.append(value)
        position = BLANKS.match(text, position).end()  # type: ignore[union-attr]
    return found, position
