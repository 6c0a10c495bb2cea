"""The fuzz target runs for a while, finds what is put before it, and says how to repeat it."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import fuzz
import pytest
from held import read_layouts

from translate.engine.library import library
from translate.reader import kernel_reader

pytestmark = pytest.mark.skipif(library() is None, reason="no kernel here")


@pytest.mark.slow
def test_nothing_is_found_in_a_while(tmp_path: Path) -> None:
    """Ten seconds over all layouts: kernel and reference say the same of every line."""
    count, findings = fuzz.attack(read_layouts(), 10, str(random.randrange(10**9)), tmp_path)
    assert (findings, count >= fuzz.BATCH * len(read_layouts())) == ([], True)
    assert list(tmp_path.iterdir()) == []


def test_a_seed_gives_the_same_lines() -> None:
    """What was found can be found again."""
    one, other = (list(islice(fuzz.batches("clickstream/events", "7"), 2)) for _ in range(2))
    assert one == other != list(islice(fuzz.batches("clickstream/events", "8"), 2))


def test_a_difference_is_found_written_and_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader that counts a null too many is caught; without it, the same lines show no difference."""
    honest = kernel_reader.KernelReader.read

    def counting_twice(self, *given):
        read = honest(self, *given)
        return read.with_columns(nulls=read["nulls"] * 2)

    monkeypatch.setattr(kernel_reader.KernelReader, "read", counting_twice)
    arguments = ["--layout", "mobile_analytics/archive"]
    assert fuzz.main([*arguments, "--seconds", "0.01", "--seed", "1", "--folder", str(tmp_path)]) == 1
    (file,) = tmp_path.iterdir()
    assert f"--repeat {file} --layout mobile_analytics/archive" in capsys.readouterr().out
    assert fuzz.main([*arguments, "--repeat", str(file)]) == 1
    monkeypatch.undo()
    assert fuzz.main([*arguments, "--repeat", str(file)]) == 0
