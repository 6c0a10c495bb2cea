"""What an account may not hide: counts made apart from it, exact values, sources told apart."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import translate
from translate.archive.batches import TOO_LARGE
from translate.conversion import account, part, plan
from translate.reader.hub import Hub
from translate.vocabulary.money import worth

ROOT = Path(__file__).resolve().parent.parent
RECORD = {
    "event_type": "e",
    "event_timestamp": 1487973802507,
    "application": {"app_id": "a"},
    "client": {"client_id": "c"},
}


def write(path, count):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({**RECORD, "metrics": {"n": n}}) + "\n" for n in range(count)))
    return path


def test_events_lost_on_the_way_stop_the_run(tmp_path, monkeypatch):
    """A step that drops events is found out: the reader's own count is held against the account."""
    events = Hub.events
    monkeypatch.setattr(
        Hub, "events", lambda self, records: events(self, records).filter(pl.col("row") % 2 == 0)
    )
    with pytest.raises(translate.ConservationError, match="10 records were read, but 5 are accounted for"):
        translate.convert(write(tmp_path / "a.json", 10), to="clickstream", out=tmp_path / "out")
    assert not (tmp_path / "out" / "report.json").exists()


@pytest.mark.parametrize("to", ["clickstream", "hub", "clickstream/requests"])
def test_rows_lost_in_the_sink_stop_the_run(tmp_path, monkeypatch, to):
    """What lies in the part is counted again."""
    lost = pl.col("line") != 3
    for kind in (part.LinesPart, part.RequestsPart):
        add = kind.add
        monkeypatch.setattr(
            kind, "add", lambda self, rows, add=add: add(self, pl.concat([rows[:2], rows[3:]]))
        )
    monkeypatch.setattr(part, "WRITTEN", plan.WRITTEN & lost)
    with pytest.raises(translate.ConservationError, match="10 events should be in"):
        translate.convert(write(tmp_path / "a.json", 10), to=to, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("price", "quantity", "expected"),
    [
        (9.99, 3.0, 29.97),
        (0.1, 3.0, 0.3),
        (1234567890123457.0, 1.0, 1234567890123457.0),
        (9007199254740991.0, 1.0, 9007199254740991.0),
        (123456789.12345679, 1.0, 123456789.12345679),
        (4503599627370495.0, 2.0, 9007199254740990.0),
    ],
)
def test_worth_is_exact(price, quantity, expected):
    """One item is worth its price to the last digit; a product has no digits that a double makes up."""
    frame = pl.DataFrame(
        {"value": pl.Series([None], dtype=pl.Float64), "price": [price], "quantity": [quantity]}
    )
    assert frame.select(worth(*(pl.col(name) for name in frame.columns))).item() == expected


def test_good_records_behind_a_broken_one(tmp_path):
    """A record that is cut off inside a list takes no whole record that follows with it."""
    good = json.dumps(RECORD).replace('{"', '{ "', 1)
    (tmp_path / "a.json").write_text('{ "event_type": "x", "attributes": {"l": [1,\n' + (good + "\n") * 50)
    report = translate.convert(
        tmp_path / "a.json", to="mobile_analytics", out=tmp_path / "out", from_="mobile_analytics"
    )
    assert (report["events"]["read"], report["events"]["written"], report["events"]["rejected"]) == (
        51,
        50,
        1,
    )


def test_doubtful_file_is_read_line_by_line(tmp_path):
    """Beside a file that shows the layout, records that lack what it needs are rejected one by one."""
    write(tmp_path / "in" / "good.json", 4)
    other = {**RECORD, "event_time": 1}
    del other["event_timestamp"]
    (tmp_path / "in" / "odd.json").write_text((json.dumps(other) + "\n") * 5)
    report = translate.convert(tmp_path / "in", to="clickstream", out=tmp_path / "out")
    assert report["rejects"] == {"missing_required": 5}


