"""The keys that stand in a record's raw text: an own scanner, so that no reader's slip can hide in its count."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple
from urllib.parse import parse_qsl

# A member with its key and the beginning of its value; else a text, a bracket or a word, on its own.
TOKENS = re.compile(
    r'"([^"\\]*(?:\\.[^"\\]*)*)"'
    r'(?:[ \t\r\n]*:[ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*"|[{\[]|[^ \t\r\n,:{}\[\]"]+))?'
    r'|([{}\[\]]|[^ \t\r\n,:{}\[\]"]+)',
    re.DOTALL,
)
ESCAPES = re.compile(
    r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL
)
PLAIN_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
BOM = "\ufeff"
GZIP_MAGIC = b"\x1f\x8b"
PACKED = re.compile(r"[A-Za-z0-9_+/-]+={0,2}")
PRINTED = re.compile(r'(?:[\w.-]+=[^\s{}\[\]"&]*&)*[\w.-]+=[ \t]*[{\[]')
FORM = re.compile(r'[\w.-]+=[^\s{}\[\]"]*')
KINDS = {'"': "text", "n": "null", "t": "flag", "f": "flag"}


class Members(list[tuple[str, "Value"]]):
    """An object's members in order, doubled ones too, their keys without escapes."""

    __slots__ = ()


class Elements(list["Value"]):
    """A list's elements."""

    __slots__ = ()


# What is neither object nor list is the text of its token, a text with its quotes and escapes.
Value = Members | Elements | str


class Below(Enum):
    """What lies below a place that has no tree of its own: nothing that counts, any key, or entities."""

    NOTHING = "a value that counts as one key, whatever is in it"
    KEYS = "an object with a key for each value"
    PROPERTIES = "such an object, each value by itself or as the `value` of an object"
    ENTITIES = "a list of objects, each of a key and a value"
    JSON_OF_KEYS = "a text that holds the JSON of such an object"


# A known object's members: by name, the tree below each.
Tree = dict[str, "Tree | Below"]


class Key(NamedTuple):
    """One key of a record: its path, and the kind of its value.

    `known` tells how many segments of the path the tree knows; `doubled` that its object has the key more than
    once, and `passed_over` that it stands only in what a later member of the same key takes the place of; `around`
    that it belongs to the request around the events.
    """

    path: tuple[str, ...]
    kind: str
    known: int
    doubled: bool
    passed_over: bool = False
    around: bool = False


def scan(text: str) -> Value:
    """Give the value that a JSON text holds; of a text that breaks off or goes wrong, what was understood."""
    found = scan_all(text)
    return found[0] if found else ""


def scan_all(text: str) -> Elements:
    """Give the values that stand one after the other in a text."""
    root = Elements()
    here: Members | Elements = root
    outer: list[Members | Elements] = []
    for key, value, token in TOKENS.findall(text.removeprefix(BOM)):
        if token in ("}", "]") and token:
            if not outer:
                break
            here = outer.pop()
            continue
        begun = value or token
        found: Value = begun or f'"{key}"'
        if begun == "{":
            found = Members()
        elif begun == "[":
            found = Elements()
        if isinstance(here, Elements):
            here.append(found)
        elif value:
            here.append((unescaped(key) if "\\" in key else key, found))
        if not isinstance(found, str):
            outer.append(here)
            here = found
    return root


def unescaped(text: str) -> str:
    r"""Undo the escapes of a JSON text's inside.

    >>> unescaped(r"a\"\u00e4\n")
    'a"ä\n'
    """
    return ESCAPES.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    high, low, single, plain = match.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    return chr(int(single, 16)) if single else PLAIN_ESCAPES.get(plain, plain)


def text_of(value: Value) -> str | None:
    """Give a text without its quotes and escapes; None if the value is none."""
    return unescaped(value[1:-1]) if isinstance(value, str) and value.startswith('"') else None


def opened(value: Value) -> Value:
    """Give the value inside of a text that holds JSON, as `unpacked` gives it; others as they are."""
    text = text_of(value)
    inside = None if text is None else unpacked(text)
    return value if inside is None else inside


def unpacked(text: str) -> Value | None:
    """Give what a text holds: JSON, plain or as base64, gzipped or not, or a form's members; None if it holds none."""
    inside = text.strip("\ufeff \t\r\n")
    if PRINTED.match(inside):
        return _of_printed(inside)
    if FORM.fullmatch(inside) and not PACKED.fullmatch(inside):
        return as_texts(parse_qsl(inside, keep_blank_values=True))
    if not inside.startswith(("{", "[")):
        try:
            content = base64.b64decode(
                "".join(inside.split()).replace("-", "+").replace("_", "/"), validate=True
            )
            inside = (gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content).decode()
        except (ValueError, OSError, EOFError, zlib.error):
            return None
    return scan(inside.strip())


def as_texts(pairs: Iterable[tuple[str, str]]) -> Members:
    """Give names and texts as an object's members."""
    return Members((name, json.dumps(text)) for name, text in pairs)


