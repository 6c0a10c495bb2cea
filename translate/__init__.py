"""Converts event archives between Amazon Mobile Analytics, Pinpoint, Clickstream, Learning Context and Personalize."""

from __future__ import annotations

from translate.conversion import Step
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
from translate.front import check, convert, explain, models, preview, roundtrip, scan, validate, write
from translate.version import VERSION

__version__ = VERSION

__all__ = [
    "ConservationError",
    "ExitCode",
    "MappingError",
    "OutputError",
    "PreflightError",
    "SourceError",
    "Step",
    "TranslateError",
    "UsageError",
    "__version__",
    "check",
    "convert",
    "explain",
    "models",
    "preview",
    "replay",
    "roundtrip",
    "scan",
    "validate",
    "write",
]
