"""How what went wrong on an executor comes home: our own errors as such, in their own words, and Spark's in one sentence."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator

from translate import errors
from translate.errors import ConservationError, OutputError, SourceError, TranslateError, UsageError

MARK = re.compile(r"<translate: (\{.*?\}) :translate>")
REASONS = re.compile(r"(?:ModuleNotFoundError|ImportError|PySparkRuntimeError|ExecutorLostFailure)\b.*")
CARRIED = (UsageError, SourceError, OutputError, ConservationError)


class CarriedError(Exception):
    """An error of ours on its way through Spark, which knows text alone."""


@contextlib.contextmanager
def carried() -> Iterator[None]:
    """Have errors of ours arrive at the driver."""
    try:
        yield
    except TranslateError as error:
        kind = next((kind for kind in CARRIED if isinstance(error, kind)), OutputError)
        told = json.dumps({"kind": kind.__name__, "message": str(error)})
        raise CarriedError(f"<translate: {told} :translate>") from error


@contextlib.contextmanager
def told_of_spark() -> Iterator[None]:
    """Raise as our own what went wrong in a job of Spark."""
    try:
        yield
    except TranslateError:
        raise
    except Exception as error:
        raise _of(str(error)) from error


def _of(text: str) -> TranslateError:
    ours = MARK.search(text)
    if ours:
        told = json.loads(ours[1])
        kind: type[TranslateError] = getattr(errors, told["kind"])
        return kind(told["message"])
    reason = REASONS.search(text)
    told_first = reason[0] if reason else next(iter(text.strip().splitlines()), "no reason told")
    return OutputError(f"Spark gave up: {told_first}; what is finished stays, and the same call goes on")
