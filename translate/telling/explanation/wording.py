"""Conversions in plain words, as the mapping's codecs and options say them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from translate.mapping.spec import Field, Layout
from translate.vocabulary.codecs import CONTAINERS, SCALARS, STAMPS

PLAIN = SCALARS["text"].about
AS_IT_IS = "as it is"


def about(codec: str) -> str:
    """Say what a codec's value is; the hub's own columns need no word."""
    if codec in STAMPS:
        return STAMPS[codec]
    known = SCALARS.get(codec) or CONTAINERS.get(codec)
    return known.about if known else ""


def as_read(entry: Field) -> str:
    """Say how a value is read; where a codec puts several columns into one value, only the first is read back."""
    codec = SCALARS.get(entry.codec)
    if entry.const is not None or (
        codec is not None and (not codec.hub or (codec.columns[1] > 1 and codec.carries == 1))
    ):
        return ""
    return about(entry.codec)


def conversion(reads: Iterable[str], writes: str) -> str:
    """Say how values are read, and how they are written if that is another thing."""
    read = [text for text in dict.fromkeys(reads) if text and text != writes]
    if not writes:
        return "; ".join(read) or AS_IT_IS
    others = [text for text in read if text != PLAIN]
    return f"{'; '.join(others)} -> {writes}" if others else writes


def options(entry: Field) -> Iterator[str]:
    """Say what else the mapping asks of a field."""
    if entry.table is not None:
        yield f"by the table {entry.table}"
    if entry.default is not None:
        yield f"{json.dumps(entry.default)} where there is none"
    if entry.when:
        yield f"only for {', '.join(entry.when)}"
    if entry.setting is not None and entry.hub:
        yield f"--set {entry.setting}=... {'where there is none' if entry.fills else 'goes before it'}"
    if entry.asked is not None:
        yield f"only with --set {entry.asked}=true"
    if entry.required:
        yield "required"
    if entry.required_for is not None:
        yield f"required where the phase is {entry.required_for}"


def fixed(entry: Field) -> str | None:
    """Say what a field holds that no event says; None if events say it."""
    if entry.const is not None:
        return f"always {json.dumps(entry.const)}"
    if entry.codec in STAMPS:
        return STAMPS[entry.codec]
    if entry.codec == "original_names":
        return SCALARS[entry.codec].about
    if entry.setting is not None and not entry.hub:
        return f"what --set {entry.setting}=... says; left out without it"
    return None


def not_read(entry: Field) -> str:
    """Say why a source's field gives nothing to any event."""
    if entry.const is not None and entry.when:
        return f"{json.dumps(entry.const)} in events of {', '.join(entry.when)}: it says nothing that their name does not"
    if entry.const is not None:
        return f"always {json.dumps(entry.const)}, so it says nothing of the event"
    if entry.codec in STAMPS:
        return "not read: " + STAMPS[entry.codec] + ", made anew for each request"
    return "not read: it says nothing of the event"


def changes_of_keys(entry: Field, layout: Layout) -> Iterator[str]:
    """Say what may become of the keys and values in a container."""
    container = CONTAINERS[entry.codec]
    if container.write_as_text:
        yield "numbers and other values become text"
    elif not container.shared and "other" in container.hub:
        yield "values that are neither text nor number become JSON text"
    if layout.legal_names:
        yield "keys are made legal"
    if container.shared:
        yield "keys that meet one another are renamed"
