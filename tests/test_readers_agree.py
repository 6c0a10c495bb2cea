"""The kernel and the reference agree to the byte, whatever lies in the archive."""

from __future__ import annotations

import itertools
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

import translate
from translate.archive.batches import Lines
from translate.archive.lines import Damage
from translate.archive.table import rows_of
from translate.engine.library import library
from translate.mapping import find_layout, load, models
from translate.reader import kernel_reader
from translate.reader.careful import CarefulReader
from translate.reader.kernel_reader import KernelReader, _Asked
from translate.reader.reader import Reader

_, LAYOUT = find_layout("mobile_analytics/archive")
HEAD = '{"event_type":"a","event_timestamp":1487973802507'
GOOD = HEAD + ',"attributes":{"a":"x"},"metrics":{"m":1.5}}'


def lines_of_one_file(frame: pl.LazyFrame) -> Lines:
    """Give lines that are all read, whatever they look like."""
    return Lines(frame, ["a.json"], [0], are_read_once=True)


def read(lines: list[str], **options: Any) -> pl.DataFrame:
    """Read lines into raw records."""
    frame = pl.scan_lines("".join(f"{line}\n" for line in lines).encode(), name="text", row_index_name="row")
    reader = Reader(LAYOUT, **options)
    return reader.records(lines_of_one_file(frame)).collect(engine="streaming")


