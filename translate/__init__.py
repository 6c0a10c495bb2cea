"""Converts event archives between Amazon Mobile Analytics, Pinpoint, Clickstream, Learning Context and Personalize."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from translate.version import VERSION

if TYPE_CHECKING:  # for those who read; at run time each name is imported when it is first asked for
    from translate.conversion.frames import scan, write
    from translate.conversion.progress import Step
    from translate.delivery.pace import Bounds
    from translate.delivery.records import status
    from translate.delivery.replaying import replay
    from translate.errors import (
        ConservationError,
        ExitCode,
        MappingError,
        OutputError,
        PreflightError,
        SourceError,
        TranslateError,
        UsageError,
    )
    from translate.front import check, convert, explain, models, preview, roundtrip, validate
    from translate.rehearsal import Rehearsal
    from translate.telling.figures import parity
    from translate.telling.inspection import inspect
    from translate.telling.tracing import why

__version__ = VERSION

__all__ = [
    "Bounds",
    "ConservationError",
    "ExitCode",
    "MappingError",
    "OutputError",
    "PreflightError",
    "Rehearsal",
    "SourceError",
    "Step",
    "TranslateError",
    "UsageError",
    "__version__",
    "check",
    "convert",
    "explain",
    "inspect",
    "models",
    "parity",
    "preview",
    "replay",
    "roundtrip",
    "scan",
    "status",
    "validate",
    "why",
    "write",
]

_ROOMS = {
    "Bounds": "delivery.pace",
    "Rehearsal": "rehearsal",
    "Step": "conversion.progress",
    "inspect": "telling.inspection",
    "parity": "telling.figures",
    "replay": "delivery.replaying",
    "scan": "conversion.frames",
    "status": "delivery.records",
    "why": "telling.tracing",
    "write": "conversion.frames",
}


if not TYPE_CHECKING:  # a type checker would take any name for one that is here

    def __getattr__(name: str) -> Any:
        """Import what is asked for, from its room: polars and the clients of Amazon take longer than many a call."""
        if name not in __all__:
            return _room(name)
        room = _ROOMS.get(name, "errors" if name[0].isupper() else "front")
        value = globals()[name] = getattr(import_module(f"{__name__}.{room}"), name)
        return value


def _room(name: str) -> Any:
    """Give a room by its name: `translate.events.COLUMNS` works without another import."""
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
