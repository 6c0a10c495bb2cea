"""Printing: columns, lists, advice, text of an archive that must not steer the terminal, and a bar that shows how far a run is."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

from translate.wording.rendering import printable
from translate.wording.terminal import Paper, paper_of

if TYPE_CHECKING:
    import rich.progress

    from translate.conversion.reading import Step

SHOWN_MAX = 12
ADVICE = "over_advice"
COUNT_ENDS = 24  # characters of a line: where counts end below one another
UNFOLDED = 10_000  # where there is no terminal, tables are not folded


def paper() -> Paper:
    """Give what standard output is: how wide, and whether it shows colour; without bounds where it is no terminal."""
    width = shutil.get_terminal_size((UNFOLDED, 24)).columns
    return paper_of(sys.stdout, None if width >= UNFOLDED else width)


@contextlib.contextmanager
def whoever_listens() -> Iterator[None]:
    """Print for as long as somebody reads: `| head` is no failure of the run."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _print_nowhere()


def keep_streams() -> None:
    """Have something to print to where the caller closed it, else errors go where results belong; and end it well."""
    atexit.register(_let_go)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  until the end of the process


def _let_go() -> None:
    """Leave nothing printed that cannot be written: Python would complain of it, in its words, after the last of ours."""
    try:
        sys.stdout.flush()
    except OSError:
        _print_nowhere()


def _print_nowhere() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(found: Any, print_it: Callable[[], object], *, as_json: bool) -> None:
    """Print what a command found for as long as somebody reads: as JSON, or as people read it."""
    with whoever_listens():
        if as_json:
            print_json(found.to_json() if hasattr(found, "to_json") else found)
        else:
            print_it()


def print_hanging(head: str, text: str) -> None:
    """Print a text behind a head; what is beyond the terminal's width goes on below its beginning."""
    room = paper().room(len(head))
    lines = [text] if room is None else textwrap.wrap(text, room, break_on_hyphens=False)
    for number, line in enumerate(lines or [""]):
        print(f"{' ' * len(head) if number else head}{line}".rstrip())


def counted(name: str, count: int) -> str:
    """Write a name and its count."""
    return f"{name}{count:>{COUNT_ENDS - len(name)},}"


def by_count(reasons: dict[str, int]) -> str:
    """Write reasons with their counts, the largest first."""
    ordered = sorted(reasons.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:,} {reason}" for reason, count in ordered)


def print_json(values: Any) -> None:
    """Print what a command found as JSON."""
    print(json.dumps(values, indent=2, ensure_ascii=False, default=str))


def print_verdict(report: dict[str, Any]) -> None:
    """Print what has to be told before anything else, if there is such a thing."""
    if "verdict" in report:
        print_hanging("", printable(report["verdict"]))
        print()


def print_slips(told: Sequence[str]) -> None:
    """Say on standard error what settings probably mean otherwise."""
    for sentence in told:
        print(f"translate: {printable(sentence)}", file=sys.stderr)


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
    ordered = sorted(entries, key=lambda entry: (entry.get("code") == ADVICE, -entry["events"]))
    for entry in ordered[:SHOWN_MAX]:
        print_hanging(f"{entry['events']:>24,}  ", printable(text(entry)))
    if len(entries) > SHOWN_MAX:
        print(f"{'':>24}  and {len(entries) - SHOWN_MAX} more {rest}")


def print_advice(advice: dict[str, Any]) -> None:
    """Print the commonest events, the keys that look like ids of items, and a recipe that would write something."""
    if not advice.get("names"):
        return
    print_list("the commonest events", advice["names"], lambda entry: entry["name"])
    if "item_keys" in advice:
        looked_at = f"of the first {advice['looked_at']:,} events"
        print_list(f"keys that look like ids of items, {looked_at}", advice["item_keys"], _key)
        shipped = advice["shipped"]
        if shipped:
            print(f"the shipped recipe {shipped} would write some of them: say --recipe {shipped}")
        elif not advice["item_keys"]:
            print(f"no key {looked_at} looks like the id of an item: translate inspect lists all of them")
    if advice.get("recipe"):
        way = "correct it, save it as shop.toml, and say --recipe shop.toml"
        print(f"a recipe that would write some of them; {way}:\n")
        print("\n".join(f"    {printable(line)}".rstrip() for line in advice["recipe"].splitlines()))
    print()


def _key(entry: dict[str, Any]) -> str:
    return f"{entry['key']}{' (a guess, by its values)' if entry['guess'] else ''}"


# -- a bar on standard error; silent where that is no terminal ----------------------------------------------------------


class Bar:
    """Shows files, bytes, events, rate and the time left."""

    def __init__(self) -> None:
        self._progress = _rich_progress() if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._task = self._progress.add_task("convert", total=None, files="0", events=0)
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Leave the terminal to what comes next."""
        if self._progress is not None:
            self._progress.stop()

    def show(self, step: Step) -> None:
        """Show how far the run is."""
        if self._progress is None:
            return
        self._progress.update(
            self._task,
            total=step.bytes_total,
            completed=step.bytes,
            files=f"{step.files:,}/{step.files_total:,}",
            events=step.events,
        )


def _rich_progress() -> rich.progress.Progress:
    """Make the bar; rich takes a while to import, and most runs have no terminal."""
    from rich import console, progress

    return progress.Progress(
        progress.BarColumn(),
        progress.TextColumn("{task.fields[files]} files"),
        progress.DownloadColumn(),
        progress.TextColumn("{task.fields[events]:,} events"),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=console.Console(file=sys.stderr),
        transient=True,
    )
