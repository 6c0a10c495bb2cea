"""Texts that hold JSON, and captured HTTP requests: what lies in a record under one wrapping or another, and in lines, broken ones too."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

from translate.reader.literals import DECODER, Pairs, Refused, shown, syntax_error, too_deep

BRACKETS = ("{", "[")
BASE64 = re.compile(r"[\w+/-]+={0,2}")
FORM = re.compile(r"[\w.-]+=[^\s{}\[\]\"]*")
# A form as documents print it: the JSON in it stands as it is, not encoded.
PRINTED = re.compile(r"(?:[\w.-]+=[^\s{}\[\]\"&]*&)*[\w.-]+=[ \t]*(?=[{\[])")
FIELD = re.compile(r"[\s&]*([\w.-]+)=[ \t]*(?:(?=[{\[])|([^\s{}\[\]\"&]*))")


def opened(value: Any, place: str) -> Any:
    """Give the JSON that a text holds, plain or as base64, gzipped or not, or what a form holds by name.

    What is no text is open already.
    """
    if type(value) is not str:
        return value
    text = value.strip("\ufeff \t\r\n")
    if PRINTED.match(text):
        return printed_form(text)[0]
    if FORM.fullmatch(text) and not BASE64.fullmatch(text):
        return Pairs(parse_qsl(text, keep_blank_values=True))
    if not text.startswith(BRACKETS):
        text = _unpacked(text, place)
    try:
        return DECODER.decode(text.strip())
    except RecursionError:
        raise too_deep() from None
    except json.JSONDecodeError as error:
        raise Refused(
            "bad_json",
            f"{place} is not JSON: {error.msg[0].lower()}{error.msg[1:]} at character {error.pos + 1}",
        ) from None


def _unpacked(text: str, place: str) -> str:
    """Undo base64 of either alphabet, and gzip."""
    try:
        content = base64.b64decode("".join(text.split()).replace("-", "+").replace("_", "/"), validate=True)
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        return content.decode()
    except (binascii.Error, ValueError, OSError, EOFError, zlib.error):
        raise Refused("bad_body", f"{place} is neither JSON nor base64 of it: {shown(text)}") from None


def body_of(line: str) -> Any:
    """Give the body that a line is as it went over the wire, packed or a form; None if it is none.

    Raise Refused for a form whose JSON is broken.
    """
    text = line.strip("\ufeff \t\r\n")
    if PRINTED.match(text):
        return printed_form(text)[0]
    try:
        return None if text.startswith(BRACKETS) else opened(text, "the line")
    except Refused:
        return None


def printed_form(text: str, position: int = 0) -> tuple[Pairs, int]:
    """Give the members of a form whose JSON stands in it as it is, and where it ends; raise Refused if it is broken."""
    found = Pairs()
    while field := FIELD.match(text, position):
        name, encoded = field.groups()
        if encoded is not None:
            found.append((name, unquote_plus(encoded)))
            position = field.end()
        else:
            value, position = _printed(text, field.end())
            found.append((name, value))
        if not text.startswith("&", position):
            break
    return found, position


def _printed(text: str, position: int) -> tuple[Any, int]:
    try:
        return DECODER.raw_decode(text, position)
    except RecursionError:
        raise too_deep() from None
    except json.JSONDecodeError as error:
        raise syntax_error(text, error) from None


def object_in(value: Any) -> Pairs | None:
    """Give the object that a value is, or that a text holds, as JSON or as a form; None if there is none."""
    if type(value) is str:
        text = value.strip("\ufeff \t\r\n")
        if (
            text.startswith("{")
            or PRINTED.match(text)
            or (FORM.fullmatch(text) and not BASE64.fullmatch(text))
        ):
            value = opened(text, "the body")
    return value if isinstance(value, Pairs) else None


def peek(value: Any, path: tuple[str, ...]) -> Any:
    """Find a value by its path, through texts that hold JSON; None if there is none."""
    for segment in path:
        if type(value) is str and value.lstrip().startswith(BRACKETS):
            try:
                value = opened(value, segment)
            except Refused:
                return None
        if not isinstance(value, Pairs):
            return None
        value = value.get(segment)
    return value


def request_parts(record: Pairs) -> Pairs:
    """Give a captured request with its headers by lower-case name, its query by name, its path by segment.

    `path` becomes an object of each segment and the one that follows it: `/v1/apps/a/events` has `apps`: `a`.
    """
    parts: list[tuple[str, Any]] = []
    for key, value in record:
        named = _named(value) if key in ("headers", "query") else None
        if named is not None:
            parts.append((key, _headers(named) if key == "headers" else Pairs(named)))
        elif key in ("path", "raw_path") and type(value) is str:
            way, _, query = value.partition("?")
            if query and "query" not in record.names() and not any(name == "query" for name, _ in parts):
                parts.append(("query", Pairs(_of_query(query))))
            segments = [unquote(segment) for segment in way.split("/") if segment]
            if not any(name == "path" for name, _ in parts):
                parts.append(("path", Pairs(pairwise(segments))))
        else:
            parts.append((key, value))
    return Pairs(parts)


def _headers(named: list[tuple[str, Any]]) -> Pairs:
    """Give headers by lower-case name; texts of one name, in a list or sent one after the other, are one (RFC 9110, 5.3)."""
    found: dict[str, list[Any]] = {}
    for name, value in named:
        is_list = isinstance(value, list) and not isinstance(value, Pairs)
        found.setdefault(name.lower(), []).extend(value if is_list else [value])
    headers = Pairs()
    for name, values in found.items():
        is_text = all(type(value) is str for value in values)
        headers += [(name, ", ".join(values))] if is_text and values else [(name, value) for value in values]
    return headers


def _named(value: Any) -> list[tuple[str, Any]] | None:
    """Give names and values, of an object, of a list of pairs, or of a query's text; None if the value is none of these."""
    if isinstance(value, Pairs):
        return list(value)
    if type(value) is str:
        return _of_query(value)
    if isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is str for pair in value
    ):
        return [(name, inner) for name, inner in value]
    return None


def _of_query(text: str) -> list[tuple[str, Any]]:
    return list(parse_qsl(text.removeprefix("?"), keep_blank_values=True))


# -- the values of some lines -----------------------------------------------------------------------------------------

MEMBER = re.compile(r'"(\w+)"\s*:')
MARGIN = "\ufeff \t\r"
BLANKS = re.compile(r"[\ufeff \t\r\n]*")


def values_in(lines: Iterable[str], *, of_one_line: bool = False) -> Iterator[Any]:
    """Give the values of some lines, which may reach over several; of a broken line, whatever looks like a member.

    A line is asked for only once the values before it were taken. Where each is to be `of_one_line`, raise JSONDecodeError or
    RecursionError for a line that is none, or a piece of one.
    """
    left = iter(lines)
    for line in left:
        text, position = line.strip(MARGIN), 0
        while position < len(text):
            try:
                value, position = DECODER.raw_decode(text, position)
            except (json.JSONDecodeError, RecursionError):
                if of_one_line:
                    raise
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
