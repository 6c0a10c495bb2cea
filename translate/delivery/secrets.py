"""Secrets: taken from the environment, handed to requests, and masked in every text that leaves the process."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote

from translate.delivery.answers import Answer, Verdict
from translate.errors import UsageError
from translate.mapping.description import fits_header

COOKIE = "TRANSLATE_COOKIE"
LEARNING_CONTEXT_SECRET = "TRANSLATE_LEARNING_CONTEXT_SECRET"  # noqa: S105 - the name of the variable
LEARNING_CONTEXT_PASSWORD = "TRANSLATE_LEARNING_CONTEXT_PASSWORD"  # noqa: S105 - the name of the variable
LEARNING_CONTEXT_PASSWORDS = "TRANSLATE_LEARNING_CONTEXT_PASSWORDS"
OWN_NAMES = (COOKIE, LEARNING_CONTEXT_SECRET, LEARNING_CONTEXT_PASSWORD)
AWS_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
MASK = "***"
NO_HEADER = "cannot be sent as an HTTP header: it holds a line break or an unusual character"
MESSAGE_LENGTH_MAX = 500
TEXT_LENGTH_MAX = 20_000  # of a text that is searched for secrets
SPELLING_FACTOR = 12  # a character beyond ASCII, percent-encoded twice, is not longer
# Inside of a longer Base64 text only the middle of a secret keeps its spelling; shorter middles would hit by chance.
MIDDLE_LENGTH_MIN = 8

_BACKSLASH = r"(?:\\|%(?:25)*5[Cc])"  # itself encoded where a quoted text was
_ESCAPE = f"{_BACKSLASH}{{1,8}}"
_RUNS = re.compile(r"\\+|\s+|[^\\\s]")
_SHORT_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_HEADERS = re.compile(
    r"""(?ix) (?<![\w-]) ((?:proxy-)?authorization | (?:set-)?cookie | x-amz-security-token | x-amz-signature)
    (\\*["']?\s*[:=]\s*) (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\r\n]+ )"""
)
_SIGNED_WITH = re.compile(r"(?i)\b((?:aws_)?(?:credential|signature)\s*=\s*)[^\s,&\"']+")


class Secrets:
    """The secrets of one process; shows none of them, whoever prints it."""

    def __init__(self, values: Mapping[str, str] | None = None, described: Iterable[str] = ()) -> None:
        given = dict(values or {})
        self._named = {name: given[name] for name in (*OWN_NAMES, *described) if given.get(name)}
        cookie = self._named.get(COOKIE)
        if cookie is not None and not fits_header(cookie):
            raise UsageError(f"{COOKIE} {NO_HEADER}")
        self._known: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()
        self.remember(*self._named.values(), *(given[name] for name in AWS_NAMES if given.get(name)))
        self._passwords = _passwords(given.get(LEARNING_CONTEXT_PASSWORDS))
        passwords = [*self._passwords.values(), *filter(None, [self._named.get(LEARNING_CONTEXT_PASSWORD)])]
        self.remember(*passwords, *map(sha1_hex, passwords))

    @classmethod
    def from_environment(cls, described: Iterable[str] = ()) -> Secrets:
        """Take the secrets from this process's environment, those of further variables that a sheet names among them."""
        return cls(os.environ, described)

    def __repr__(self) -> str:
        """Show nothing."""
        return f"{type(self).__name__}({MASK})"

    def __reduce__(self) -> str:
        """Refuse to be copied to another process or a file."""
        raise TypeError("secrets are not written anywhere")

    def get(self, name: str) -> str | None:
        """Hand out a secret by the name of its environment variable; None if it is not set or empty."""
        return self._named.get(name)

    def password_of(self, account: str) -> str | None:
        """Hand out the password of one of several accounts; None if it is not known."""
        return self._passwords.get(account)

    def remember(self, *values: str | None) -> None:
        """Mask these, too, from now on (credentials that were found elsewhere, temporary ones)."""
        with self._lock:
            known = self._known | {value for value in values if value}
            if known == self._known:
                return
            fixed = {spelling for value in known for spelling in _fixed_spellings(value)}
            patterns = [*map(_read_anyhow, _longest_first(known)), *map(re.escape, _longest_first(fixed))]
            self._pattern = re.compile("|".join(patterns))
            self._known = known

    def mask(self, text: str) -> str:
        """Replace every secret, however it is spelt, and what follows a header of secrets, by `***`."""
        if not text:
            return text
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        text = _HEADERS.sub(rf"\1\g<2>{MASK}", text)
        return _SIGNED_WITH.sub(rf"\g<1>{MASK}", text)

    def told(self, text: str) -> str:
        """Make one short line, without secrets, of what a receiver or an exception says."""
        masked = self.mask(text[:TEXT_LENGTH_MAX])
        if len(text) > TEXT_LENGTH_MAX:
            # The cut may have gone through a secret, of which the mask then knows nothing.
            masked = masked[: -SPELLING_FACTOR * max(map(len, self._known), default=0) or None]
        line = " ".join("".join(sign if sign.isprintable() else " " for sign in masked).split())
        return line if len(line) <= MESSAGE_LENGTH_MAX else f"{line[: MESSAGE_LENGTH_MAX - 1]}…"

    def cover(self, answer: Answer) -> Answer:
        """Mask every text of an answer."""
        told = {verdict: self._covered(verdict) for verdict in set(answer.verdicts)}
        return replace(
            answer,
            verdicts=tuple(told[verdict] for verdict in answer.verdicts),
            request_id=None if answer.request_id is None else self.told(answer.request_id),
            stop=None if answer.stop is None else self.told(answer.stop),
            findings=tuple(self.told(finding) for finding in answer.findings),
        )

    def _covered(self, verdict: Verdict) -> Verdict:
        if not verdict.code and not verdict.message:
            return verdict
        return Verdict(verdict.pile, self.told(verdict.code), self.told(verdict.message))


def _passwords(text: str | None) -> dict[str, str]:
    """Read the passwords of several accounts."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    is_whole = isinstance(found, dict) and all(isinstance(one, str) and one for one in found.values())
    if found is None or not is_whole:
        raise UsageError(f"{LEARNING_CONTEXT_PASSWORDS} should be a JSON object of accounts and passwords")
    return found


def sha1_hex(text: str) -> str:
    """Give the lower-case hex SHA-1, as Learning Context's signature uses it (no protection of ours rests on it)."""
    return hashlib.sha1(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: (-len(text), text))


def _read_anyhow(value: str) -> str:
    """Give a pattern for a secret, each of its characters plain, percent-encoded (again and again) or escaped."""
    return "".join(map(_run_anyhow, _RUNS.findall(value)))


def _run_anyhow(run: str) -> str:
    """Give a pattern for one character, or for several backslashes or blanks: one by one they would match too freely."""
    if run[0] == "\\":
        return f"{_BACKSLASH}{{{len(run)},{8 * len(run)}}}"
    if run.isspace():
        return f"(?:{'|'.join(map(_sign_anyhow, sorted(set(run))))}){{1,{8 * len(run)}}}"
    return _sign_anyhow(run)


def _sign_anyhow(sign: str) -> str:
    raw = sign.encode("utf-8", "surrogateescape")
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    percent = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in raw)
    escaped = "".join(rf"{_ESCAPE}u(?i:{units[start : start + 4]})" for start in range(0, len(units), 4))
    in_bytes = "".join(rf"{_ESCAPE}x(?i:{byte:02x})" for byte in raw)
    ways = [rf"{_BACKSLASH}{{0,8}}(?:{re.escape(sign)}|{percent})", escaped, in_bytes]
    if not sign.isascii():
        ways += [re.escape(raw.decode("latin-1")), rf"{_ESCAPE}x(?i:{ord(sign):02x})"]
    if sign in _SHORT_ESCAPES:
        ways.append(rf"{_ESCAPE}{_SHORT_ESCAPES[sign]}")
    if sign.isspace():
        ways += [r"\s", r"\+"]
    return f"(?:{'|'.join(ways)})"


def _fixed_spellings(value: str) -> Iterator[str]:
    """Write a secret in Base64 and in hexadecimal digits."""
    raw = value.encode("utf-8", "surrogateescape")
    yield raw.hex()
    for text in _base64_spellings(raw):
        yield text
        yield quote(text, safe="")
        yield text.replace("/", "\\/")


def _base64_spellings(raw: bytes) -> Iterator[str]:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")
        for offset in range(3):
            # Six bits a character: what begins or ends amid the secret's bytes depends on its neighbours.
            first = -(-offset * 8 // 6)
            last = (offset + len(raw)) * 8 // 6
            middle = encode(b"\0" * offset + raw).decode()[first:last]
            if len(middle) >= MIDDLE_LENGTH_MIN:
                yield middle
