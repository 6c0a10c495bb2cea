"""People whose events are left out, by a list of their ids, and where a text still tells of one of them.

An id is compared as it stands in the list, in the columns that tell who somebody is and in the places that data sheets
mark as personal; with a key in the environment, what the list or the archive holds may be the keyed hash of it. A text
is looked through down to JSON inside of JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import polars as pl

from translate import events
from translate.engine.texts import Search
from translate.errors import UsageError
from translate.mapping.personal import WHO, Marked, Spot
from translate.recipe import privacy

OPTION = "--erase"  # the reason of what is left out
COLUMNS = ("user_id", "client_id", "cognito_id", "device_id")
WORD_BYTES = 16  # an id with fewer is found only as a word of its own
FEW_DIGITS = 8  # an id of fewer is no number of JSON
LAYERS_MAX = 8
HASH = re.compile(r"[0-9a-f]{64}")
ESCAPED = re.compile(rb"\\.", re.DOTALL)
UNICODE = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+")
ALTERING = re.compile(rb'\\[^"\\]')  # an escape that may stand in an id, or whose letter may stand before one
PLAIN = (
    (rb"\"", b'"'), (rb"\/", b"/"), (rb"\n", b" "),
    (rb"\b", b"\b"), (rb"\f", b"\f"), (rb"\r", b"\r"), (rb"\t", b"\t"),
)  # fmt: skip
# What would divide lines, or texts of JSON, is none of an id that has no quotes.
DIVIDING = (b"%0A", b" "), (b"%0a", b" "), (b"%22", b"'"), (b"%5C", b"/"), (b"%5c", b"/")
BASE64 = '{"base64":'
WITHHELD = "its text and message are withheld: a listed id stands in them"
WITHHELD_UNSEEN = "its text and message are withheld: a listed hash may be of somebody in them"


@dataclass(frozen=True)
class Erasure:
    """A list of ids, each with its line, and the key of hashes if there is one."""

    lines: dict[str, int]
    key: str | None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process without the key, which is in its environment too."""
        return Erasure.of, (self.lines,)

    @classmethod
    def of(cls, lines: dict[str, int]) -> Erasure:
        """Take the key of the environment, if there is one; raise UsageError for one that could be guessed."""
        needed_for = f"{OPTION} may name people by keyed hashes"
        return cls(lines, privacy.key_of_environment(needed_for) if privacy.KEY in os.environ else None)

    @cached_property
    def digest(self) -> Callable[[str], str] | None:
        """Hash a text as recipes do; nothing without a key."""
        return None if self.key is None else privacy.digest_by(self.key)

    @cached_property
    def wanted(self) -> dict[str, int]:
        """Give what stands in an archive for those listed, as far as that is known before."""
        if self.digest is None:
            return self.lines
        return {**{self.digest(text): line for text, line in self.lines.items()}, **self.lines}

    @cached_property
    def is_by_hash(self) -> bool:
        """Tell whether what the archive holds has to be hashed to be known."""
        return self.key is not None and any(map(is_like_hash, self.lines))

    @cached_property
    def traces(self) -> Traces:
        """Look for what is wanted."""
        return Traces(self.wanted)

    def described(self) -> dict[str, Any]:
        """Tell lists apart without telling them."""
        return {"ids": len(self.lines), "fingerprint": self._fingerprint}

    @cached_property
    def _fingerprint(self) -> str:
        """Make a hash that is slow to try out, and another one with another key."""
        text, salt = "\n".join(sorted(self.lines)), self.key or "translate: which list"
        return hashlib.scrypt(text.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=8).hex()

    def line_of(self, text: str) -> int | None:
        """Give the line of the list that a text of the archive is meant by."""
        line = self.wanted.get(text)
        if line is None and self.is_by_hash and self.digest is not None:
            return self.lines.get(self.digest(text))
        return line


def is_like_hash(text: str) -> bool:
    """Tell whether a text may be a keyed hash."""
    return HASH.fullmatch(text) is not None


def listed_in(file: str | os.PathLike[str] | Iterable[str]) -> Erasure:
    """Read a list, an id a line, or take the ids themselves; raise UsageError where there is none."""
    if not isinstance(file, str | os.PathLike):
        return _listed(file, f"{OPTION} is an empty list")
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{OPTION} {file}: is not UTF-8 text; it holds an id a line") from None
    except FileNotFoundError:
        raise UsageError(
            f"{OPTION} {file}: there is no such file; name one that holds an id a line"
        ) from None
    except IsADirectoryError:
        raise UsageError(f"{OPTION} {file}: is a folder; name a file that holds an id a line") from None
    except OSError as error:
        raise UsageError(f"{OPTION} {file}: {error.strerror or error}") from None
    return _listed(text.split("\n"), f"{OPTION} {file}: lists no id; it holds one a line")


def _listed(ids: Iterable[str], none: str) -> Erasure:
    lines: dict[str, int] = {}
    for number, line in enumerate(ids, 1):
        if line.strip():
            lines.setdefault(line.strip(), number)
    if not lines:
        raise UsageError(none)
    return Erasure.of(lines)


