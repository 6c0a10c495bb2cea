"""Units on their way beside one another: in their order, two at most, and each begun when the one before is drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from translate.archive.stored import SourceFile
from translate.archive.units import Unit
from translate.conversion import reading
from translate.conversion.reading import in_relay

WAIT_SECONDS = 10


def units(folder: Path, count: int = 4) -> list[Unit]:
    found = []
    for number in range(count):
        path = folder / f"{number}.json"
        path.write_text("{}\n", encoding="utf-8")
        found.append(Unit(number, [SourceFile(str(path), path.name, path.stat().st_size, "")]))
    return found


def test_the_next_unit_begins_when_all_lines_are_drawn(tmp_path: Path) -> None:
    """And is given after the one before, though it was done earlier."""
    second_is_done = threading.Event()
    given: list[int] = []

    def make(unit: Unit, on_drawn: Callable[[], None]) -> int:
        on_drawn()
        if unit.number == 0:
            assert second_is_done.wait(WAIT_SECONDS)
        else:
            second_is_done.set()
        return unit.number

    for unit, made in in_relay(units(tmp_path), make):
        assert unit.number == made
        given.append(made)
    assert given == [0, 1, 2, 3]


def test_never_more_than_two_are_on_their_way(tmp_path: Path) -> None:
    """However early their lines are drawn."""
    most, now, guard = 0, 0, threading.Lock()

    def make(_unit: Unit, on_drawn: Callable[[], None]) -> None:
        nonlocal most, now
        with guard:
            now += 1
            most = max(most, now)
        on_drawn()
        threading.Event().wait(0.02)
        with guard:
            now -= 1

    assert len([*in_relay(units(tmp_path, 6), make)]) == 6
    assert most == 2


def test_one_that_fails_ends_the_run(tmp_path: Path) -> None:
    """Those before it were given, none after it is."""

    def make(unit: Unit, _on_drawn: Callable[[], None]) -> int:
        if unit.number == 1:
            raise OSError("no room")
        return unit.number

    given = []
    with pytest.raises(OSError, match="no room"):
        for unit, _ in in_relay(units(tmp_path), make):
            given.append(unit.number)
    assert given == [0]


def test_a_long_unit_is_made_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the thread that waits for it, so that whoever interrupts it need not wait."""
    monkeypatch.setattr(reading, "TEXT_BYTES_MAX", 0)
    threads = {threading.current_thread()}

    def make(_unit: Unit, _on_drawn: Callable[[], None]) -> threading.Thread:
        return threading.current_thread()

    assert {made for _, made in in_relay(units(tmp_path), make)} == threads
