"""The run of a replay: what goes next, when, what its answer means, and when to stop."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from translate.delivery.answers import Answer, Pile
from translate.delivery.endpoints import Endpoint
from translate.delivery.journal import Journal, digest_of
from translate.delivery.pace import ATTEMPTS_MAX, Bounds, Contact, Pace, Unheard, backoff_seconds, why_again
from translate.delivery.turns import Parts, Rhythm, Turns, Work
from translate.reader.shipments import PlacedColumn, Shipment

SHARE_JUDGED_FROM = 100  # events: before, a share of errors says nothing
PATIENCE_WHEN_THROTTLED = 10  # times as many attempts: the receiver is there, and asks for time
RETRY_AFTER_MAX_SECONDS = 3600  # who asks for more has a quota of a day or so
NAP_SECONDS = 0.5


@dataclass
class Outcome:
    """How a run ended: `why` is None if nothing is left, `failed` tells a bound that was asked for from trouble."""

    why: str | None = None
    failed: bool = False
    sent: int = 0
    never: int = 0
    requests: int = 0
    throttled: int = 0
    lost_answers: int = 0
    seconds: float = 0.0
    findings: dict[str, int] = field(default_factory=dict)


class Run:
    """Sends what a journal says is left, and journals each answer.

    Events that have an equal value in one of the `order` columns never are under way at once: those of an earlier
    request go first.
    """

    def __init__(
        self, parts: Parts, journal: Journal, endpoint: Endpoint, pace: Pace, *, order: tuple[PlacedColumn, ...] = (),
        rhythm: Rhythm | None = None, bounds: Bounds | None = None, in_flight_max: int = 8, seed: int | None = None,
        progress: Callable[[Outcome], None] | None = None, interrupted: Callable[[int], None] | None = None,
        unheard: Callable[[Unheard], None] | None = None,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._endpoint = endpoint
        self._pace = pace
        self._bounds = bounds or Bounds()
        self._in_flight_max = in_flight_max
        self._random = Random(seed)  # noqa: S311  jitter is no secret
        self._progress = progress
        self._tell_of_interruption = interrupted or (lambda _under_way: None)
        self._under_way: dict[int, Work] = {}
        self._answers: queue.SimpleQueue[tuple[int, Answer | BaseException]] = queue.SimpleQueue()
        self._outcome = Outcome()
        self._started = time.monotonic()
        self._contact = Contact(unheard or (lambda _: None), self._bounds.attempts, self._started)
        self._turns = Turns(parts, journal.settled, order, rhythm, self._started)

    def run(self) -> Outcome:
        """Send until nothing is left, a bound is met, or nothing goes through any more."""
        try:
            while self._goes_on():
                self._turns.fill(time.monotonic())
                if not self._turns and not self._under_way:
                    break
                if not self._send_one():
                    self._await(self._nap())
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                self._tell_of_interruption(len(self._under_way))
            self._drain()  # no `finally`: a second Ctrl-C, wherever it comes, waits for nobody
            raise
        self._drain()
        self._outcome.seconds = time.monotonic() - self._started
        if self._outcome.why is None and self._turns:
            raise AssertionError(self._turns.waiting)
        return self._outcome

    def _drain(self) -> None:
        """Leave nothing that went out without its answer."""
        while self._under_way:
            # Never without end: a wait that polars' signal handler restarts hears no Ctrl-C.
            self._await(NAP_SECONDS)

    def _send_one(self) -> bool:
        """Send the first shipment whose turn it is; tell whether there was one."""
        if len(self._under_way) >= self._in_flight_max:
            return False
        now = time.monotonic()
        index = self._turns.first_ready(now, self._under_way.values())
        if index is None:
            return False
        most = self._events_max()
        if most == 0:
            return False
        work = self._turns.cut(index, most)
        if self._pace.wait_seconds(now, len(work.positions)) > 0:
            return False
        self._turns.take(index)
        work.shipment = work.shipment or work.packed.shipment(work.positions)
        digest, of = digest_of(work.shipment), len(work.packed.ways)
        number = self._journal.sending(work.shipment, of, digest, work.attempt)
        self._pace.take(time.monotonic(), len(work.positions))
        self._outcome.requests += 1
        self._contact.tried()
        # No pool: its threads would hold up the end for as long as a receiver that says nothing.
        threading.Thread(target=self._deliver, args=(number, work.shipment), daemon=True).start()
        # Last: an interruption may not leave one here that no answer will come for.
        self._under_way[number] = work
        return True

    def _deliver(self, number: int, shipment: Shipment) -> None:
        try:
            self._answers.put((number, self._endpoint.send(shipment, number)))
        except BaseException as error:  # noqa: BLE001  raised where the run can end by it
            self._answers.put((number, error))

    def _events_max(self) -> int | None:
        most = self._pace.events_max()
        if self._bounds.events is None:
            return most
        under_way = sum(len(work.positions) for work in self._under_way.values())
        room = self._bounds.events - self._outcome.sent - self._outcome.never - under_way
        return max(0, room if most is None else min(most, room))

    # -- what came back -------------------------------------------------------------------------------------------

    def _await(self, seconds: float) -> None:
        """Wait for an answer, at most so long, and take in all that are there."""
        if not self._under_way:
            time.sleep(seconds)
            return
        try:
            self._take(*self._answers.get(timeout=seconds))
            while True:
                self._take(*self._answers.get_nowait())
        except queue.Empty:
            return

    def _take(self, number: int, answer: Answer | BaseException) -> None:
        work = self._under_way.pop(number, None)
        if isinstance(answer, BaseException):
            raise answer
        if work is None or work.shipment is None:
            return  # interrupted while it was sent: to the journal its answer is lost
        self._contact.answered(answer)
        self._journal.answered(number, work.shipment, answer)
        self._pace.answered(time.monotonic(), len(work.positions))
        outcome = self._outcome
        outcome.lost_answers += answer.lost
        for finding in answer.findings:
            outcome.findings[finding] = outcome.findings.get(finding, 0) + 1
        if answer.throttled:
            outcome.throttled += 1
        if answer.throttled or answer.retry_after_seconds is not None:
            self._pace.throttled(time.monotonic(), answer.retry_after_seconds)
        if (answer.retry_after_seconds or 0) > RETRY_AFTER_MAX_SECONDS:
            rest = f"{answer.retry_after_seconds:,.0f} seconds of rest"
            self._stop(f"the receiver asks for {rest}; repeat the call then")
        if answer.stop:
            self._stop(answer.stop)
        if answer.refused_whole and len(work.positions) > 1:
            self._turns.again(work.cut(len(work.positions) // 2))
        else:
            self._sort(work, answer)
        if self._progress:
            self._progress(outcome)

    def _sort(self, work: Work, answer: Answer) -> None:
        piles = answer.piles(work.positions)
        self._outcome.sent += len(piles[Pile.SENT])
        self._outcome.never += len(piles[Pile.NEVER])
        again = tuple(piles[Pile.AGAIN])
        if not again:
            return
        attempt = 1 if piles[Pile.SENT] or piles[Pile.NEVER] else work.attempt + 1
        if attempt > self._bounds.attempts * (PATIENCE_WHEN_THROTTLED if answer.throttled else 1):
            place, why = f"{work.packed.part}:{work.packed.line}", why_again(answer) or "no reason given"
            self._stop(f"{place} was not taken in {work.attempt} attempts ({why})")
        due = time.monotonic() + backoff_seconds(min(max(work.attempt, attempt), ATTEMPTS_MAX), self._random)
        rest = work.part(again, attempt=attempt, due=due)
        rest.shipment = work.shipment if again == work.positions else None
        self._turns.again([rest])

    # -- when to stop ---------------------------------------------------------------------------------------------

    def _stop(self, why: str, *, failed: bool = True) -> None:
        if self._outcome.why is None:
            self._outcome.why, self._outcome.failed = why, failed

    def _goes_on(self) -> bool:
        self._contact.look(time.monotonic())
        outcome, bounds = self._outcome, self._bounds
        answered = outcome.sent + outcome.never
        if outcome.never >= bounds.errors:
            self._stop(f"{outcome.never:,} events were refused for good")
        elif answered >= SHARE_JUDGED_FROM and outcome.never / answered > bounds.error_share:
            self._stop(f"{outcome.never / answered:.0%} of {answered:,} events were refused for good")
        elif bounds.requests is not None and outcome.requests >= bounds.requests:
            self._stop(f"{bounds.requests:,} requests were asked for", failed=False)
        elif bounds.hours is not None and time.monotonic() - self._started >= bounds.hours * 3600:
            self._stop(f"{bounds.hours:g} hours were asked for", failed=False)
        elif bounds.events is not None and answered >= bounds.events:
            self._stop(f"{bounds.events:,} events were asked for", failed=False)
        return outcome.why is None

    def _nap(self) -> float:
        """Give the seconds after which something may have become possible without an answer."""
        now = time.monotonic()
        if len(self._under_way) >= self._in_flight_max:
            return NAP_SECONDS
        index = self._turns.first_ready(now, self._under_way.values())
        if index is not None and self._events_max() == 0:
            return NAP_SECONDS  # only an answer makes room below the cap
        if index is not None:
            wait = self._pace.wait_seconds(now, len(self._turns.waiting[index].positions))
            return min(NAP_SECONDS, wait) if math.isfinite(wait) else NAP_SECONDS
        return min(NAP_SECONDS, max(0.0, self._turns.next_due(now) - now))
