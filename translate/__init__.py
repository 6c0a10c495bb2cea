"""Converts event archives between Amazon Mobile Analytics, Pinpoint, Clickstream, Learning Context and Personalize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from translate.conversion import Step
from translate.delivery.replaying import replay
from translate.delivery.run import Bounds
from translate.delivery.status import status
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
from translate.figures import parity
from translate.front import check, convert, explain, models, preview, roundtrip, scan, validate, write
from translate.inspection import inspect
from translate.tracing import why
from translate.version import VERSION

if TYPE_CHECKING:
    from translate.rehearsal import Rehearsal

__version__ = VERSION


def __getattr__(name: str) -> Any:
    """Import the rehearsal when it is first asked for: few need it, and it imports the clients of Amazon."""
    if name != "Rehearsal":
        raise AttributeError(name)
    from translate.rehearsal import Rehearsal  # noqa: PLC0415

    return Rehearsal


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
