"""The vocabulary: each codec's example runs, and absent, empty, zero and false are told apart."""

import datetime as dt
import doctest
import hashlib

import polars as pl
import pytest

from translate import events, money, notation
from translate.mapping import codecs, proof, spelling
from translate.mapping.codecs import CONTAINERS, SCALARS

WITH_EXAMPLE = [name for name, codec in SCALARS.items() if codec.example]
TIME = dt.datetime(2016, 3, 14, 9, 26, 53, 589_000, dt.UTC)
NO_EXAMPLE = {"json", "event_name", "app_id", "original_names"}  # the writer's own: they need more than hub columns


def written(name, *values):
    """Write one event's values with a codec."""
    codec = SCALARS[name]
    kinds = [codec.hub[min(position, len(codec.hub) - 1)] for position in range(len(values))]
    series = [pl.Series(f"c{number}", [value], dtype=kind) for number, (value, kind) in enumerate(zip(values, kinds, strict=True))]
    if codec.rowwise:
        return codec.rowwise(series).item()
    return pl.DataFrame(series).select(codec.write([pl.col(column.name) for column in series])).item()


def read(name, text):
    """Read one value's text with a codec."""
    kind = pl.Int64 if SCALARS[name].wire == "whole" else pl.String
    return pl.DataFrame({"t": pl.Series([text], dtype=kind)}).select(SCALARS[name].read(pl.col("t"))).item()


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_the_example_runs(name):
    """A codec's example gives what it says, of the type that its wire takes."""
    given, wanted = SCALARS[name].example
    result = written(name, *given)
    assert result == wanted
    assert type(result) is type(wanted)
    assert wanted is None or isinstance(result, int if proof.WIRE_TYPES[SCALARS[name].wire] == pl.Int64 else str)


def test_all_but_the_writers_own_have_an_example():
    """Each codec that works alone carries an example, a sentence, and as many columns as the example uses."""
    assert set(SCALARS) - set(WITH_EXAMPLE) == NO_EXAMPLE
    for codec in SCALARS.values():
        assert codec.about
        if codec.example:
            assert codec.columns[0] <= len(codec.example[0]) <= codec.columns[1]
        assert codec.why or codec.changed is None