def told(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Give all that a reader says of each record; maps keep the order of their keys."""
    wanted = frame.select(pl.exclude("careful"))
    maps = ("attributes", "metrics", "other", "extra")
    return [
        {
            key: list(value.items()) if key in maps and value is not None else value
            for key, value in row.items()
        }
        for row in wanted.with_columns(pl.col("notes").fill_null([])).to_dicts()
    ]


def assert_agree(lines: list[str]) -> pl.DataFrame:
    """Read lines in all ways, and give the fast one's records."""
    careful = told(read(lines, careful_only=True))
    fast = read(lines)
    assert told(fast) == careful
    return fast


def written(folder: Path) -> dict[str, bytes]:
    """Give every file of a target directory; the report without the share that was read carefully."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    report = json.loads(files["report.json"])
    del report["careful"], report["careful_share"], report["engine"]
    return {**files, "report.json": json.dumps(report).encode()}


@given(strategies.batches(max_size=20))
@settings(max_examples=4 * settings.default.max_examples)
def test_readers_say_the_same_of_any_lines(lines: list[str]) -> None:
    """Whatever the lines hold, both readers give the same records, rejects, notes and nulls."""
    assert_agree(lines)


@given(strategies.batches(max_size=8), st.sampled_from(["mobile_analytics", "clickstream"]))
@settings(max_examples=settings.default.max_examples)
def test_conversions_differ_in_nothing_but_the_careful_share(lines: list[str], target: str) -> None:
    """Rows, rejects, counts, losses and findings are the same to the byte, whichever reader read."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "a.json")
        source.write_bytes("".join(f"{line}\n" for line in lines).encode())
        results = []
        for careful in (False, True):
            out = Path(folder, f"careful-{careful}")
            report = translate.convert(source, to=target, from_="mobile_analytics", out=out, careful=careful)
            assert careful <= (report["careful"] == report["events"]["read"])
            results.append(written(out))
        assert results[0] == results[1]


@given(strategies.batches(strange=False, max_size=20))
def test_ordinary_records_are_read_fast(lines: list[str]) -> None:
    """What SDKs write needs no careful reader, whatever the order of the keys and the white space."""
    assert not assert_agree(lines)["careful"].any()


def test_one_odd_record_does_not_slow_down_the_others() -> None:
    """In one batch, the reference takes the odd lines only, and the order stays."""
    lines = [GOOD, HEAD + ',"odd":1}', GOOD, "junk", GOOD] * 50
    fast = assert_agree(lines)
    assert fast["careful"].to_list() == [False, False, False, True, False] * 50
    assert fast["row"].to_list() == list(range(250))


def test_one_odd_record_on_a_line_does_not_slow_down_the_others() -> None:
    """The reference takes it alone; what is no JSON is refused without it, and what stands before that stays."""
    doubled = HEAD + ',"event_type":"b"}'
    fast = assert_agree(
        [GOOD + doubled + GOOD, GOOD + " 17 " + GOOD + GOOD[:-1] + ",", GOOD + GOOD[:-9] + ",]}" + GOOD]
    )
    assert fast["careful"].to_list() == [False, True, False, False, True, False, True, False, True, False]
    assert fast["part"].to_list() == [0, 1, 2, 0, 1, 2, 3, 0, 1, 2]


def test_explicit_nulls_are_read_fast() -> None:
    """Null fields are common in archives: the fast reader forgives and counts them."""
    fast = assert_agree(
        [HEAD + ',"session":{"session_id":null,"duration": null},"client":null,"attributes":{}}']
    )
    assert fast.select("careful", "nulls").rows() == [(False, 3)]


TRAPS = {
    "an unknown key hides behind white space": [HEAD + ',"odd" :1}'],
    "an unknown key hides behind a tab": [HEAD + ',"odd"\t:1}'],
    "an unknown key hides behind much space": [HEAD + ',"odd" \t :"x"}'],
    "an unknown key hides behind a text that begins with a colon": [HEAD + ',"client":{"client_id" :":x"},"odd" :1}'],
    "a number in the place of a text hides behind a text that ends like a key": [
        HEAD + r',"event_version":3,"attributes":{"a":"x\":"}}',
        HEAD + r', "event_version": 3.0, "attributes": {"a": "x\": "}}',
    ],
    "a text looks like a null": [
        HEAD + ',"client":null,"attributes":{"a":":null,"}}',
        HEAD + ',"client":null,"attributes":{"a": ":null}"}}',
        HEAD + ',"attributes":{"a":":null,"}}',
    ],
    "a null stands in a map": [HEAD + ',"attributes":{"a":null},"metrics":{"b":null}}'],
    "a null in a map balances a text that nobody knows": [
        HEAD + ',"attributes":{"a":null},"odd":"x"}',
        HEAD + ',"attributes":{"a":null},"application":{"app_id":"a","odd":"x"}}',
        HEAD + ',"attributes":{"a":null},"client":{"client_id":"c","client_id":"d"}}',
        HEAD + ',"metrics":{"a":null},"odd":1}',
    ],
    "a whole number has a fraction behind much space": ['{"event_type":"a","event_timestamp":  1487973802507.5}'],
    "a whole number has a fraction behind a tab": ['{"event_type":"a","event_timestamp":\t1487973802507.5}'],
    "a whole number's key is spelled with an escape": [r'{"event_type":"a","event_timest\u0061mp":1487973802507.5}'],
    "a text's key is spelled with an escape": [r'{"event_typ\u0065":"a","event_timestamp":1487973802507}'],
    "a whole number is a flag": [HEAD + ',"arrival_timestamp":true}'],
    "a record is followed by an empty one, and two lines further on are one": [
        HEAD + "},{}", '{"odd":[{}', '{"odd":1}]}', GOOD,
    ],
    "a record is followed by an empty one with a space": [HEAD + "},{ }", '{"odd":[{ }', '{"odd":1}]}', GOOD],
    "two records stand on a line": [GOOD + GOOD, GOOD + "," + GOOD],
    "half a record is completed by the next line": ['{"event_type":"a"', '"event_timestamp":1487973802507}', GOOD],
    "numbers lose digits in a double": [
        HEAD + f',"metrics":{{"m":{number}}}}}'
        for number in ("0." + "0" * 320 + "123456", "0." + "0" * 330 + "1", "12345678901234567890.5", "0.30000000000000004", "-0.0")
    ],
    "a key of the maps is doubled": [HEAD + ',"attributes":{"a":"x","a":"y"},"metrics":{"m":1,"m":2}}'],
    "a null doubles a value": [
        HEAD + ',"device":{"make":"m"},"device":null}', HEAD + ',"event_type":null}', HEAD + ',"attributes":{},"attributes":null}',
        HEAD + ',"client":null,"client":null}', HEAD + ',"client":{"client_id":"x","client_id":null}}',
    ],
    "a field is doubled": [HEAD + ',"event_type":"b"}', '{"event_timestamp":1,' + GOOD[1:]],
    "a list stands in the place of a map": [HEAD + ',"attributes":[],"metrics":[{"key":"a","value":1}]}'],
    "half of a surrogate pair is told about": [
        HEAD + r',"client":"\ud83d"}', HEAD + r',"client":{"\ud83d":1}}', HEAD + r',"attributes":{"\udc00":"x"}}',
    ],
    "two lines become one row, and one line two": [
        '{"odd":[{"x":1}', '{"y":1}]}', GOOD, GOOD.replace('"x"', '"y"'), GOOD + "," + GOOD.replace('"x"', '"z"'),
    ],
    "the row's own number is in the record": ['{"#":0,' + GOOD[1:], GOOD, '{"#":2,' + GOOD[1:]],
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_readers_agree_in_every_known_trap(trap: str) -> None:
    """Each way in which a decoder may err in silence is seen, alone and among other lines."""
    lines = TRAPS[trap]
    assert_agree(lines)
    assert_agree([GOOD, *lines, GOOD])


# -- every layout that the kernel reads ------------------------------------------------------------------------------

SAMPLES = Path(__file__).resolve().parent.parent / "sample_data"
MUTATIONS = 1500
JUNK = [
    *(byte.encode() for byte in '"\\{}[]:,0123456789.eE-+ tfnu\t/a\x00\x1f'), b"null", b"true", b"1.50", b"-0", b"1e5", b"2.675",
    b"0.1000000000000000055", b"12345678901234567890", b"0.30000000000000004", b"1e400", b"NaN", b"\\u00e9", b"\\ud83d\\ude00",
    b"\\ud800", b'"k":1,', b'"k":null,', b'"a.b":"x",', b'"^x":[1,{"z":2.0}],', b'"key":"v",', b'\\"', b"{}", b"[1, 2]",
]  # fmt: skip


def read_layouts(records: str = "json-lines") -> list[str]:
    """Name the layouts of such records that are read."""
    found = [layout for model in models() for layout in load(model).layouts.values()]
    return [layout.address for layout in found if layout.read and layout.records == records]


def sample_lines(model: str, layout: str) -> list[str]:
    """Give the lines of a layout's samples, each row of a table as one."""
    files = [*SAMPLES.glob(f"{model}/{layout}*.json"), *SAMPLES.glob(f"{model}/{layout}*.jsonl")]
    tables = [path.read_text(encoding="utf-8") for path in SAMPLES.glob(f"{model}/{layout}_full.csv")]
    lines = [line for path in sorted(files) for line in path.read_text(encoding="utf-8").split("\n")]
    return [row for text in tables for row in rows_of(text)] if tables else lines


def mutated(randomness: random.Random, line: str) -> str:
    """Change some bytes of a line: put in, take out, exchange, double, cut."""
    content = bytearray(line.encode())
    for _ in range(randomness.choice([1, 1, 1, 2, 3])):
        at, length = randomness.randrange(len(content) + 1), randomness.choice([0, 1, 5, 20, 60])
        way = randomness.randrange(5)
        if way < 3:
            content[at : at + (way == 2)] = randomness.choice(JUNK)
        elif way == 3:
            content[at:at] = content[(start := randomness.randrange(len(content) + 1)) : start + length]
        else:
            del content[at : at + (length or len(content))]
    return content.decode("utf-8", "replace").replace("\n", " ")


def by_both(address: str, lines: list[str], **options: Any) -> list[pl.DataFrame]:
    """Read lines by the kernel, which leaves to the reference what it does not decide, and by the reference alone."""
    mapping, layout = find_layout(address)
    given = {"row": range(len(lines)), "text": lines}
    frame = pl.LazyFrame(given, {"row": pl.UInt32, "text": pl.String})
    readers = (Reader(layout, mapping.names, careful_only=only, **options) for only in (False, True))
    return [reader.records(lines_of_one_file(frame)).collect(engine="in-memory") for reader in readers]


@pytest.mark.skipif(library() is None, reason="no kernel here")
@pytest.mark.parametrize("address", [*read_layouts(), *read_layouts("csv")])
def test_kernel_and_reference_say_the_same(address: str) -> None:
    """Of every sample, and of thousands of mutations of them, whatever the kernel decides by itself is what the reference says."""
    _, layout = find_layout(address)
    lines = sample_lines(layout.model, layout.name)
    randomness = random.Random(address)
    lines += [mutated(randomness, randomness.choice(lines)) for _ in range(MUTATIONS)]
    by_kernel, by_reference = by_both(address, lines)
    assert told(by_kernel) == told(by_reference)
    read = by_kernel.filter(pl.col("code").is_null())
    assert not read["careful"].all()  # the kernel decided something


@pytest.mark.skipif(library() is None, reason="no kernel here")
def test_a_batch_that_is_too_large_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where offsets would not suffice, a batch is halved, the lines that are set apart with it."""
    lines = [GOOD, "junk", GOOD, GOOD]
    frame = pl.DataFrame({"row": pl.Series(range(4), dtype=pl.UInt32), "text": lines}).lazy()
    damaged = Lines(frame, ["a.json"], [0], {2: Damage("bad_encoding", "is none", "")})
    whole = Reader(LAYOUT).records(damaged).collect(engine="in-memory")
    monkeypatch.setattr(kernel_reader, "BATCH_BYTES_MAX", len(GOOD) + 1)
    assert told(Reader(LAYOUT).records(damaged).collect(engine="in-memory")) == told(whole)
    assert whole["code"].to_list() == [None, "bad_json", "bad_encoding", None]


@pytest.mark.skipif(library() is None, reason="no kernel here")
def test_the_census_of_an_archive_is_read_by_the_kernel() -> None:
    """Only requests are kept line by line: an account of an archive's keys costs no slower reading."""
    assert read([GOOD, GOOD], keeps_lines=True)["careful"].to_list() == [False, False]


CELLS = [
    "", "0", "-0", "1.50", "12345.678", "9007199254740993", "1e3", "-1.000001", "59.94005994005994", "123456789012345", "1234567890123456", "0.30000000000000004", "1e400", "0.0000001", "007", "x,y", 'say ""hi""', "é\u2028", "\x1e", "\x1em", "\t",
    "2016-04-26 05:12:33.123", "2016-04-26T05:12:33", "2016-04-26 05:12:33.1", "2016-04-26 05:12:33.120000", "2016-04-26 05:12:33.120001",
    "2016-02-30 05:12:33", "2016-04-26 24:00:00", "2016-04-26 05:12:60", "0000-01-01 00:00:00", "9999-12-31 23:59:59.999",
    "2016-04-26 05:12:33.", "2016-04-26 05:12", "2016-04-26 05:12:33Z", "2016-04-26 05:12:33+00", "2016-04-26x05:12:33",
]  # fmt: skip
NAMES = [
    "event_type", "event_timestamp", "arrival_timestamp", "session_start_timestamp", "device_make", "monetization_transaction_quantity",
    "a__product_id", "m__quantity", "a_", "a_x", "a_:", "m_", "m_score", "m_é", "unknown", "a.b", "^x", "",
]  # fmt: skip


@pytest.mark.skipif(library() is None, reason="no kernel here")
@pytest.mark.parametrize("record_bytes", [100, 1 << 20])
@pytest.mark.parametrize("doubled", [None, "a_x", "device_make", "m_score"])
def test_rows_of_tables_are_what_the_reference_says(doubled: str | None, record_bytes: int) -> None:
    """Whatever the columns are called and the cells hold, quoted or not; in a row of its own, and in one with a name and a time."""
    header = [*NAMES, *([doubled] if doubled else [])]
    rows = [",".join(header)]
    for needed, name, cell, quote in itertools.product(
        (["", ""], ["a", CELLS[16]]), header, CELLS, ("", '"')
    ):
        row = [*needed, *[""] * (len(header) - 2)]
        row[header.index(name) if name != doubled else -1] = f"{quote}{cell}{quote}"
        rows.append(",".join(row))
    by_kernel, by_reference = by_both("mobile_analytics/redshift", rows, record_bytes=record_bytes)
    assert told(by_kernel) == told(by_reference)
    assert by_kernel["careful"].all() == (doubled is not None)


TIMES = [
    "1234567890123", "1234567890", "12345678901234567890", "-5", "2016-04-26 05:12:33.123", "2016-04-26T05:12:33", "2016-04-26T05:12:33Z",
    "2016-04-26T05:12:33.120000Z", "2016-04-26T05:12:33+02:00", "2016-04-26T05:12:33.123456Z",
    "2016-04-26 05:12:33.1234567891+00", "2016-04-26T05:12:33.999999-0930", "1969-12-31T23:59:59.9999", "2016-04-26T05:12:33.123000+00:00",
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2016-04-26T05:12:33.Z", "2016-04-26T05:12:33.1234", "2016-04-26T05:12:33+24:00",
    "2016-04-26T05:12:33+02:60", "2016-04-26T05:12:33+2", "2016-04-26T05:12:33Z+02", "2016-02-30T05:12:33.123456Z", "", "x", 1234567890123, 1234567890, 1234567890.5, 1.5e12, True, [1],
]  # fmt: skip


OF_A_SHOP = [
    '"products":[]', '"products":[{"id": "b-1","price":3.0,"tags":[null,"\\u00fc"]}]', '"products":{"id":"b-1"}', '"products":"[1]"',
    '"products":[{"id":"a","id":"b"}]', '"products":null', '"impression":["b-1"]', '"products":[NaN]',
]  # fmt: skip


@pytest.mark.skipif(library() is None, reason="no kernel here")
def test_lists_of_a_place_of_their_own_are_read_by_the_kernel() -> None:
    """Every order of a shop has one."""
    begins = '{"type":"track","event":"Order Completed","messageId":"m","timestamp":"2024-01-01T00:00:00Z","properties":{'
    by_kernel, by_reference = by_both("segment_spec/events", [f"{begins}{each}}}}}" for each in OF_A_SHOP])
    assert told(by_kernel) == told(by_reference)
    assert by_kernel["careful"].to_list() == ["NaN" in each for each in OF_A_SHOP]


@pytest.mark.skipif(library() is None, reason="no kernel here")
@pytest.mark.parametrize(
    "address", [address for address in read_layouts() if not address.endswith("/requests")]
)
def test_times_of_all_kinds_are_what_the_reference_says(address: str) -> None:
    """In each place of a time, of a value of its own among the free-form ones, too."""
    _, layout = find_layout(address)
    samples = SAMPLES.glob(f"{layout.model}/{layout.name}_full.jsonl")
    records = [json.loads(line) for path in samples for line in path.read_text(encoding="utf-8").splitlines()]
    places = [place for entry in layout.fields if entry.word.unit for place in (entry.place, *entry.also)]
    lines = []
    for record, place, spelled in itertools.product(records[:2], places, TIMES):
        *above, name = place.split(".")
        inner = changed = json.loads(json.dumps(record))
        for segment in above:
            inner = inner.setdefault(segment, {})
        if isinstance(inner, dict):
            inner[name] = spelled
            lines.append(json.dumps(changed))
    by_kernel, by_reference = by_both(address, lines)
    assert told(by_kernel) == told(by_reference)


@pytest.mark.skipif(library() is None, reason="no kernel here")
def test_a_long_line_whose_records_are_left_is_taken_out_once() -> None:
    """Firehose puts thousands of them onto one line: twice as many take twice the time, and not four times."""
    record = '{"event_type":"a","event_timestamp":1487973802507,"event_type":"b","attributes":{"a":"%s"}}' % (
        "x" * 99
    )
    took = {}
    for count in (2_000, 8_000):
        begin = time.process_time()
        assert read([record * count])["careful"].sum() == count
        took[count] = time.process_time() - begin
    assert took[8_000] < 8 * took[2_000]


@pytest.mark.skipif(library() is None, reason="no kernel here")
def test_what_is_raised_before_anything_was_said_is_a_failure() -> None:
    """What an interruption raises outside of the answer is lost, but never the record that was asked for."""
    mapping, layout = find_layout("mobile_analytics/archive")
    reader = KernelReader.of(layout, mapping.names, 2**20)
    assert reader is not None
    lines = pl.DataFrame(
        {"row": [0], "text": ['{"event_type":1,"event_type":2}']}, {"row": pl.UInt32, "text": pl.String}
    )
    with pytest.MonkeyPatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(sys, "unraisablehook", lambda told: None)
        patch.setattr(
            _Asked, "answer", property(lambda asked: lambda: None)
        )  # takes none of what it is given
        reader.read(lines, lambda line, rest: [])


def test_what_fails_while_the_kernel_asks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference is called from within the kernel, through which nothing can be raised."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("of the reference")

    monkeypatch.setattr(CarefulReader, "read", fail)
    with pytest.raises(ZeroDivisionError, match="of the reference"):
        read([GOOD, '{"event_type":"a","event_type":"b"}', GOOD])


def test_a_line_of_many_pieces_keeps_their_order() -> None:
    """Some are read by the kernel, some refused by it, and some left: in one line, which damage may be, too."""
    doubled = HEAD + ',"event_type":"b","attributes":{"a":"ä","":"\\u0000"},"extra":[{}]}'
    pieces = [GOOD, doubled, "17", doubled, GOOD, doubled, '"x" ', GOOD[:-1]]
    found = assert_agree(["", "".join(pieces), GOOD, " ".join(pieces[::-1]), doubled])
    assert found["careful"].to_list().count(True) > found["careful"].to_list().count(False) > 0
    assert found.filter(pl.col("notes").is_not_null()).height == 7
