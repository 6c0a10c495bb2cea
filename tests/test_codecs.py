"""The vocabulary: each codec's example runs, and absent, empty, zero and false are told apart."""

import datetime as dt
import doctest
import hashlib
import json
from importlib import import_module
from pkgutil import iter_modules

import polars as pl
import pytest

import translate
from translate import events
from translate.mapping import agreement
from translate.vocabulary import money, notation, spelling, times, words
from translate.vocabulary.times import NO_ISO8601, NoTime, read_time
from translate.vocabulary.word import Word
from translate.vocabulary.words import WORDS, scalars, stamps

SCALARS = {name: word for name, word in WORDS.items() if word.is_scalar}
CONTAINERS = {name: word for name, word in WORDS.items() if word.is_container}
STAMPS = {name: word for name, word in WORDS.items() if word.is_stamp}
WHOLE_MAPS = {name for name, word in WORDS.items() if word.holds_whole_map}
WITH_EXAMPLE = [name for name, codec in SCALARS.items() if codec.example]
TIME = dt.datetime(2016, 3, 14, 9, 26, 53, 589_000, dt.UTC)
NO_EXAMPLE = {
    "event_name",
    "app_id",
    "original_names",
    "own_column",
}  # the writer's own: they need more than hub columns


def written(name, *values):
    """Write one event's values with a codec."""
    codec = SCALARS[name]
    kinds = [codec.types[min(position, len(codec.types) - 1)] for position in range(len(values))]
    series = [
        pl.Series(f"c{number}", [value], dtype=kind)
        for number, (value, kind) in enumerate(zip(values, kinds, strict=True))
    ]
    if codec.rowwise:
        return codec.rowwise(series, "id").item()
    return pl.DataFrame(series).select(codec.write([pl.col(column.name) for column in series])).item()


def read(name, text):
    """Read one value's text with a codec."""
    kind = pl.Int64 if SCALARS[name].raw == "whole" else pl.String
    return pl.DataFrame({"t": pl.Series([text]).cast(kind)}).select(SCALARS[name].read(pl.col("t"))).item()


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_the_example_runs(name):
    """A codec's example gives what it says, of the type that its wire takes."""
    given, wanted = SCALARS[name].example
    result = written(name, *given)
    assert result == wanted
    assert type(result) is type(wanted)
    assert wanted is None or isinstance(
        result, int if agreement.WIRE_TYPES[SCALARS[name].wire] == pl.Int64 else str
    )


def test_all_but_the_writers_own_have_an_example():
    """Each codec that works alone carries an example, a sentence, and as many columns as the example uses."""
    assert set(SCALARS) - set(WITH_EXAMPLE) == NO_EXAMPLE
    for codec in SCALARS.values():
        assert codec.about
        if codec.example:
            assert codec.columns[0] <= len(codec.example[0]) <= codec.columns[1]
        assert codec.why or codec.changed is None


SHEET = """
title = "Acme"
source = "https://acme.example.com"

[layout.events]
about = "an event a line"
records = "{records}"
default = true
source = "https://acme.example.com"

[layout.events.fields]
what = {{ hub = "name", required = true }}
at = {{ hub = "time", as = "epoch_ms", required = true }}
"{place}" = {{ hub = {hub}, as = "{name}" }}
"""


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_example_of_a_container_is_read_and_written(name, tmp_path):
    container = CONTAINERS[name]
    maps, wanted = container.example
    records, place = ("csv", "free_*") if container.readable_only else ("json-lines", "free")
    sheet = SHEET.format(records=records, place=place, hub=json.dumps(container.stands_for), name=name)
    (tmp_path / "acme.toml").write_text(sheet, encoding="utf-8")
    if container.readable_only:
        columns = {
            "what": "e",
            "at": 1460000000000,
            **{f"free_{key}": value for key, value in json.loads(wanted).items()},
        }
        file = tmp_path / "events.csv"
        pl.DataFrame([columns]).write_csv(file)
    else:
        given = {"name": "e", "time": TIME, **dict(zip(container.stands_for, maps, strict=True))}
        event = pl.DataFrame(
            [pl.Series(column, [given.get(column)], dtype=kind) for column, kind in events.SCHEMA.items()]
        )
        row = translate.write(event, model="acme", mappings=tmp_path).collect()["row"].item()
        assert f',"free":{wanted}}}' in row
        file = tmp_path / "events.json"
        file.write_text(row, encoding="utf-8")
    translate.convert(file, from_="acme", to="hub", out=tmp_path / "hub", mappings=tmp_path)
    read = pl.read_parquet(tmp_path / "hub" / "data" / "*.parquet")
    if container.write_as_text:  # its keys are of its own case
        maps = tuple(values and {"itemSku": values["item_sku"]} for values in maps)
    assert tuple(read[column].item() or None for column in container.stands_for) == maps


