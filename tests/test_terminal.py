"""Tables on a terminal: they keep to its width, numbers stay whole, and colour is there where somebody looks."""

import gzip
import io
import json
from pathlib import Path

import pytest
from commands import run_here

import translate
from translate.wording import terminal
from translate.wording.terminal import Paper, beside, columns, paper_of, visible

ARCHIVE = Path(__file__).parent.parent / "sample_data" / "mobile_analytics" / "archive"
ROWS = [
    ("1,234,567", "a name that is much longer than a line", "and what is said of it, which is long"),
    ("5", "b", "c"),
]


@pytest.fixture(scope="module")
def found():
    return translate.inspect(ARCHIVE)


@pytest.mark.parametrize("width", [40, 80, 160])
def test_tables_keep_to_the_width(width):
    """No line is longer than the terminal; numbers are whole, and what is wrapped is all there."""
    lines = list(columns(ROWS, Paper(width), wrapped=(2,)))
    assert max(map(visible, lines)) <= width
    assert "1,234,567" in lines[0]
    (said,) = {" ".join("".join(lines).split()).count("which")}
    assert said == 1


def test_only_a_kept_text_may_be_longer():
    """What has to be whole is never cut."""
    lines = list(columns(ROWS, Paper(40), wrapped=(2,), kept=(1,)))
    assert ROWS[0][1] in lines[0]
    assert terminal.CUT not in "".join(lines)


def test_letters_that_take_two_places():
    """Letters of Japanese take two places, an accent of its own none."""
    lines = list(columns([("日本語", "1"), ("abc", "20"), ("e\u0301", "3")], Paper(80)))
    assert {visible(line) for line in lines} == {2 + 6 + 2 + 2}
    assert terminal.clipped("日本語", 5) == f"日本{terminal.CUT}"


def test_blocks_stand_beside_one_another():
    """So many stand in a row as there is room for; without bounds each stands alone."""
    blocks = [["one", "1"], ["two"], ["three", "3", "33"]]
    assert list(beside(blocks, Paper(80))) == ["one    two    three", "1             3", "              33"]
    assert len(list(beside(blocks, Paper(12)))) == 5
    assert list(beside(blocks, Paper())) == ["one", "1", "two", "three", "3", "33"]


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self):
        return True


