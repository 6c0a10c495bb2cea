"""Conversions in plain words, as the mapping's codecs and options say them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from translate.mapping.spec import Field, Layout
from translate.vocabulary.words.texts import TEXT

PLAIN = TEXT.about
AS_IT_IS = "as it is"


def as_read(entry: Field) -> str:
    """Say how a value is read."""
    return entry.word.about if entry.const is None and entry.word.tells_how_it_is_read else ""


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
    if entry.word.is_stamp or entry.word.travels_with_names:
        return entry.word.about
    if entry.setting is not None and not entry.hub:
        return f"what --set {entry.setting}=... says; left out without it"
    return None


def not_read(entry: Field) -> str:
    """Say why a source's field gives nothing to any event."""
    if entry.const is not None and entry.when:
        return f"{json.dumps(entry.const)} in events of {', '.join(entry.when)}: it says nothing that their name does not"
    if entry.const is not None:
        return f"always {json.dumps(entry.const)}, so it says nothing of the event"
    if entry.word.is_stamp:
        return f"not read: {entry.word.about}, made anew for each request"
    return "not read: it says nothing of the event"


def changes_of_keys(entry: Field, layout: Layout) -> Iterator[str]:
    """Say what may become of the keys and values in a container."""
    if entry.word.write_as_text:
        yield "numbers and other values become text"
    elif not entry.word.shared and "other" in entry.hub:
        yield "values that are neither text nor number become JSON text"
    if layout.legal_names:
        yield "keys are made legal"
    if entry.word.shared:
        yield "keys that meet one another are renamed"
