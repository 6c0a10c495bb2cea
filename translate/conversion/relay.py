"""Units one after the other, each begun while the last rows of the one before are still on their way.

Of a unit the engine's first and last batches keep one processor busy, and settling its files none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from translate.archive.units import Unit, text_bytes

Made = TypeVar("Made")
TEXT_BYTES_MAX = (
    256 << 20
)  # of a unit that may be on its way beside another one: whoever interrupts a run waits for it


@dataclass(frozen=True)
class _Leg(Generic[Made]):
    """A unit that is being made."""

    unit: Unit
    made: Future[Made]


def in_relay(
    units: Iterable[Unit], make: Callable[[Unit, Callable[[], None]], Made]
) -> Iterator[tuple[Unit, Made]]:
    """Make units, and give them in their order; `make` gets what to call once all lines of its unit are drawn.

    Two of them are on their way at most. Those that may be long are made by themselves.
    """
    with ThreadPoolExecutor(2, thread_name_prefix="unit") as makers:
        before: _Leg[Made] | None = None
        for unit in units:
            if not _is_short(unit):
                if before is not None:
                    yield before.unit, before.made.result()
                    before = None
                yield unit, make(unit, lambda: None)
                continue
            is_drawn = threading.Event()
            made = makers.submit(make, unit, is_drawn.set)
            made.add_done_callback(partial(_now_drawn, is_drawn))
            if before is not None:
                yield before.unit, before.made.result()
            is_drawn.wait()
            before = _Leg(unit, made)
        if before is not None:
            yield before.unit, before.made.result()


def _now_drawn(is_drawn: threading.Event, _made: Future[Made]) -> None:
    """Tell that a unit is done, however its lines were drawn."""
    is_drawn.set()


def _is_short(unit: Unit) -> bool:
    """Tell whether a unit is read from here in a moment; one of several files is."""
    first, *others = unit.files
    return not first.is_remote and (bool(others) or text_bytes(first) <= TEXT_BYTES_MAX)
