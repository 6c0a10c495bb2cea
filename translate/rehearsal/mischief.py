"""Misbehaviour, drawn by seed for each request's number: the same requests in the same order meet the same."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from email.utils import formatdate

from translate.rehearsal.options import EXCLUSIVE, Options

FULL = 2**64
FAILING_SHARE = 1 / 3  # of the items, in a request of which some fail


def draw(seed: int, number: int, what: str) -> float:
    """Draw a number from 0 to below 1; it depends on the arguments alone."""
    text = f"{seed} {number} {what}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / FULL


@dataclass(frozen=True, slots=True)
class Whim:
    """What one request meets: `kind` is throttle, errors, reset_before, reset_after or nothing."""

    kind: str | None = None
    delay_seconds: float = 0.0
    partial: bool = False


CALM = Whim()


def whim_of(options: Options, number: int) -> Whim:
    """Decide what the request of this number meets."""
    if not any(
        (
            options.throttle,
            options.errors,
            options.reset_before,
            options.reset_after,
            options.slow,
            options.partial,
        )
    ):
        return CALM
    kind, drawn = None, draw(options.seed, number, "kind")
    for name in EXCLUSIVE:
        share = getattr(options, name)
        if drawn < share:
            kind = name
            break
        drawn -= share
    slow = options.slow > draw(options.seed, number, "slow")
    return Whim(
        kind, options.slow_seconds if slow else 0.0, options.partial > draw(options.seed, number, "partial")
    )


def failing_items(options: Options, number: int, count: int) -> dict[int, int]:
    """Choose which of a request's items fail, by position, and with which code: at least one."""
    drawn = [draw(options.seed, number, f"item {position}") for position in range(count)]
    chosen = [position for position, value in enumerate(drawn) if value < FAILING_SHARE]
    if count and not chosen:
        chosen = [drawn.index(min(drawn))]
    codes = options.partial_codes
    return {
        position: codes[int(draw(options.seed, number, f"code {position}") * len(codes))]
        for position in chosen
    }


def retry_after(options: Options) -> dict[str, str]:
    """Give the Retry-After header of a throttling, in the form that is asked for."""
    seconds = options.retry_after_seconds
    if seconds is None:
        return {}
    if options.retry_after_form == "date":
        return {"Retry-After": formatdate(math.ceil(time.time() + seconds), usegmt=True)}
    return {"Retry-After": str(seconds)}
