"""What a receiver said of the events of one shipment, sorted into three piles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class Pile(StrEnum):
    """Where an event goes after an answer."""

    SENT = "sent"
    AGAIN = "again"
    NEVER = "never"


@dataclass(frozen=True)
class Verdict:
    """The pile of one event, and the receiver's own code and words."""

    pile: Pile
    code: str = ""
    message: str = ""


SENT = Verdict(Pile.SENT)


@dataclass(frozen=True)
class Answer:
    """What came back for one shipment.

    `verdicts`: one for each event, in the shipment's order. `status`: of HTTP, None if no answer came.
    `lost`: no answer that tells, but the receiver may have taken the events. `throttled`: it asks for less.
    `retry_after_seconds`: from now. `refused_whole`: refused for its content, so halves are to be tried; all
    verdicts are NEVER. `stop`: what must be mended before anything more will go through; all verdicts are AGAIN.
    `findings`: what went wrong beside the events.
    """

    verdicts: tuple[Verdict, ...]
    status: int | None = None
    request_id: str | None = None
    lost: bool = False
    throttled: bool = False
    retry_after_seconds: float | None = None
    refused_whole: bool = False
    stop: str | None = None
    findings: tuple[str, ...] = ()

    @classmethod
    def all_sent(cls, count: int, **rest: Any) -> Self:
        """Say that every event arrived."""
        return cls((SENT,) * count, **rest)

    @classmethod
    def all_again(cls, count: int, code: str, message: str, **rest: Any) -> Self:
        """Say that every event is to be tried again."""
        return cls((Verdict(Pile.AGAIN, code, message),) * count, **rest)

    @classmethod
    def all_refused(cls, count: int, code: str, message: str, **rest: Any) -> Self:
        """Say that the request was refused for its content, as a whole."""
        return cls((Verdict(Pile.NEVER, code, message),) * count, refused_whole=True, **rest)

    @classmethod
    def halted(cls, count: int, code: str, message: str, stop: str, **rest: Any) -> Self:
        """Say that nothing will go through before something is mended."""
        return cls((Verdict(Pile.AGAIN, code, message),) * count, stop=stop, **rest)