def _of_printed(form: str) -> Members:
    """Give the members of a form whose JSON stands in it as it is."""
    found = Members()
    rest = form
    while rest:
        name, _, after = rest.partition("=")
        value = after.lstrip(" \t")
        if value.startswith(("{", "[")):
            end = _end_of_first(value)
            found.append((name.strip(), scan(value[:end])))
            rest = value[end:].partition("&")[2]
        else:
            field, _, rest = rest.partition("&")
            found += as_texts(parse_qsl(field, keep_blank_values=True))
    return found


def _end_of_first(text: str) -> int:
    """Tell where the first value of a text ends."""
    depth = 0
    for token in TOKENS.finditer(text):
        _, value, alone = token.groups()
        begun = value or alone
        depth += (begun in ("{", "[")) - (begun in ("}", "]"))
        if depth <= 0:
            return token.end()
    return len(text)


def kind_of(value: Value) -> str:
    """Name the kind of a value: object, list, text, empty (a text without characters), number, flag or null."""
    if isinstance(value, str):
        return "empty" if value == '""' else KINDS.get(value[:1], "number")
    return "object" if isinstance(value, Members) else "list"


def keys(value: Value, tree: Tree | Below) -> list[Key]:
    """Give each key once: all members but the objects that are known by their members, or unknown ones by theirs.

    An object without any member counts as a key itself.
    """
    return keys_below(value, tree, ()) if isinstance(value, Members) else []


def keys_below(members: Members, tree: Tree | Below | None, path: tuple[str, ...]) -> list[Key]:
    """Give the keys of an object that stands at a path which the tree knows."""
    found: list[Key] = []
    _walk(members, tree, path, len(path), found, passed_over=False)
    if any(key.passed_over for key in found):
        there = {key.path for key in found if not key.passed_over}
        kept = (key for key in found if not key.passed_over or key.path not in there)
        found = list({key.path: key for key in kept}.values())
    return found


def _walk(
    members: Members,
    tree: Tree | Below | None,
    path: tuple[str, ...],
    known: int,
    found: list[Key],
    *,
    passed_over: bool,
) -> None:
    """Gather the keys of an object; `known` counts the segments down to it that the tree knows."""
    last = dict(members)
    is_single = len(last) == len(members)
    if not is_single:
        _walk_earlier(members, tree, path, known, found)
    is_tree = isinstance(tree, dict)
    otherwise = Below.NOTHING if tree is Below.KEYS else None
    for name, value in last.items():
        here = (*path, name)
        below = tree.get(name) if is_tree else otherwise  # type: ignore[union-attr]
        depth = known if below is None else len(here)
        if not isinstance(value, str) or below is Below.JSON_OF_KEYS:
            inner, inner_tree = _inside(value, below)
            if inner:
                _walk(inner, inner_tree, here, depth, found, passed_over=passed_over)
                continue
        doubled = not is_single and sum(key == name for key, _ in members) > 1
        found.append(Key(here, kind_of(value), depth, doubled, passed_over))


def _walk_earlier(
    members: Members, tree: Tree | Below | None, path: tuple[str, ...], known: int, found: list[Key]
) -> None:
    """Gather the keys below members that a later one of the same key takes the place of."""
    last = {name: number for number, (name, _) in enumerate(members)}
    for number, (name, value) in enumerate(members):
        if number != last[name]:
            _walk(Members([(name, value)]), tree, path, known, found, passed_over=True)


def _inside(value: Value, below: Tree | Below | None) -> tuple[Members, Tree | Below | None]:
    """Give the members of a value that is known by them, and their tree."""
    if below is Below.NOTHING or (isinstance(value, str) and below is not Below.JSON_OF_KEYS):
        return Members(), below
    if below is Below.JSON_OF_KEYS:
        value, below = opened(value), Below.KEYS
    if below is Below.PROPERTIES:
        return Members((name, _own_value(inner)) for name, inner in members_of(value)), Below.KEYS
    if below is Below.ENTITIES:
        return (_numbered(value), Below.KEYS) if isinstance(value, Elements) else (Members(), below)
    return (value, below) if isinstance(value, Members) else (Members(), below)


def _own_value(value: Value) -> Value:
    """Give what an object says to be its value; of anything else, itself."""
    return dict(value).get("value", value) if isinstance(value, Members) else value


def members_of(value: Value) -> Members:
    """Give an object's members, a list's entities as members, and no members of anything else."""
    if isinstance(value, Elements):
        return _numbered(value)
    return value if isinstance(value, Members) else Members()


def _numbered(entities: Elements) -> Members:
    """Give the entities as members: the second one of a key gets `#2`, and so on."""
    numbered: dict[str, Value] = {}
    for entity in entities:
        pair = dict(entity) if isinstance(entity, Members) else {}
        key = text_of(pair.get("key", ""))
        if key is not None:
            count = 2
            name = key
            while name in numbered:
                name, count = f"{key}#{count}", count + 1
            numbered[name] = pair.get("value", "null")
    return Members(numbered.items())
