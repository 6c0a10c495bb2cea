"""What is made anew for each request: numbers, digests and times that follow from what it holds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from urllib.parse import urlencode

from translate.vocabulary.codecs import parameters
from translate.vocabulary.notation import quoted

HOUR = 3_600_000
SECOND = 1000
DIGEST_LENGTH = 8
REQUEST_ID_LENGTH = 32


def text_of(value: str) -> str:
    """Give the text that a JSON text stands for; of any other value its spelling."""
    found = json.loads(value)
    return found if isinstance(found, str) else value


def members_of(extra: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Give the paths and JSON texts of what a request holds beside all that is known, from JSON text of both."""
    return tuple((tuple(path), text) for path, text in json.loads(extra))


@dataclass(frozen=True)
class Stamps:
    """The stamps of one request: its number, its body's text, its latest event's time, and its head by hub column.

    Values come as JSON text; what a request has no value for is None.
    """

    sequence: int
    body: str
    latest: int | None
    head: dict[str, str]

    def value(self, codec: str, template: str = "") -> str | None:
        """Make a stamp; an address by its template."""
        if codec == "sequence":
            return str(self.sequence)
        if codec == "body_digest":
            return quoted(self._digest(DIGEST_LENGTH))
        if codec == "request_id":
            return quoted(self._digest(REQUEST_ID_LENGTH))
        if codec == "latest_time":
            return None if self.latest is None else str(-(-self.latest // SECOND) * SECOND)
        return quoted(self._uri(template)) if codec == "uri" else None

    def _digest(self, length: int) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()[:length]

    def _uri(self, template: str) -> str:
        """Write an address; a parameter that the request has no value for is left out."""
        path, _, query = template.partition("?")
        named = {name: self.head.get(source) or self.value(source) for name, source in parameters(query)}
        return f"{path}?{urlencode({name: text_of(value) for name, value in named.items() if value is not None})}"
