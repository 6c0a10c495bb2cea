"""What is made anew for each request: numbers, digests and times that follow from what it holds."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from translate import events
from translate.vocabulary.notation import quoted
from translate.vocabulary.word import Stamp, Word
from translate.vocabulary.words.times import from_milliseconds

SECOND = 1000
DIGEST_LENGTH = 8
REQUEST_ID_LENGTH = 32
PARAMETER = re.compile(r"([^=&]+)=\{([^{}&]*)\}")


@dataclass(frozen=True)
class StampedRequest:
    """What stamps are made of: a request's number, its body's text, its latest event's time, and its head by hub column.

    Values come as JSON text; what a request has no value for is None.
    """

    sequence: int
    body: bytes
    latest: int | None
    head: dict[str, str]

    @cached_property
    def digest(self) -> str:
        """Give the SHA-256 of the body's text in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


def text_of(value: str) -> str:
    """Give the text that a JSON text stands for; of any other value its spelling."""
    found = json.loads(value)
    return found if isinstance(found, str) else value


def parameters(query: str) -> list[tuple[str, str]]:
    """Take the query of a template apart: the name of each parameter, and whence it comes; what is none has no name.

    >>> parameters("a={app.id}&b"), parameters("a={sequence}")
    ([('a', 'app.id'), ('', 'b')], [('a', 'sequence')])
    """
    found = [(part, PARAMETER.fullmatch(part)) for part in query.split("&")]
    return [(match[1], match[2]) if match else ("", part) for part, match in found]


def _digest(request: StampedRequest, length: int) -> str:
    return quoted(request.digest[:length])


def _uri(request: StampedRequest, template: str) -> str:
    """Write an address; a parameter that the request has no value for is left out."""
    path, _, query = template.partition("?")
    made = {word.name: word.make(request, "") for word in (SEQUENCE, BODY_DIGEST, REQUEST_ID) if word.make}
    named = {name: request.head.get(source) or made.get(source) for name, source in parameters(query)}
    values = {name: text_of(value) for name, value in named.items() if value is not None}
    return quoted(f"{path}?{urlencode(values)}")


# Each example is of this request, and of this template.
EXAMPLE_REQUEST = StampedRequest(sequence=3, body=b"[]", latest=1500, head={"app.id": '"game"'})
EXAMPLE_TEMPLATE = "/collect?app={app.id}&number={sequence}"

SEQUENCE = Stamp(
    "sequence", "a running number, from 1",
    make=lambda request, _: str(request.sequence), example=((), "3"), in_templates=True,
)  # fmt: skip

BODY_DIGEST = Stamp(
    "body_digest", "the first eight hexadecimal digits of the SHA-256 of the body's text",
    make=lambda request, _: _digest(request, DIGEST_LENGTH), example=((), '"4f53cda1"'), in_templates=True,
)  # fmt: skip

LATEST_TIME = Stamp(
    "latest_time", "the latest event's time in milliseconds since 1970, up to the next whole second",
    types=(events.TIME,),  # a request that is read has one, and it then says something of its events
    make=lambda request, _: None if request.latest is None else str(-(-request.latest // SECOND) * SECOND),
    read=from_milliseconds, example=((), "2000"), keeps_hours_apart=True,
)  # fmt: skip

TRANSPORT = Stamp(
    "transport", "how the body came, which is not how it is written", make=lambda _request, _template: None, example=((), None),
    is_left_out=True,
)  # fmt: skip

SECRET = Stamp(
    "secret", "what proves who sends: read over, and never written",
    make=lambda _request, _template: None, example=((), None), why="it proves who sends, and is never kept", is_left_out=True,
)  # fmt: skip

SENDING_TIME = Stamp(
    "sending_time", "when the request was sent: never written, for receivers move the times of events by it",
    make=lambda _request, _template: None, example=((), None),
    why="when it was sent: receivers move the times of events by it, so it is never written", is_left_out=True,
)  # fmt: skip

URI = Stamp(
    "uri", "the path and query of the request as the endpoint would have seen it, by a template",
    make=_uri, example=((), '"/collect?app=game&number=3"'), takes_template=True,
)  # fmt: skip

REQUEST_ID = Stamp(
    "request_id", "32 hexadecimal digits, made of the body's text",
    make=lambda request, _: _digest(request, REQUEST_ID_LENGTH), example=((), '"4f53cda18c2baa0c0354bb5f9a3ecbe5"'),
    in_templates=True,
)  # fmt: skip


def is_numbered(word: Word, template: str) -> bool:
    """Tell whether what a word makes follows from the number of the request."""
    if word.make is None:
        return False
    first, second = (word.make(replace(EXAMPLE_REQUEST, sequence=number), template) for number in (1, 2))
    return bool(first != second)