@dataclass
class Erasing:
    """Whose events of a unit are left out: `met` are the listed texts that its events have, and their lines in the list."""

    erasure: Erasure
    marked: Iterable[Marked] = ()
    met: dict[str, int] = field(default_factory=dict)
    withheld: int = 0

    def is_listed(self) -> pl.Expr:
        """Tell the events of those listed."""
        spots = [spot for place in self.marked if place.kind in WHO for spot in place.spots]
        columns = dict.fromkeys([*map(Spot, COLUMNS), *spots])
        values = [spot.text() for spot in columns if spot.key is not None or spot.column not in events.MAPS]
        return pl.map_batches(values, self._look, return_dtype=pl.Boolean, is_elementwise=True)

    def _look(self, columns: Sequence[pl.Series]) -> pl.Series:
        listed = pl.repeat(value=False, n=max(map(len, columns)), dtype=pl.Boolean, eager=True)
        for column in columns:
            if column.null_count() == len(column):
                continue
            found = {text: line for text in column.unique() if text and (line := self.erasure.line_of(text))}
            if found:
                self.met |= found
                listed |= column.is_in(list(found)).fill_null(value=False)
        return listed

    def withhold(self, rejects: Sequence[str]) -> list[str]:
        """Take text and message out of the rejects that tell of somebody listed, or may do so."""
        found = dict(self.erasure.traces.places("".join(f"{reject}\n" for reject in rejects).encode()))
        return [self._withheld(reject, is_found=line in found) for line, reject in enumerate(rejects)]

    def _withheld(self, reject: str, *, is_found: bool) -> str:
        if not is_found and not self.erasure.is_by_hash and not self._tells_in_bytes(reject):
            return reject
        self.withheld += 1
        values = json.loads(reject)
        why = WITHHELD_UNSEEN if self.erasure.is_by_hash else WITHHELD
        return json.dumps({**values, "message": why, "raw": None}, ensure_ascii=False, separators=(",", ":"))

    def _tells_in_bytes(self, reject: str) -> bool:
        """Tell whether somebody listed stands in a record that is kept as bytes, for it is no text."""
        if BASE64 not in reject:
            return False
        raw = json.loads(reject)["raw"]
        held = base64.b64decode(raw["base64"]) if isinstance(raw, dict) and "base64" in raw else b""
        return any(self.erasure.traces.places(held))


class Traces:
    """Finds where texts stand within a longer one."""

    def __init__(self, lines: dict[str, int]) -> None:
        spelled: dict[bytes, int] = {}
        for text, line in lines.items():
            whole = text.replace("\n", " ")
            for spelling in (whole, whole.replace('"', '""')):
                spelled.setdefault(spelling.encode(errors="replace"), line)
        self._texts, self._lines = list(spelled), list(spelled.values())
        self._search = Search(self._texts, words=WORD_BYTES)
        self._may_be_quoted = any(quote(text) != text or len(text) < WORD_BYTES for text in lines)
        self._have_spaces = any(b" " in text for text in self._texts)
        self._are_plain = not any(b'"' in text or b"\\" in text for text in self._texts)

    def places(self, block: bytes, *, is_json: bool = True) -> Iterator[tuple[int, int]]:
        """Give the lines of a block, from 0, that hold one of the texts, and for each the line that names the text."""
        found: dict[int, int] = {}
        is_plain = self._are_plain and ALTERING.search(block) is None
        for text in [block] if is_plain else _layers(block):
            for line, named in self._places(text, is_json=is_json):
                found.setdefault(line, named)
            for address in self._unquoted(text):
                for line, named in self._places(address, is_json=is_json):
                    found.setdefault(line, named)
        yield from sorted(found.items())

    def _unquoted(self, text: bytes) -> Iterator[bytes]:
        """Give what a text holds where it is quoted as in addresses, perhaps more than once; lines stay lines."""
        if not self._may_be_quoted:
            return
        if self._have_spaces and b"+" in text:
            text = text.replace(b"+", b" ")
            yield text
        for _ in range(LAYERS_MAX):
            if b"%" not in text:
                return
            before = text
            for quoted, meant in DIVIDING if self._are_plain else DIVIDING[:2]:
                text = text.replace(quoted, meant)
            text = unquote_to_bytes(text)
            if text == before:
                return
            yield text

    def _places(self, text: bytes, *, is_json: bool) -> Iterator[tuple[int, int]]:
        at = line = counted = 0
        quotes = _Quotes(text)
        while (hit := self._search.next(text, at)) is not None:
            place, number = hit
            if is_json and self._is_few_digits(number) and not quotes.are_open(place):
                at = place + 1
                continue
            line += text.count(b"\n", counted, place)
            counted = place
            yield line, self._lines[number]
            at = text.find(b"\n", place)
            if at < 0:
                return

    def _is_few_digits(self, number: int) -> bool:
        text = self._texts[number]
        return len(text) < FEW_DIGITS and text.isdigit()


class _Quotes:
    """Tells whether a place of JSON lines is within quotes; places come in order."""

    def __init__(self, text: bytes) -> None:
        self._text, self._at, self._open = text, 0, False

    def are_open(self, place: int) -> bool:
        start = self._text.rfind(b"\n", self._at, place)
        if start >= 0:
            self._at, self._open = start, False
        self._open ^= bool(ESCAPED.sub(b"", self._text[self._at : place]).count(b'"') % 2)
        self._at = place
        return self._open


def _layers(text: bytes) -> Iterator[bytes]:
    """Give a text, and what it holds where it is JSON, and JSON inside of JSON; lines stay lines."""
    yield text
    for _ in range(LAYERS_MAX):
        if b"\\" not in text:
            return
        halves = text.split(rb"\\")
        text = b"\\".join(map(_unescaped, halves))
        yield text


def _unescaped(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    for escaped, meant in PLAIN:
        text = text.replace(escaped, meant)
    return UNICODE.sub(_characters, text) if rb"\u" in text else text


def _characters(escapes: re.Match[bytes]) -> bytes:
    characters = json.loads(b'"' + escapes[0] + b'"')
    return str(characters).replace("\n", " ").encode(errors="replace")
