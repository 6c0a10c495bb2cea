"""Where a replay stands, whether or not it is running: what is done, what is left, and how long that takes."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from collections import deque
from pathlib import Path
from typing import Any

from translate.conversion import persistence
from translate.conversion.arguments import checked
from translate.delivery.records import NAME, SURVEY, Reading, positions_of, records
from translate.errors import UsageError

RECENT_ANSWERS = 200
HOUR_SECONDS = 3600


@checked
def status(journal_folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Tell what is done and left, in events, at which rate, and the hours to go; raise UsageError where no journal is.

    >>> import translate
    >>> translate.status("nowhere")
    Traceback (most recent call last):
    translate.errors.UsageError: nowhere: holds no journal; name the folder that was given as --journal
    """
    folder = Path(journal_folder)
    file = folder / NAME
    if not file.exists() and _is_locked(folder):
        raise UsageError(
            f"{folder}: nothing was sent yet: its source is being converted and looked over; ask again later"
        )
    if not file.exists():
        raise UsageError(f"{folder}: holds no journal; name the folder that was given as --journal")
    reading = Reading()
    recent: deque[tuple[dt.datetime, int]] = deque(maxlen=RECENT_ANSWERS)
    for record in records(file):
        reading.take(record)
        if "done" in record:
            recent.append((dt.datetime.fromisoformat(record["at"]), len(positions_of(record["sent"]))))
    running = _is_locked(folder)
    if not running:
        reading.close()
    tally, total = reading.tally, _events(folder)
    left = None if total is None else total - tally.sent - tally.never
    rate = _rate(recent)
    return {
        "journal": str(folder), "running": running, "to": (reading.job or {}).get("to"), "endpoint": (reading.job or {}).get("endpoint"),
        "events": {"total": total, "sent": tally.sent, "rejected": tally.never, "left": left},
        "rejects": dict(sorted(tally.codes.items())), "requests": tally.requests, "throttled": tally.throttled,
        "under_way": len(reading.unanswered), "lost_answers": tally.lost_answers, "lost_events": tally.lost_events,
        "first_at": tally.first_at, "last_at": tally.last_at, "stopped": None if running else tally.last_stop,
        "events_per_second": rate, "hours_left": left / rate / HOUR_SECONDS if left and rate else 0.0 if left == 0 else None,
    }  # fmt: skip


def _events(folder: Path) -> int | None:
    file = folder / SURVEY
    if not file.exists():
        return None
    return int(
        persistence.unsealed(file, "remove this file, and the next call of replay looks again")["events"]
    )


def _rate(recent: deque[tuple[dt.datetime, int]]) -> float | None:
    """Give the events a second over the last answers."""
    seconds = (recent[-1][0] - recent[0][0]).total_seconds() if recent else 0
    return sum(events for _, events in list(recent)[1:]) / seconds if seconds > 0 else None


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