def test_small_file_with_a_long_text_is_not_held_in_memory(tmp_path, monkeypatch):
    """Whether a file is large is told by its text."""
    monkeypatch.setattr(translate.archive.units, "TEXT_BYTES_MAX", 10_000)
    (tmp_path / "a.gz").write_bytes(gzip.compress(write(tmp_path / "plain", 1000).read_bytes()))
    (file,) = translate.archive.sources.find([tmp_path / "a.gz"])
    assert file.bytes < 10_000 < translate.archive.units.text_bytes(file)
    assert translate.archive.units.is_large(file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"set_": ["app_ids.a=1bad"]}, "clickstream/events does not take"),
        ({"since": "2017-01-02", "until": "2017-01-01"}, "no time lies between"),
    ],
)
def test_refused_before_anything_is_read(tmp_path, options, message):
    """What cannot be right is refused at once."""
    with pytest.raises(translate.UsageError, match=message):
        translate.convert(write(tmp_path / "a.json", 1), to="clickstream", out=tmp_path / "out", **options)


def test_recipe_with_a_failed_test_converts_nothing(tmp_path):
    """A recipe's own tests run before it is used."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'to = "clickstream/events"\n[[rule]]\nset.name = "\'x\'"\n'
        '[[test]]\nevent = { name = "e", time = 2017-01-01T00:00:00Z, client_id = "c", "app.id" = "a" }\nexpect = [{ event_type = "y" }]\n'
    )
    with pytest.raises(translate.MappingError, match='should be "y"'):
        translate.convert(
            write(tmp_path / "a.json", 1), to="clickstream", out=tmp_path / "out", recipe=recipe
        )


def test_losses_count_events_not_rows(tmp_path):
    """An event that gives several rows is lost once."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'to = "personalize/interactions"\n[[rule]]\nset.items = \'"attributes.cart"\'\nexplode = "items"\n'
        "[[rule]]\nset.item_id = '\"item.sku\"'\n"
    )
    cart = json.dumps([{"sku": "a"}, {"sku": "b"}, {"sku": "c"}])
    (tmp_path / "a.json").write_text(json.dumps({**RECORD, "attributes": {"cart": cart}}) + "\n")
    report = translate.convert(tmp_path / "a.json", to="personalize", out=tmp_path / "out", recipe=recipe)
    assert (report["events"]["read"], report["events"]["added"], report["events"]["written"]) == (1, 2, 3)
    assert all(loss["events"] == 1 for loss in report["losses"])


def test_findings_count_an_event_once(tmp_path):
    """Also where several columns lie in one place of the source, of which the same is said."""
    event = {
        "event_type": "purchase",
        "event_id": "1",
        "timestamp": 1_460_000_000_000,
        "app_id": "a",
        "unique_id": "c",
    }
    (tmp_path / "a.json").write_text(json.dumps({**event, "items": [{"id": "i"}], "attributes": {}}) + "\n")
    report = translate.convert(
        tmp_path / "a.json", to="personalize", out=tmp_path / "out", from_="clickstream"
    )
    told = [finding["events"] for finding in report["findings"] if finding["code"] == "empty_map"]
    assert told == [1]


def test_examples_of_keys(tmp_path):
    """With examples the report holds a value for each key that is lost, and none without."""
    (tmp_path / "a.json").write_text(
        json.dumps({**RECORD, "attributes": {"Level Name": "Level1"}, "odd": [1]}) + "\n"
    )

    def examples(out, **options):
        report = translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / out, **options)
        return {loss["field"]: loss.get("example") for loss in report["losses"]}

    assert examples("with", examples=True) == {"attributes.Level Name": "Level1", "odd": "[1]"}
    assert examples("without") == {"attributes.Level Name": None, "odd": None}