# Absent, empty text, zero, false: five things. None stands for absent, "" is kept, 0 is kept.
NULL_TABLE = [
    ("text", (None,), None), ("text", ("",), ""), ("text", ("0",), "0"),
    ("whole", (None,), None), ("whole", (0,), 0),
    ("number", (None,), None), ("number", (0.0,), "0"), ("number", (-0.0,), "0"), ("number", (1e16,), "10000000000000000"),
    ("number", (5e-324,), "0." + "0" * 323 + "5"), ("number", (0.1,), "0.1"), ("number", (-1.5,), "-1.5"),
    ("epoch_ms", (None,), None), ("epoch_ms", (TIME,), 1457947613589), ("epoch_s", (None,), None), ("epoch_s", (TIME,), 1457947613),
    ("iso8601", (None,), None), ("iso8601", (TIME,), "2016-03-14T09:26:53.589Z"),
    ("first_of", (None, None), None), ("first_of", ("", "b"), ""), ("first_of", (None, ""), ""),
    ("duration", (None, None, None), None), ("duration", (0, events.EPOCH, TIME), 0), ("duration", (None, TIME, TIME), 0), ("duration", (None, TIME, None), None),
    ("exact_duration", (0, None, None), 0), ("exact_duration", (7, TIME, TIME), 0), ("exact_duration", (None, None, TIME), None),
    ("action", (None, None), "UPDATE"), ("action", ("END", "session.start"), "END"), ("action", (None, "session.start"), "START"),
    ("short_session", (None,), None), ("short_session", ("",), "e3b0c44298fc1c149afb"), ("short_session", ("x" * 7,), hashlib.sha256(b"xxxxxxx").hexdigest()[:20]),
    ("short_session", ("x" * 8,), "x" * 8), ("short_session", ("x" * 20,), "x" * 20),
    ("long_session", (None,), None), ("long_session", ("",), ""), ("long_session", ("x" * 21,), "x" * 21), ("long_session", ("x" * 20,), None),
    ("worth", (None, None, None), None), ("worth", (0.0, 2.0, 3.0), "0"), ("worth", (None, 0.0, 3.0), "0"), ("worth", (None, 2.0, None), None),
    ("money", (None, None, None, None, None), None), ("money", (0.0, None, None, "JPY", ""), "0"), ("money", (1.0, None, None, "", None), None),
    ("money", (1.0, None, None, "USD", "Virtual"), None), ("money", (1.0, None, None, "usd", None), None),
    ("money_currency", ("", None, 1.0, None, None), None), ("money_currency", ("EUR", None, 0.0, None, None), "EUR"), ("money_currency", ("EUR", None, None, 1.0, None), None),
    ("loose_value", (None, None, None, None, None), None), ("loose_value", (0.0, None, None, None, None), "0"), ("loose_value", (0.0, None, None, "USD", None), None),
    ("loose_price", (0.0, None, None, None, None, None, None), "0"), ("loose_price", (2.0, None, 1.0, "USD", None, "i", None), None),
    ("loose_price", (2.0, None, 1.0, "USD", None, None, None), "2"), ("loose_price", (2.0, None, 1.0, "USD", None, "i", "[]"), "2"),
    ("loose_quantity", (0.0, None, None, None, None, None, None), "0"), ("loose_quantity", (1.0, "", None, None, 2.0, "USD", None), None),
    ("loose_currency", ("", None, None, None, None), ""), ("loose_currency", ("USD", None, None, None, None), "USD"), ("loose_currency", ("USD", None, 0.0, None, None), None),
    ("loose_item_id", (None, "[]"), None), ("loose_item_id", ("", "[]"), ""), ("loose_item_id", ("i", None), None),
    ("item_list", (None, None, 1.0, 1.0, "USD", None, None), None), ("item_list", (None, "", 0.0, 0.0, "USD", "", None), '[{"id":"","price":0,"quantity":0,"currency":"USD"}]'),
    ("item_list", ("[]", "i", 1.0, 1.0, "USD", None, None), "[]"), ("item_list", (None, "i", 5.0, None, "USD", None, 10.0), '[{"id":"i","price":5,"currency":"USD"}]'),
    ("item_list", (None, "i", 5.0, 1.0, "Gold", None, None), '[{"id":"i"}]'),
    ("user_object", (None, None, None, TIME), None), ("user_object", ("", None, None, TIME), '{"_user_id":{"value":"","set_timestamp":1457947613589}}'),
    ("user_object", (None, {"a": "0", "b": "false", "c": '""'}, {"a": "7"}, TIME),
     '{"a":{"value":0,"set_timestamp":7},"b":{"value":false,"set_timestamp":1457947613589},"c":{"value":"","set_timestamp":1457947613589}}'),
    ("piped", (None,), None), ("piped", ("[]",), ""), ("piped", ('["",0]',), "|0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), NULL_TABLE)
def test_null_table(name, given, wanted):
    """Absent stays absent; empty text, zero and false are values."""
    assert written(name, *given) == wanted


def test_null_table_is_whole():
    """The null table has every codec that has an example."""
    assert {name for name, _, _ in NULL_TABLE} == set(WITH_EXAMPLE)


READ_TABLE = [
    ("text", None, None), ("text", "", ""), ("whole", None, None), ("whole", 0, 0),
    ("number", None, None), ("number", "0", 0.0), ("number", "29.97", 29.97), ("number", "x", None),
    ("epoch_ms", None, None), ("epoch_ms", 0, events.EPOCH), ("epoch_ms", 1457947613589, TIME),
    ("epoch_s", None, None), ("epoch_s", 1457947613, TIME.replace(microsecond=0)),
    ("iso8601", None, None), ("iso8601", "", None), ("iso8601", "2016-03-14T09:26:53.589Z", TIME), ("iso8601", "2016-03-14T10:26:53.589+01:00", TIME),
    ("iso8601", "20160314T092653.589Z", TIME), ("iso8601", "2016-03-14T09:26:53.5899999", TIME), ("iso8601", "2016-03-14", TIME.replace(hour=0, minute=0, second=0, microsecond=0)),
    ("iso8601", "yesterday", None), ("iso8601", "2016-02-30T00:00:00Z", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "wanted"), READ_TABLE)
def test_read_table(name, text, wanted):
    """What a codec reads: absent stays absent, and what is no value is none."""
    assert read(name, text) == wanted


@pytest.mark.parametrize("name", [name for name, codec in SCALARS.items() if codec.read and codec.write and codec.example])
def test_reading_undoes_writing(name):
    """What a codec writes of its example, it reads back."""
    (given, *_), wanted = SCALARS[name].example
    assert read(name, wanted) == given


@pytest.mark.parametrize(("name", "given", "wanted"), [("epoch_s", (TIME,), True), ("epoch_s", (events.EPOCH,), False), ("short_session", ("abc",), True),
                                                       ("exact_duration", (1, TIME, TIME), True), ("exact_duration", (0, TIME, TIME), False)])  # fmt: skip
def test_changes_are_told(name, given, wanted):
    """A codec that loses something tells for which values."""
    frame = pl.DataFrame([pl.Series(f"c{number}", [value], dtype=SCALARS[name].hub[min(number, len(SCALARS[name].hub) - 1)]) for number, value in enumerate(given)])
    assert frame.select(SCALARS[name].changed([pl.col(column) for column in frame.columns])).item() is wanted


def test_containers_hold_maps():
    """Each container names hub maps, and says what it is."""
    for container in CONTAINERS.values():
        assert container.about
        assert {events.SCHEMA[name] for name in container.hub} == {events.MAP}


@pytest.mark.parametrize("module", [codecs, money, notation, spelling])
def test_examples_in_docstrings(module):
    """The examples in the modules' docstrings run."""
    assert doctest.testmod(module).failed == 0
