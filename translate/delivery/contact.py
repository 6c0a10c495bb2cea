"""Whether a receiver ever answers: who waits for nothing is told so, long before the attempts are used up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from translate.delivery.answers import Answer, Pile

FIRST_TOLD_SECONDS = 5.0
TOLD_AGAIN_SECONDS = 60.0


@dataclass(frozen=True)
class Unheard:
    """Nothing taken so far: for how long, of how many tries, the last reason, how often each is tried, and whether anybody answers."""

    seconds: float
    tries: int
    why: str
    attempts_max: int
    answers: bool = False


class Contact:
    """Counts tries until the first events are taken, or refused for good, and tells of them after a while, and then from time to time."""

    def __init__(self, tell: Callable[[Unheard], None], attempts_max: int, started: float) -> None:
        self._tell = tell
        self._attempts_max = attempts_max
        self._started = started
        self._due = started + FIRST_TOLD_SECONDS
        self._tries = 0
        self._why = "no answer yet"
        self._answers = False
        self._heard = False

    def tried(self) -> None:
        """Count a request that goes out."""
        self._tries += 1

    def answered(self, answer: Answer) -> None:
        """Take in what came of a request: whoever takes or refuses an event is there, and does its work."""
        self._answers = self._answers or answer.status is not None
        self._heard = self._heard or any(verdict.pile is not Pile.AGAIN for verdict in answer.verdicts)
        self._why = why_again(answer) or self._why

    def look(self, now: float) -> None:
        """Tell, if it is time."""
        if not self._heard and self._tries and now >= self._due:
            self._due = now + TOLD_AGAIN_SECONDS
            self._tell(
                Unheard(now - self._started, self._tries, self._why, self._attempts_max, self._answers)
            )


def why_again(answer: Answer) -> str | None:
    """Give the reason for which events are to be tried again."""
    again = (verdict for verdict in answer.verdicts if verdict.pile is Pile.AGAIN)
    return next((verdict.message or verdict.code for verdict in again), None)