def test_no_value_of_hub_files_is_told_without_examples(tmp_path):
    """What the hub writes under its own names is no example, unless examples are asked for."""
    (tmp_path / "a.json").write_text(json.dumps({**RECORD, "arrival_timestamp": "grandmother"}) + "\n")
    for asked in (False, True):
        report = translate.convert(tmp_path / "a.json", to="hub", out=tmp_path / str(asked), examples=asked)
        assert [loss["field"] for loss in report["losses"]] == ["arrival_timestamp"]
        assert ("grandmother" in json.dumps(report)) == asked


def test_write_tells_what_it_leaves_out():
    """Hub events that a target would refuse are told."""
    for told, why in (({}, ".* needs"), ({"items": ["[oops"]}, "items is not JSON")):
        frame = pl.DataFrame({"name": ["e"], **told})
        with pytest.warns(UserWarning, match=f"1 events cannot be written, for example because {why}"):
            assert translate.write(frame, model="clickstream").collect().height == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("command", "ends", "code", "said"),
    [
        ("models", "| true", 0, ""),
        ("models --json", "| head -1", 0, ""),
        ("--version", "| true", 0, ""),
        ("convert --help", "| true", 0, ""),
        ("check nothing.toml", "| true", 2, ""),
        ("convert a.json --to clickstream --dry-run", "| true", 0, ""),
        ("convert a.json --to clickstream --out -", "| true", 0, ""),
        ("models", "> /dev/full", 3, "translate: No space left on device\n"),
        ("inspect a.json", "> /dev/full", 3, "translate: No space left on device\n"),
        ("convert a.json --to clickstream --out o", ">&-", 0, ""),
        ("convert a.json --to clickstream --out -", ">&-", 2, "translate: --out -: standard output is closed; open it, or name a directory\n"),
        ("convert no.json --to clickstream --out -", "2>&-", 3, ""),
        ("inspect -", "<&-", 3, "translate: -: standard input is closed; name a file, or pipe the records in\n"),
        ("convert - --to clickstream --out -", "<&-", 3, "translate: -: standard input is closed; name a file, or pipe the records in\n"),
    ],
)  # fmt: skip
def test_streams_that_end_or_are_closed(command, ends, code, said, unbuffered, tmp_path):
    """Nobody reads, nothing can be written, or the shell closed it: no traceback, and no complaint of Python's own at its end."""
    write(tmp_path / "a.json", 3)
    call = f"{sys.executable} -m translate {command} {ends}; exit ${{PIPESTATUS[0]}}"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
    ended = subprocess.run(
        ["bash", "-c", call], check=False, env=env, cwd=tmp_path, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (code, said)
    assert ended.stdout == "" or ends != "2>&-"


def test_a_reader_that_goes_away_is_no_failure(tmp_path):
    """`translate convert ... | head -1` ends well."""
    write(tmp_path / "a.json", 3)
    call = f"{sys.executable} -m translate convert {tmp_path}/a.json --to clickstream --out {tmp_path}/out | true; exit ${{PIPESTATUS[0]}}"
    assert (
        subprocess.run(
            ["bash", "-c", call], check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
        ).returncode
        == 0
    )


def test_rejects_are_compact_json(tmp_path):
    """Each is written by itself: what it holds is escaped as JSON has it, and what is JSON already stands as it is."""
    odd = "".join(map(chr, [*range(0x80), 0xE4, 0x2028, 0x1F600]))
    rows = [
        ("a.json", 1, "x", odd, False, odd),
        ("ä", None, "y", "", True, "AAA="),
        ("a", 2, TOO_LARGE, "", True, '{"head":"\\""}'),
    ]
    batch = pl.DataFrame(rows, ["file", "line", "code", "message", "base64", "text"], orient="row")
    rejects = account._rejects(pl.concat([batch.with_columns(code=pl.lit(None, pl.String)), batch]))
    heads = [dict(zip(batch.columns[:4], row, strict=False)) for row in rows]
    raws = [odd, {"base64": "AAA="}, {"head": '"'}]
    told = [{**head, "raw": raw} for head, raw in zip(heads, raws, strict=True)]
    assert rejects == [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in told]
