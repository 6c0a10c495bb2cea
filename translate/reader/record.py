"""What one record said, ready for the hub."""

from __future__ import annotations

from dataclasses import dataclass, field

from translate.reader.literals import Refused, printable
from translate.reader.paths import AROUND
from translate.vocabulary.notes import InSource, Note, note

ROUNDED = "rounded to a double"
OVERRULED = "the event says otherwise"
EMPTIED = "an empty text stands for none"
DOUBLED = "doubled: the last one stays"


@dataclass(slots=True)
class Record:
    """What one record said: texts by place, hub maps, and what there is to tell about it."""

    raw: str
    code: str | None = None
    message: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    original_name: str | None = None
    nulls: int = 0
    base64: bool = False
    holds_event: bool = True  # false for a request, or a part of one, without any
    request: int = 0  # which one of its line, where a line holds requests
    line: str | None = None  # of the first event of a line, or of a piece of a broken one: its text
    first_request: int = 0  # that such a piece begins with
    refuses: str | None = (
        None  # what is refused beside one event: its `request`, the `rest` of the line, `damage`
    )
    notes: list[Note] = field(default_factory=list)

    def copy(self) -> Record:
        """Give a record that says the same so far."""
        maps = {name: dict(values) for name, values in self.maps.items()}
        return Record(self.raw, values=dict(self.values), maps=maps, nulls=self.nulls, notes=list(self.notes))

    def put(self, column: str, key: str, text: str) -> None:
        """Put a value into a map."""
        self.maps.setdefault(column, {})[key] = text

    def note(self, kind: str, place: InSource, why: str = "") -> None:
        """Note that a place of the record, or of the request around it, lost something."""
        self.notes.append(note(kind, place, why))


def refused(raw: str, reason: Refused, *, request: int = 0, refuses: str | None = None) -> Record:
    """Give the record of what cannot be read."""
    return Record(raw, code=reason.code, message=printable(reason.message), request=request, refuses=refuses)


def refuse_surrogates(record: Record) -> None:
    """Raise Refused if a text of the record holds half of a surrogate pair."""
    maps = [text for values in record.maps.values() for pair in values.items() for text in pair]
    try:
        "".join([*record.values.values(), *maps, *map(_path, record.notes)]).encode()
    except UnicodeEncodeError:
        raise _surrogate(record) from None


def _path(noted: Note) -> str:
    return noted.spot.shown if isinstance(noted.spot, InSource) else ""


def _surrogate(record: Record) -> Refused:
    """Tell which text holds half of a surrogate pair."""
    texts = [*record.values.items()]
    for values in record.maps.values():
        texts.extend(values.items())
    texts.extend((_path(noted), "") for noted in record.notes)
    for key, text in texts:
        try:
            f"{key}{text}".encode()
        except UnicodeEncodeError as error:
            broken = f"\\u{ord(error.object[error.start]):04x}"
            return Refused(
                "bad_text", f"{printable(key.removeprefix(AROUND))} holds half of a surrogate pair ({broken})"
            )
    return Refused(
        "bad_text", "holds half of a surrogate pair"
    )  # two halves that only look like a pair, put together
