"""Converts event archives between Amazon Mobile Analytics, Pinpoint, Clickstream, Learning Context and Personalize."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for those who read; at run time each name is imported when it is first asked for
    from translate.conversion.converting import convert, preview
    from translate.conversion.frames import scan, write
    from translate.conversion.reading import Step
    from translate.conversion.streaming import stream
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
    from translate.mapping.settings import Settings
    from translate.rehearsal import Rehearsal
    from translate.telling import check, explain, models, roundtrip, validate
    from translate.telling.explanation.pages import Explanation
    from translate.telling.figures import parity
    from translate.telling.figures.result import Parity
    from translate.telling.inspection import Inspection, inspect
    from translate.telling.signoff import Dossier, dossier
    from translate.telling.tracing import why
    from translate.telling.tracing.result import Why
    from translate.wording.rendering import Report

# The project's file takes it from here: asking what is installed takes a while.
__version__ = "0.1.0"

__all__ = [
    "Bounds",
    "ConservationError",
    "Dossier",
    "ExitCode",
    "Explanation",
    "Inspection",
    "MappingError",
    "OutputError",
    "Parity",
    "PreflightError",
    "Rehearsal",
    "Report",
    "Settings",
    "SourceError",
    "Step",
    "TranslateError",
    "UsageError",
    "Why",
    "__version__",
    "check",
    "convert",
    "dossier",
    "explain",
    "inspect",
    "models",
    "parity",
    "preview",
    "replay",
    "roundtrip",
    "scan",
    "status",
    "stream",
    "validate",
    "why",
    "write",
]

ROOMS_SHOWN = ("analysis", "events")  # modules that users look into
_ROOMS = {
    "Bounds": "delivery.pace",
    "Dossier": "telling.signoff",
    "Explanation": "telling.explanation",
    "Inspection": "telling.inspection",
    "Parity": "telling.figures",
    "Rehearsal": "rehearsal",
    "Report": "wording.rendering",
    "Settings": "mapping.settings",
    "Step": "conversion.reading",
    "convert": "conversion.converting",
    "dossier": "telling.signoff",
    "inspect": "telling.inspection",
    "parity": "telling.figures",
    "preview": "conversion.converting",
    "replay": "delivery.replaying",
    "scan": "conversion.frames",
    "Why": "telling.tracing",
    "status": "delivery.records",
    "stream": "conversion.streaming",
    "why": "telling.tracing",
    "write": "conversion.frames",
}


if not TYPE_CHECKING:  # a type checker would take any name for one that is here

    def __getattr__(name: str) -> Any:
        """Import what is asked for, from its room: polars and the clients of Amazon take longer than many a call."""
        if name not in __all__:
            return _room(name)
        room = _ROOMS.get(name, "errors" if name[0].isupper() else "telling")
        value = globals()[name] = getattr(import_module(f"{__name__}.{room}"), name)
        return value


def _room(name: str) -> Any:
    """Give a room by its name: `translate.events.COLUMNS` works without another import."""
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
    near = get_close_matches(name, __dir__(), n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{meant}")


def __dir__() -> list[str]:
    return sorted({*__all__, *ROOMS_SHOWN})
