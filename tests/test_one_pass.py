"""However many files come of a unit, its query runs once."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import translate
from translate.conversion import part

SAMPLES = Path(__file__).resolve().parent.parent / "sample_data"


@pytest.mark.parametrize("target", ["hub"])
def test_all_sinks_share_one_run(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that all sinks have in common sees each row once: a function of Python in an expression above it would undo that."""
    seen: list[int] = []

    def count(batch: pl.DataFrame) -> pl.DataFrame:
        seen.append(batch.height)
        return batch

    monkeypatch.setattr(part, "_as_it_is", count)
    settings = ["tracking_id=t", "app_ids.0123456789abcdef0123456789abcdef=my_game"]
    source = SAMPLES / "mobile_analytics" / "archive"
    report = translate.convert(source, to=target, out=tmp_path / "out", set_=settings)
    assert sum(seen) == report["events"]["read"] + report["events"]["added"]