@pytest.mark.parametrize("name", STAMPS)
def test_the_example_of_a_stamp_is_made(name):
    word = STAMPS[name]
    assert word.about
    assert ((), word.make(stamps.EXAMPLE_REQUEST, stamps.EXAMPLE_TEMPLATE)) == word.example


def test_every_word_is_said_once():
    """Each word is of one kind, stands in one module, and is called there by its name."""
    assert len(SCALARS) + len(CONTAINERS) + len(STAMPS) == len(WORDS)
    said = [
        (name, constant)
        for module in iter_modules(words.__path__)
        for constant, word in vars(import_module(f"{words.__name__}.{module.name}")).items()
        for name in [getattr(word, "name", None)]
        if isinstance(word, Word)
    ]
    assert sorted(name for name, _ in said) == sorted(WORDS)
    assert all(constant == name.upper() for name, constant in said)


# Absent, empty text, zero, false: five things. None stands for absent, "" is kept, 0 is kept.
NULL_TABLE = [
    ("event_kind", (None,), None), ("event_kind", ("",), ""), ("text", (None,), None), ("text", ("",), ""), ("text", ("0",), "0"),
    ("whole", (None,), None), ("whole", (0,), 0),
    ("number", (None,), None), ("number", (0.0,), "0"), ("number", (-0.0,), "0"), ("number", (1e16,), "10000000000000000"),
    ("number", (5e-324,), "0." + "0" * 323 + "5"), ("number", (0.1,), "0.1"), ("number", (-1.5,), "-1.5"),
    ("epoch_ms", (None,), None), ("epoch_ms", (TIME,), 1457947613589), ("epoch_s", (None,), None), ("epoch_s", (TIME,), 1457947613),
    ("iso8601", (None,), None), ("iso8601", (TIME,), "2016-03-14T09:26:53.589Z"),
    ("first_of", (None, None), None), ("first_of", ("", "b"), ""), ("first_of", (None, ""), ""),
    ("language", (None, None), None), ("language", ("", "en_US"), ""), ("language", (None, "EN-us"), "en"), ("language", (None, "english"), None),
    ("country", (None, None), None), ("country", ("", "en_US"), ""), ("country", (None, "en_gb"), "GB"), ("country", (None, "en"), None), ("country", (None, "es_419"), None),
    ("duration", (None, None, None), None), ("duration", (0, events.EPOCH, TIME), 0), ("duration", (None, TIME, TIME), 0), ("duration", (None, TIME, None), None),
    ("exact_duration", (0, None, None), 0), ("exact_duration", (7, TIME, TIME), 0), ("exact_duration", (None, None, TIME), None),
    ("action", (None, None), None), ("action", ("END", "session.start"), "END"), ("action", (None, "session.start"), "START"),
    ("short_session", (None,), None), ("short_session", ("",), "e3b0c44298fc1c149afb"), ("short_session", ("x" * 7,), hashlib.sha256(b"xxxxxxx").hexdigest()[:20]),
    ("short_session", ("x" * 8,), "x" * 8), ("short_session", ("x" * 20,), "x" * 20),
    ("long_session", (None,), None), ("long_session", ("",), ""), ("long_session", ("x" * 21,), "x" * 21), ("long_session", ("x" * 20,), None),
    ("epoch_ms_or_s", (None,), None), ("epoch_ms_or_s", (TIME,), 1457947613589), ("epoch_ms_or_s", (events.EPOCH,), 0),
    ("fitting_id", (None,), None), ("fitting_id", ("",), "74f0ed57-caa2-5556-9c4c-81ff8f850797"), ("fitting_id", ("0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11-2",), "dbdfc127-081c-574c-a1a9-c6eaf3183258"),
    ("unfit_id", (None,), None), ("unfit_id", ("",), ""), ("unfit_id", ("0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11",), None), ("unfit_id", ("x",), "x"),
    ("worth", (None, None, None), None), ("worth", (0.0, 2.0, 3.0), "0"), ("worth", (None, 0.0, 3.0), "0"), ("worth", (None, 2.0, None), None),
    ("money", (None, None, None, None, None), None), ("money", (0.0, None, None, "JPY", ""), "0"), ("money", (1.0, None, None, "", None), None),
    ("money", (1.0, None, None, "USD", "Virtual"), None), ("money", (1.0, None, None, "usd", None), "1"), ("money", (1.0, None, None, "uſd", None), None),
    ("money_currency", ("", None, 1.0, None, None), None), ("money_currency", ("EUR", None, 0.0, None, None), "EUR"), ("money_currency", ("EUR", None, None, 1.0, None), None), ("money_currency", ("eur", None, 0.0, None, None), "EUR"),
    ("revenue", (None, None, None, None, None), None), ("revenue", (0.0, None, None, "JPY", ""), "0"), ("revenue", (1.0, None, None, "USD", "Virtual"), None), ("revenue", (1.0, None, None, None, None), None),
    ("summed_price", (None, None, None, "USD", None), None), ("summed_price", (0.0, None, 3.0, "USD", None), "0"), ("summed_price", (2.0, 5.0, 3.0, "USD", None), None), ("summed_price", (2.0, 6.0, 3.0, "USD", "Virtual"), None),
    ("summed_quantity", (None, None, 2.0, "USD", None), None), ("summed_quantity", (0.0, None, 2.0, "USD", None), "0"), ("summed_quantity", (3.0, 6.0, 2.0, "USD", None), "3"), ("summed_quantity", (3.0, None, 2.0, None, None), None),
    ("plain_price", (None, None, None, None, None), None), ("plain_price", (0.0, None, None, None, None), "0"), ("plain_price", (2.0, 5.0, 3.0, "USD", None), "2"), ("plain_price", (2.0, None, 3.0, "USD", None), None),
    ("plain_quantity", (None, None, None, None, None), None), ("plain_quantity", (0.0, None, None, None, None), "0"), ("plain_quantity", (3.0, None, 2.0, "USD", None), None),
    ("loose_value", (None, None, None, None, None), None), ("loose_value", (0.0, None, None, None, None), "0"), ("loose_value", (0.0, None, None, "USD", None), None),
    ("loose_price", (0.0, None, None, None, None, None, None), "0"), ("loose_price", (2.0, None, 1.0, "USD", None, "i", None), None),
    ("loose_price", (2.0, None, 1.0, "USD", None, None, None), "2"), ("loose_price", (2.0, None, 1.0, "USD", None, "i", "[]"), "2"),
    ("loose_quantity", (0.0, None, None, None, None, None, None), "0"), ("loose_quantity", (1.0, "", None, None, 2.0, "USD", None), None),
    ("loose_currency", ("", None, None, None, None), ""), ("loose_currency", ("USD", None, None, None, None), "USD"), ("loose_currency", ("USD", None, 0.0, None, None), None),
    ("loose_item_id", (None, "[]"), None), ("loose_item_id", ("", "[]"), ""), ("loose_item_id", ("i", None), None),
    ("item_list", (None, None, 1.0, 1.0, "USD", None, None), None), ("item_list", (None, "", 0.0, 0.0, "USD", "", None), '[{"id":"","price":0,"quantity":0,"currency":"USD"}]'),
    ("item_list", ("[]", "i", 1.0, 1.0, "USD", None, None), "[]"), ("item_list", (None, "i", 5.0, None, "USD", None, 10.0), '[{"id":"i","price":5,"currency":"USD"}]'),
    ("item_list", (None, "i", 5.0, 1.0, "Gold", None, None), '[{"id":"i"}]'),
    ("user_object", (None, None, None, TIME), None), ("user_object", ("", None, None, TIME), '{"id":{"value":"","set_timestamp":1457947613589}}'),
    ("user_object", (None, {"a": "0", "b": "false", "c": '""'}, {"a": "7"}, TIME),
     '{"a":{"value":0,"set_timestamp":7},"b":{"value":false,"set_timestamp":1457947613589},"c":{"value":"","set_timestamp":1457947613589}}'),
    ("piped", (None,), None), ("piped", ("[]",), ""), ("piped", ('["",0]',), "|0"),
    ("epoch_s_exact", (None,), None), ("epoch_s_exact", (TIME,), "1457947613.589"), ("epoch_s_exact", (TIME.replace(microsecond=500_000),), "1457947613.5"),
    ("epoch_s_exact", (events.EPOCH - dt.timedelta(seconds=1.5),), "-1.5"), ("epoch_s_exact", (events.EPOCH - dt.timedelta(seconds=1),), "-1"),
    ("epoch_s_exact", (events.EPOCH - dt.timedelta(milliseconds=1),), "-0.001"),
    ("epoch_ms_text", (None,), None), ("epoch_ms_text", (events.EPOCH,), "0"), ("epoch_ms_text", (TIME,), "1457947613589"),
    ("whole_text", (None,), None), ("whole_text", (0,), "0"), ("whole_text", (-1,), "-1"),
    ("json_text", (None,), None), ("json_text", ('""',), '""'), ("json_text", ("0",), "0"), ("json_text", ("false",), "false"),
    ("json_map", (None,), None), ("json_map", ({},), "{}"), ("json_map", ({"a": '""', "b": "0", 'c"': "false"},), '{"a":"","b":0,"c\\"":false}'),
    ("map_of_texts", (None,), None), ("map_of_texts", ({"a": '"\\n"', "b": "0", "c": '["d"]'},), '{"a":"\\n","b":"0","c":"[\\"d\\"]"}'),
    ("map_of_lists", (None,), None), ("map_of_lists", ({"a": '"b"', "b": "true", "c": '["d","\\"]"]', "d": "[]", "e": "[1]"},), '{"a":["b"],"b":["true"],"c":["d","\\"]"],"d":[],"e":["[1]"]}'),
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
    ("epoch_ms_or_s", 1457947613589, TIME), ("fitting_id", "x", "x"), ("unfit_id", "x", "x"),
    ("iso8601", None, None), ("iso8601", "", None), ("iso8601", "2016-03-14T09:26:53.589Z", TIME), ("iso8601", "2016-03-14T09:26:53Z", TIME.replace(microsecond=0)),
    ("iso8601", "yesterday", None), ("iso8601", "2016-02-30T00:00:00Z", None),
    ("epoch_s_exact", None, None), ("epoch_s_exact", "1457947613.589", TIME), ("epoch_s_exact", "-1.5", events.EPOCH - dt.timedelta(seconds=1.5)),
    ("epoch_s_exact", "1457947613.5899", TIME), ("epoch_ms_text", "1457947613589", TIME), ("epoch_ms_text", "soon", None),
    ("whole_text", "0", 0), ("whole_text", "1.5", None), ("short_session", "", None), ("short_session", "12345678", "12345678"),
    ("piped", None, None), ("piped", "a|b", '["a","b"]'), ("piped", '"|', '["\\"",""]'), ("json_text", "[1]", "[1]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "wanted"), READ_TABLE)
def test_read_table(name, text, wanted):
    """What a codec reads: absent stays absent, and what is no value is none."""
    assert read(name, text) == wanted


# ISO 8601 of other forms is brought into the usual one before a codec reads it: the result, and what was assumed.
FORMS_OF_TIME = [
    ("2016-03-14T09:26:53.589Z", "2016-03-14T09:26:53.589Z", ""), ("2016-03-14T10:26:53.589+01:00", "2016-03-14T09:26:53.589Z", ""),
    ("20160314T092653.589Z", "2016-03-14T09:26:53.589Z", ""), ("2016-03-14 09:26:53.589+00:00", "2016-03-14T09:26:53.589Z", ""),
    ("2016-03-14T09:26:53.5899999Z", "2016-03-14T09:26:53.589Z", "finer than milliseconds: floored"),
    ("2016-03-14T09:26:53.589", "2016-03-14T09:26:53.589Z", "without a zone: read as UTC"), ("2016-03-14", "2016-03-14T00:00:00.000Z", "without a zone: read as UTC"),
    ("yesterday", None, ""), ("", None, ""), ("2016-02-30", None, ""), ("0001-01-01T00:00:00+01:00", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted", "why"), FORMS_OF_TIME)
def test_forms_of_time(text, wanted, why):
    """ISO 8601 in all its forms becomes the one that codecs read, and what had to be assumed is told."""
    found = read_time(text, "iso8601", is_number=False)
    assert (
        found == NoTime(NO_ISO8601)
        if wanted is None
        else (found.text, found.changed) == (wanted, (why,) if why else ())
    )
    assert wanted is None or read("iso8601", wanted) is not None


# Where a codec's own example does not lead back, because writing fills in, leaves out or takes from elsewhere what the
# first hub column does not say: why, and a value that does come back.
FILLED_IN = {
    "first_of": ("the first column takes in what another one said", ("a", "b")),
    "exact_duration": ("stop minus start stands in for a recorded length that disagrees", (5, None, None)),
    "action": (
        "the name's phase stands in for one that the event does not have; the hub takes it out again",
        ("END", "session.start"),
    ),
    "worth": ("price times quantity stands in for a value", (1.5, 2.0, 3.0)),
    "money": ("price times quantity stands in for a value", (1.5, 2.0, 3.0, "USD", None)),
    "revenue": ("price times quantity stands in for a value", (1.5, 2.0, 3.0, "USD", None)),
    "money_currency": ("what is no money is written elsewhere", ("EUR", None, 1.0, None, None)),
    "item_list": (
        "the event's own item stands in for a list; the hub takes it out again",
        ('[{"id":"i"}]', None, None, None, None, None, None),
    ),
    "language": ("the locale's stands in for one that the event does not have", ("de", "en_US")),
    "country": ("the locale's stands in for one that the event does not have", ("AT", "en_US")),
    "long_session": ("a short one is written elsewhere", ("x" * 21,)),
    "unfit_id": ("one that fits is written elsewhere", ("x",)),
}
# What no codec can read alone: it takes the model's names, the settings, or the whole record.
NOT_ALONE = {"event_name", "app_id", "original_names", "own_column", *WHOLE_MAPS, "user_object"}


@pytest.mark.parametrize("name", sorted(SCALARS.keys() - NOT_ALONE))
def test_reading_undoes_writing(name):
    """What a codec writes of its first hub column, it reads back."""
    codec = SCALARS[name]
    given = FILLED_IN[name][1] if name in FILLED_IN else codec.example[0]
    assert given[0] is not None
    assert read(name, written(name, *given)) == given[0]


@pytest.mark.parametrize("name", FILLED_IN)
def test_what_does_not_come_back_is_known(name):
    """A codec is excused from reading its example back only where it really does not."""
    given, wanted = SCALARS[name].example
    assert read(name, wanted) != given[0]


def test_every_codec_can_be_read():
    """Every codec reads, but those that the reader takes in as whole maps."""
    assert {name for name, codec in SCALARS.items() if codec.read is None} == {*WHOLE_MAPS}
    assert {name for name, codec in SCALARS.items() if codec.write is None and codec.rowwise is None} == {
        "original_names",
        "own_column",
    }


@pytest.mark.parametrize(("name", "given", "wanted"), [("epoch_s", (TIME,), True), ("epoch_s", (events.EPOCH,), False), ("fitting_id", ("x",), True), ("fitting_id", ("0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11",), False), ("short_session", ("abc",), True),
                                                       ("exact_duration", (1, TIME, TIME), True), ("exact_duration", (0, TIME, TIME), False)])  # fmt: skip
def test_changes_are_told(name, given, wanted):
    """A codec that loses something tells for which values."""
    frame = pl.DataFrame(
        [
            pl.Series(
                f"c{number}", [value], dtype=SCALARS[name].types[min(number, len(SCALARS[name].types) - 1)]
            )
            for number, value in enumerate(given)
        ]
    )
    assert frame.select(SCALARS[name].changed([pl.col(column) for column in frame.columns])).item() is wanted


def test_containers_hold_maps():
    """Each container names hub maps, and says what it is."""
    for container in CONTAINERS.values():
        assert container.about
        assert {events.SCHEMA[name] for name in container.stands_for} == {events.MAP}


@pytest.mark.parametrize("module", [scalars, stamps, money, notation, spelling, times])
def test_examples_in_docstrings(module):
    """The examples in the modules' docstrings run."""
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("texts", [[], ["k3"], ["other"], [None], ["k3", None, "other", "k19", ""]])
@pytest.mark.parametrize("entries", [3, 20])
def test_texts_are_exchanged_alike_by_a_table_of_any_length(texts, entries):
    """A long one is looked up, a short one compared: with the text itself, another column, a literal or nothing as the default."""
    table = {f"k{number}": f"v{number}" for number in range(entries)}
    text = pl.col("text")
    defaults = {"itself": None, "column": text + "!", "literal": pl.lit("d"), "none": pl.lit(None, pl.String)}
    values = {name: notation.exchanged(text, table, default) for name, default in defaults.items()}
    frame = pl.LazyFrame({"text": texts}, schema={"text": pl.String})
    for engine in ("in-memory", "streaming"):
        for name, value in values.items():
            found = frame.select("text", value=value).collect(engine=engine)
            other = {
                "itself": lambda text: text,
                "column": lambda text: None if text is None else f"{text}!",
                "literal": lambda _: "d",
            }
            expected = [
                table[text] if text in table else other.get(name, lambda _: None)(text) for text in texts
            ]
            assert found["value"].to_list() == expected, (engine, name)
