"""The kernel and the reference agree to the byte, whatever lies in the archive."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

import translate
from translate.mapping import find_layout
from translate.reader import Lines, Reader

_, LAYOUT = find_layout("mobile_analytics/archive")
HEAD = '{"event_type":"a","event_timestamp":1487973802507'
GOOD = HEAD + ',"attributes":{"a":"x"},"metrics":{"m":1.5}}'


def read(lines: list[str], **options: Any) -> pl.DataFrame:
    """Read lines into raw records."""
    frame = pl.scan_lines("".join(f"{line}\n" for line in lines).encode(), name="text", row_index_name="row")
    reader = Reader(LAYOUT, **options)
    return reader.records(Lines(frame, ["a.json"], [0])).collect(engine="streaming")


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
    del report["careful"], report["careful_share"]
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
