"""An event's name and phase, and the names that travel along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from translate import events
from translate.conversion.report import SAID_ONCE, Finding
from translate.vocabulary.notation import as_it_is, exchanged, first
from translate.vocabulary.word import Scalar, Written


def _action(columns: Sequence[pl.Expr]) -> pl.Expr:
    phase, name = columns
    return phase.fill_null(exchanged(name, events.PHASES, pl.lit(None, pl.String)))


def _supplements(written: Written) -> Iterator[Finding]:
    phase, name = (pl.col(column) for column in written.hub)
    said_once = phase == written.implied_phase(name)
    yield Finding(SAID_ONCE, f"{written.place} is what the event's name says", said_once, written.hub[0])


EVENT_NAME = Scalar(
    "event_name", "an event's name, well-known ones as the model spells them",
    types=(events.TEXT,), stands_for=("name",), wire="text", read=as_it_is, write=first, why="made legal",
    spells_event=True, of_events=True, takes_table=False,
)  # fmt: skip

EVENT_KIND = Scalar(
    "event_kind", "the kind of record that an event of its name is, by the value table; any other is of the default kind, and named",
    types=(events.TEXT,), stands_for=("name",), wire="text", read=as_it_is, write=first, example=(("x",), "x"),
    tells_kind=True, of_events=True,
)  # fmt: skip

ACTION = Scalar(
    "action", "START, UPDATE or END; by the name where the event has no phase",
    types=(events.TEXT, events.TEXT), columns=(2, 2), stands_for=("phase", "name"), wire="text",
    read=as_it_is, write=_action, example=((None, "session.stop"), "END"), supplements=_supplements,
    gives_action=True, of_events=True, takes_table=False,
)  # fmt: skip

ORIGINAL_NAMES = Scalar(
    "original_names", "JSON text of the names that the target could not take as they were",
    columns=(0, 0), wire="text", read=as_it_is,
    also_gives=("name",),  # of which event a name that several have is
    travels_with_names=True, of_events=True, takes_other_places=False,
)  # fmt: skip