def test_colour_is_for_terminals(monkeypatch):
    """Colour is there on a terminal that knows it, unless NO_COLOR says that nobody wants it."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert paper_of(Terminal(), 80) == Paper(80, colour=True)
    assert paper_of(io.StringIO(), 80) == Paper(80, colour=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not paper_of(Terminal(), 80).colour
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert not paper_of(Terminal(), 80).colour


@pytest.mark.parametrize("width", [80, 100, 160])
def test_an_inspection_fits(found, width):
    """An inspection keeps to 80 columns and uses 160, in colour too."""
    plain = found.to_text(width)
    widths = [visible(line) for line in plain.splitlines()]
    assert max(widths) <= width
    assert max(widths) > 0.8 * width
    coloured = found.to_text(width, colour=True)
    assert [visible(line) for line in coloured.splitlines()] == widths
    assert "\x1b" not in plain
    assert "\x1b[1m" in coloured


def test_names_of_the_archive_and_meanings_of_platforms(found):
    """The archive's own names stand beside the hub's; spellings of platforms are put together."""
    assert found.values["own_names"]["session.start"] == ["_session.start"]
    assert "Product View" not in found.values["own_names"]
    meanings = {entry["meaning"]: entry for entry in found.values["platform_meanings"]}
    assert {one["name"] for one in meanings["Android"]["spellings"]} == {"ANDROID", "Android", "android"}
    assert meanings["Android"]["events"] == sum(one["events"] for one in meanings["Android"]["spellings"])
    assert sum(entry["events"] for entry in meanings.values()) == 3103


def test_missing_days(found):
    """The spans without any event are told, the longest first, and add up with the days that have some."""
    missing = found.values["missing_days"]
    assert missing["of"] == missing["days"] + len(found.values["days"])
    assert missing["gaps"][0] == {"first": "2017-03-22", "last": "2017-08-12", "days": 144}
    assert sum(gap["days"] for gap in missing["gaps"]) == missing["days"]
    assert not {entry["day"] for entry in found.values["days"]} & {gap["first"] for gap in missing["gaps"]}


def test_files_that_cannot_be_read(tmp_path):
    """The files with the most unreadable records come first, each with the first line and its reason, and no value."""
    good = (ARCHIVE.parent / "archive_full.jsonl").read_text().splitlines()[0]
    late = json.dumps({**json.loads(good), "event_timestamp": 1234})
    (tmp_path / "a.json").write_text(f"{good}\n{late}\n")
    (tmp_path / "b.json").write_text(f"{good}\n{{'a'\n{good}\n[]\n")
    (tmp_path / "c.json.gz").write_bytes(gzip.compress(good.encode() * 100)[:-20])
    found = translate.inspect(tmp_path)
    worst = [
        (file["file"], file["records"], file["line"], file["code"])
        for file in found.values["unreadable_files"]
    ]
    assert worst[0] == ("b.json", 2, 2, "bad_json")
    assert {name for name, *_ in worst} == {"a.json", "b.json", "c.json.gz"}
    reasons = {file["file"]: file["reason"] for file in found.values["unreadable_files"]}
    assert reasons["a.json"].startswith("its time cannot be: outside of 2000 to 2100")
    shown = translate.inspect(tmp_path, examples=True).values["unreadable_files"]
    assert any("outside of" in file["reason"] for file in shown)
    assert "b.json:2" in found.to_text(80)


def test_keys_of_the_biggest_types_come_first(found):
    """A few keys of each of the biggest types, as recipes name them."""
    text = found.to_text(120)
    keys = text[text.index("keys (597)") : text.index("platforms (")]
    assert keys.index("session.start") < keys.index("Product View") < keys.index("search")
    assert "attributes.sku" in keys
    assert keys.count("\n") < 45


def test_parity_takes_several_sources_and_shows_money_and_other_names(tmp_path):
    """Several sources are one archive; money has its cents; a renamed type is one row, under both names."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        'to = "clickstream/events"\n[[rule]]\nnames = { "Product View" = "view_item" }\n'
        "[[rule]]\nwhen = \"currency = 'USD'\"\nset.currency = \"'EUR'\"\n"
    )
    sources = [ARCHIVE, ARCHIVE.parent / "archive_full.jsonl"]
    translate.convert(sources, to="clickstream", out=tmp_path / "out", recipe=recipe)
    found = translate.parity(sources, tmp_path / "out", recipe=recipe)
    assert found.unexplained == 0
    assert found.renamed == ("Product_View \N{RIGHTWARDS ARROW} view_item",)
    keys = found.frame.filter(figure="events")["key"].to_list()
    assert any(key.endswith("Product_View \N{RIGHTWARDS ARROW} view_item") for key in keys)
    assert not any(
        key.endswith((" Product_View", " view_item")) and found.renamed[0] not in key for key in keys
    )
    text = found.to_text(width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "9.98" in text or ".00" in text


@pytest.mark.parametrize(
    "command",
    [
        "convert {archive} --to clickstream --out {out}",
        "convert {archive} --to amplitude --out {out}",
        "validate {archive} --as mobile_analytics/archive",
        "roundtrip {archive} --via personalize",
        "inspect {archive}",
        "parity {archive} {archive}",
        "models",
    ],
)
def test_what_commands_say_fits_a_terminal(command, tmp_path, monkeypatch):
    """What is longer than a line goes on below its beginning; where there is no terminal it stays a line."""
    words = command.format(archive=ARCHIVE, out=tmp_path / "out").split()
    long, _, _ = run_here(["translate", *words])
    monkeypatch.setenv("COLUMNS", "80")
    if "convert" in words:
        words[-1] += "-again"
    said, _, _ = run_here(["translate", *words])
    names = (str(ARCHIVE), str(tmp_path))  # of paths nothing is broken
    lines = [line for line in said.splitlines() if not any(name in line for name in names)]
    assert max(map(visible, lines)) <= 80
    assert "".join(said.split()).replace("-again", "")[:200] == "".join(long.split())[:200]


def test_a_pipe_gets_a_row_a_line():
    """Where nothing bounds a line, rows are whole, one a line, and one long cell does not push all others out of sight."""
    told = translate.explain(from_="mobile_analytics", to="clickstream")
    lines = told.to_text(None).splitlines()
    assert len([line for line in lines if line.startswith("event_value ")]) == 1
    where = {line.index("text as it is") for line in lines if line.endswith(" text as it is")}
    assert where and min(where) == 79 and max(where) < 110
    assert [line.rstrip() for line in lines] == lines
