"""Events judged apart from any archive, as a receiver finds them in a request: by the limits and needs of their layout."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from translate.judging.questions import Judge, Question, needs_of
from translate.judging.views import read_rows
from translate.mapping.spec import Layout, Mapping
from translate.reader.reader import Lines, Reader
from translate.settings import Settings

Faults = dict[int, tuple[str, str]]  # by position: the place that is wrong, and why


class EventJudge:
    """Judges events of one layout, wherever they lie in its requests."""

    def __init__(self, sheet: Mapping, layout: Layout) -> None:
        self._layout = replace(layout, request=None)
        self._names = sheet.names
        rows = read_rows(self._layout)
        self._judge = Judge(rows, needs_of(rows, Settings()))
        self._asked = [each for each in self._judge.questions if each.limit.hard or each.limit.alters]
        places = {entry.place for entry in self._layout.all_fields}
        named = "|".join(re.escape(place) for place in sorted(places, key=lambda place: (-len(place), place)))
        self._place = re.compile(f"({named})(?:[ .]|$)")

    def look(self, events: Sequence[Any]) -> tuple[Faults, tuple[str, ...]]:
        """Tell which events a receiver would refuse, and of those that it would alter how, once for each."""
        texts = [json.dumps(event, separators=(",", ":")) for event in events]
        frame = pl.LazyFrame({"row": range(len(texts)), "text": texts}, {"row": pl.UInt32, "text": pl.String})
        records = Reader(self._layout, self._names).records(Lines(frame, ["request"], [0]))
        flags = {
            f"_asked{number}": each.wrong.fill_null(value=False) for number, each in enumerate(self._asked)
        }
        found = self._judge.look(records).select("row", "code", "message", **flags)
        faults: Faults = {
            row: ("event", "is no object") for row, event in enumerate(events) if not isinstance(event, dict)
        }
        altered: list[str] = []
        for row, code, message, *wrong in found.collect(engine="in-memory").iter_rows():
            said = [each for each, is_so in zip(self._asked, wrong, strict=True) if is_so]
            refusing = [each for each in said if each.limit.hard]
            if row in faults:
                continue
            if code is not None:
                faults[row] = (self._placed(message), message)
            elif refusing:
                faults[row] = (self._placed(refusing[0].message, refusing[0]), refusing[0].message)
            else:
                altered += [f"{each.message}: the receiver {each.limit.alters}" for each in said]
        return faults, tuple(altered)

    def _placed(self, message: str, question: Question | None = None) -> str:
        """Name the place that a message is about."""
        found = self._place.match(message)
        return found[1] if found else next(iter(question.limit.places if question else ()), "event")
