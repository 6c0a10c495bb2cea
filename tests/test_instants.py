"""Times that the kernel reads from texts are those that the expressions read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from translate.engine.choice import CHOICE, REFERENCE
from translate.vocabulary.words import times

DAYS = st.datetimes(min_value=dt.datetime(1, 1, 1), max_value=dt.datetime(9999, 12, 31, 23, 59, 59))  # noqa: DTZ001  text
FRACTIONS = st.sampled_from(["", ".0", ".5", ".05", ".507", ".999", ".1234", ".123456789", ".", ".1x"])
ISO8601 = st.builds(
    lambda day, fraction: f"{day:%Y-%m-%dT%H:%M:%S}".zfill(19) + f"{fraction}Z", DAYS, FRACTIONS
)
ODD = st.sampled_from([
    "2016-02-29T00:00:00Z", "2015-02-29T00:00:00Z", "1900-02-29T00:00:00.000Z", "2000-02-29T23:59:59.999Z", "0000-01-01T00:00:00Z",
    "2016-13-01T00:00:00Z", "2016-00-01T00:00:00Z", "2016-01-00T00:00:00Z", "2016-01-01T24:00:00Z", "2016-01-01t00:00:00Z", "", "Z",
    "2016-01-01T00:00:60Z", "2016-01-01T00:00:00.000", "2016-01-01T00:00:00.000+01:00", "-016-01-01T00:00:00.000Z", "é" * 10,
])  # fmt: skip
SECONDS = st.builds(lambda whole, decimals: f"{whole}{decimals}", st.integers(-(10**11), 10**11), FRACTIONS)
ODD_SECONDS = st.sampled_from(
    ["0", "-0", "00", "007", "007.5", "9000000000", "8999999999.999", "1e9", "1.5e9", "", ".5", "é"]
)


def read(word: Any, texts: list[str | None]) -> list[int | None]:
    """Read texts as a word does, in milliseconds."""
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return (
        frame.lazy()
        .select(word.read(pl.col("text")).dt.timestamp("ms"))
        .collect(engine="streaming")
        .to_series()
        .to_list()
    )


@pytest.mark.parametrize("word", [times.ISO8601, times.EPOCH_S_EXACT], ids=lambda word: word.name)
@given(texts=st.lists(st.none() | ISO8601 | ODD | SECONDS | ODD_SECONDS, max_size=8))
def test_the_kernel_reads_the_same_times(word: Any, texts: list[str | None]) -> None:
    """In whatever form they are, and whatever lies among them."""
    found = read(word, texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CHOICE, REFERENCE)
        assert found == read(word, texts)


def written(moments: list[dt.datetime | None]) -> list[str | None]:
    """Write times as ISO 8601."""
    frame = pl.DataFrame({"time": moments}, schema={"time": pl.Datetime("ms", "UTC")})
    text = times.ISO8601.write([pl.col("time")])
    return frame.lazy().select(text).collect(engine="streaming").to_series().to_list()


@given(days=st.lists(st.none() | DAYS, max_size=8))
def test_the_kernel_writes_the_same_times(days: list[dt.datetime | None]) -> None:
    """From the first year to the last that four digits can say."""
    moments = [day and day.replace(microsecond=day.microsecond // 1000 * 1000, tzinfo=dt.UTC) for day in days]
    found = written(moments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CHOICE, REFERENCE)
        assert found == written(moments)
    assert found == [
        moment and moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") for moment in moments
    ]
