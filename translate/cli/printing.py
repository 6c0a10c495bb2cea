"""Printing: columns, lists, and text of an archive that must not steer the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from translate.telling.rendering import printable

__all__ = ["print_columns", "print_list", "print_verdict", "printable", "whoever_listens"]

SHOWN_MAX = 12
ADVICE = "over_advice"


@contextlib.contextmanager
def whoever_listens() -> Iterator[None]:
    """Print for as long as somebody reads: `| head` is no failure of the run."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_verdict(report: dict[str, Any]) -> None:
    """Print what has to be told before anything else, if there is such a thing."""
    if "verdict" in report:
        print(f"{printable(report['verdict'])}\n")


def print_columns(lines: Sequence[tuple[str, ...]]) -> None:
    """Print lines of cells below one another."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_list(
    title: str,
    entries: list[dict[str, Any]],
    text: Callable[[dict[str, Any]], str],
    rest: str = "in the report",
) -> None:
    """Print the weightiest entries of a list, by their `events`, and how many more there are; advice after all else."""
    if not entries:
        return
    print(f"{title}:")
    for entry in sorted(entries, key=lambda entry: (entry.get("code") == ADVICE, -entry["events"]))[
        :SHOWN_MAX
    ]:
        print(f"{entry['events']:>24,}  {printable(text(entry))}")
    if len(entries) > SHOWN_MAX:
        print(f"{'':>24}  and {len(entries) - SHOWN_MAX} more {rest}")
