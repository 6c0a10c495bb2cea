"""What writing says beyond the event, or says once where the event said it twice, as each word tells it.

Nothing is lost by it, but reading it back gives the event another value there, or none.
"""

from __future__ import annotations

import polars as pl

from translate.conversion.report import FILLED_IN, Finding
from translate.mapping.spec import Field
from translate.vocabulary.spelling import EventNames
from translate.vocabulary.word import Written
from translate.writer.shape import Shape, request_fields


def supplements(shape: Shape, names: EventNames) -> list[Finding]:
    """Tell what a layout's rows say more, or less often, than the events."""
    found: list[Finding] = []
    for entry in [*shape.columns, *shape.wanted_presets()]:
        if entry.word.supplements:
            found += entry.word.supplements(_written(shape, entry, names))
    for entry in request_fields(shape.layout, shape.settings):
        if entry.word.is_stamp and entry.hub:
            message = f"{entry.place} is made anew, and read as the event's {entry.hub[0]}"
            found.append(Finding(FILLED_IN, message, pl.col(entry.hub[0]).is_null(), entry.hub[0]))
    return found


def _written(shape: Shape, entry: Field, names: EventNames) -> Written:
    home = ".".join(entry.path[:-1])
    places = {other.place for other in shape.columns}
    needs = [f"{home}.{name}" for name in shape.layout.objects.get(home, ())]
    there = [pl.col(f"={need}").is_not_null() if need in places else pl.lit(False) for need in needs]
    return Written(
        place=entry.place,
        hub=entry.hub,
        member=entry.member,
        value=pl.col(f"={entry.place}"),
        is_there=pl.all_horizontal(there) if there else pl.lit(True),
        implied_phase=names.implied_phase,
    )
