"""Digits of numbers from one file to the next: whole ones of any length, and those that a column holds as doubles."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import translate
from translate.vocabulary import notation

LONG = ["9007199254740993", "-9223372036854775809", "1" * 40, "7" * 400]
ARCHIVED = '{"event_type":"e","event_timestamp":1487973802507,"application":{"app_id":"a"},"client":{"client_id":"c"},"attributes":{"n":#,"l":[#]},"metrics":{"m":#},"more":#,"deep":{"er":[#]}}'
VALUES = {
    "clickstream/events": ("event_value", '{"event_type":"e","event_id":"i","timestamp":1487973802507,"app_id":"a","unique_id":"u","event_value":#,"event_value_currency":"EUR","attributes":{}}'),
    "personalize/requests": ("eventValue", '{"trackingId":"t","userId":"u","sessionId":"s","eventList":[{"eventId":"e","eventType":"Purchase","sentAt":1487973802,"itemId":"i","eventValue":#}]}'),
}  # fmt: skip


@pytest.fixture
def converted(tmp_path):
    """Convert one record, given as text; give the report, and the text that was written."""

    def converting(address, text, to):
        source, out = tmp_path / "source.jsonl", tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        source.write_text(f"{text}\n")
        report = translate.convert(source, from_=address, to=to, out=out, set_=["tracking_id=t"])
        return report, "".join(path.read_text() for path in (out / "data").rglob("*.ndjson"))

    return converting


@pytest.mark.parametrize("digits", LONG)
def test_whole_numbers_keep_their_digits(digits, converted):
    """In metrics, among texts, inside of lists, and in members that nobody knows, however many they are."""
    report, text = converted(
        "mobile_analytics/archive", ARCHIVED.replace("#", digits), "mobile_analytics/archive"
    )
    assert text.count(digits) == 5
    assert "rounded to a double" not in {loss["why"] for loss in report["losses"]}
    for target in ("pinpoint/event_stream", "clickstream/events", "learning_context/events"):
        assert (
            converted("mobile_analytics/archive", ARCHIVED.replace("#", digits), target)[1].count(digits) == 3
        )


@pytest.mark.parametrize("address", VALUES)
def test_what_a_double_does_not_hold_is_told(address, converted):
    """A value is a double: a whole number that it does not hold is changed, one beyond it is no number."""
    place, record = VALUES[address]
    for digits, is_held in (
        ("9007199254740992", True),
        ("9007199254740993", False),
        ("1" * 40, False),
        ("1e23", True),
        ("0.1", True),
    ):
        report, text = converted(address, record.replace("#", digits), address)
        told = [(loss["kind"], loss["why"]) for loss in report["losses"] if loss["field"] == place]
        assert told == ([] if is_held else [("changed", "rounded to a double")]), digits
        written = json.loads(text)
        assert float(digits) == float(written[place] if place in written else written["eventList"][0][place])
    for digits in ("1e400", "7" * 400, "-1e309"):
        assert converted(address, record.replace("#", digits), address)[0]["rejects"] == {"bad_number": 1}, (
            digits
        )


@given(st.lists(st.floats(), min_size=notation.FEW + 1, max_size=notation.FEW + 50))
def test_few_numbers_are_written_as_many_are(numbers: list[float]) -> None:
    """One by one in Python, many at once by the engine: the digits are the same."""
    many = pl.Series(numbers, dtype=pl.Float64).to_frame("n").select(notation.digits(pl.col("n")))
    assert many["n"].to_list() == [notation.shortest(number) for number in numbers]
