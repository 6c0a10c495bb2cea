"""Reports stay the dicts that they were, and show themselves as tables that are safe to look at."""

from __future__ import annotations

import copy
import json
import pickle
import re
from html.parser import HTMLParser

import polars as pl
import pytest
from IPython.core.formatters import HTMLFormatter, PlainTextFormatter

import translate
from translate.wording.rendering import FOLDED_MAX, SHOWN_MAX, Report

ARCHIVE = "sample_data/mobile_analytics/archive_full.jsonl"
NASTY = '<script src="https://evil.example/x.js">alert(1)</script><img src=x onerror=alert(1)> & "q" \u202e \x1b[31m'


class Page(HTMLParser):
    """Collects tags with their attributes, and the text of the cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)


def losses(count):
    return Report(
        {
            "losses": [
                {"field": f"f{number}", "kind": "changed", "why": "cut", "events": number}
                for number in range(count)
            ]
        }
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return translate.convert(ARCHIVE, to="clickstream", out=tmp_path_factory.mktemp("shown") / "out")


def test_a_report_is_still_a_dict_of_json_values(report, tmp_path):
    """Equality, JSON, copies and pickles are those of a dict."""
    plain = dict(report)
    assert report == plain
    assert json.loads(json.dumps(report)) == plain
    assert copy.deepcopy(report) == pickle.loads(pickle.dumps(report)) == plain


def test_every_call_answers_with_a_report(report, tmp_path):
    """What convert, validate, roundtrip and replay give shows itself."""
    converted = tmp_path / "requests"
    answers = [
        report,
        translate.convert(ARCHIVE, to="clickstream/requests", out=converted),
        translate.validate(converted / "data"),
        translate.roundtrip(ARCHIVE, via="clickstream"),
        translate.replay(
            converted,
            to="clickstream",
            endpoint="http://127.0.0.1:9/collect",
            journal=tmp_path / "j",
            dry_run=True,
        ),
    ]
    for answer in answers:
        assert isinstance(answer, Report)
        assert "table" in {tag for tag, _ in Page(answer.to_html()).tags}


def test_a_notebook_shows_tables_and_no_dict(report):
    """Both of the texts that Jupyter keeps are tables."""
    shown = HTMLFormatter()(report)
    assert shown == report.to_html()
    assert "What does not arrive as it was" in shown
    text = PlainTextFormatter()(report)
    assert text.startswith("mobile_analytics/archive")
    assert "{" not in text


def test_counts_losses_findings_and_rejects_are_shown():
    """Each part has its own words; numbers have separators and stand at the right."""
    shown = Page(Report({
        "events": {"read": 31030, "written": 31000}, "rejects": {"missing_required": 30}, "filtered": {"noise": 7},
        "losses": [{"field": "a.b", "kind": "cannot", "why": "no place", "events": 1200}],
        "findings": [{"code": "x", "message": "to be known", "events": 5}],
    }).to_html())  # fmt: skip
    assert {
        "31,030",
        "31,000",
        "missing_required",
        "30",
        "noise",
        "7",
        "a.b",
        "cannot",
        "no place",
        "1,200",
        "to be known",
    } <= set(shown.cells)
    assert (
        sum(attributes.get("style") == "text-align:right" for tag, attributes in shown.tags if tag == "td")
        == 6
    )


def test_the_heaviest_come_first_and_the_rest_is_a_click_away():
    """Rows are ordered by events; a long table is folded, and a very long one is cut and says so."""
    shown = losses(SHOWN_MAX + FOLDED_MAX + 9).to_html()
    opened, _, folded = shown.partition("<details")
    assert Page(opened).cells[4] == str(SHOWN_MAX + FOLDED_MAX + 8)
    assert opened.count("<tr>") == SHOWN_MAX + 1
    assert folded.count("<tr>") == FOLDED_MAX + 1
    assert "and 9 more" in folded
    assert f"and {FOLDED_MAX + 9} more" in losses(SHOWN_MAX + FOLDED_MAX + 9).to_text()


def test_what_is_empty_is_said_and_what_is_absent_is_not():
    """No rejects is a statement; no word about rejects is none."""
    assert "Nothing was rejected." in Report({"rejects": {}}).to_html()
    assert "rejected" not in Report({"losses": []}).to_html()
    assert "Every difference is declared." in Report({"undeclared": []}).to_text()


def test_unknown_members_are_shown_by_their_names():
    """A list of rows is a table whoever made it; a row may lack a column."""
    shown = Report(
        {
            "some_figures": [{"a": 1.5, "b": True}, {"a": None, "c": ["x", {"file": "f", "line": 3}]}],
            "verdict": "all is well",
        }
    )
    assert "Some figures" in shown.to_html()
    assert Page(shown.to_html()).cells == ["a", "b", "c", "1.5", "yes", "x; f:3"]
    assert shown.to_text().startswith("All is well")


def test_a_long_word_does_not_push_the_page_wide():
    """A path may be broken anywhere, and is whole again when it is copied."""
    path = "a/" * 70
    shown = Page(Report({"losses": [{"field": path, "events": 1}]}).to_html())
    assert [tag for tag, _ in shown.tags].count("wbr") == 3
    assert path in "".join(shown.cells)


@pytest.mark.parametrize("values", [
    {"from": NASTY, "to": NASTY}, {"as": NASTY}, {"events": {NASTY: 1}}, {"rejects": {NASTY: 1}}, {"settings": {NASTY: {NASTY: NASTY}}},
    {"losses": [{"field": NASTY, "kind": NASTY, "why": NASTY, "events": NASTY}]}, {"verify": [NASTY]}, {"verdict": NASTY},
    {NASTY: [{NASTY: NASTY}]}, {"undeclared": [{"field": "f", "events": 1, "examples": [{"file": NASTY, "line": 1, "before": NASTY}]}]},
])  # fmt: skip
def test_every_text_is_escaped(values):
    """Names of an archive make no elements, turn no line around and steer no terminal."""
    report = Report(values)
    shown = Page(report.to_html())
    assert {tag for tag, _ in shown.tags} <= {
        "div",
        "p",
        "b",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "details",
        "summary",
        "wbr",
    }
    assert {name for _, attributes in shown.tags for name in attributes} <= {"style"}
    for text in (report.to_html(), report.to_text()):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)


@pytest.mark.parametrize("values", [
    {}, {"events": 5}, {"events": None, "losses": None}, {"losses": [1, {"events": "many"}, None]}, {"findings": [{"other": 1}]},
    {"rejects": {"a": None, "b": "x", "c": float("nan")}}, {"events": {"read": [1, {2: {}}]}}, {"settings": {1: 2}, 3: 4}, {"verdict": 0},
])  # fmt: skip
def test_whatever_is_in_a_report_it_shows(values):
    """Nobody wants a traceback in place of a result, even an odd one."""
    assert Page(Report(values).to_html()).open == []
    assert isinstance(Report(values).to_text(), str)


def test_long_cells_go_on_below():
    """No line of text is wider than a few cells: a hazard's sentences do not push the next column off the screen."""
    hazard = {
        "events": 3,
        "name": "age-limit",
        "message": "dropped " * 40,
        "source": "code " * 40,
        "as_of": "now",
    }
    told = str(Report({"hazards": [hazard]}))
    assert max(map(len, told.splitlines())) <= 100
    assert told.split().count("dropped") == 40
    assert "code" not in told


def test_frames_are_shown_as_tables():
    """Names stand without quotes, rows in their order, money with its cents; one without rows is left out."""
    frame = pl.DataFrame({"name": ["b", "a"], "events": [1, 2000], "amount": [1234.5, None]})
    money = frame.with_columns(pl.col("amount").cast(pl.Decimal(scale=2)))
    report = Report({"types": money, "nothing": frame.clear()})
    assert Page(report.to_html()).cells == ["name", "events", "amount", "b", "1", "1,234.50", "a", "2,000"]
    assert [line.split() for line in str(report).splitlines()[1:]] == [
        ["name", "events", "amount"], ["b", "1", "1,234.50"], ["a", "2,000"],
    ]  # fmt: skip
    assert "nothing" not in str(report).lower()


def test_advice_is_in_the_words_of_whoever_reads():
    """A report's bytes name options of the command line; shown in a notebook it names arguments."""
    hazard = {"events": 3, "name": "late", "instead": "say --set day=2016-04-07, or leave them out: --until"}
    report = Report({"hazards": [hazard], "verdict": "nothing was written; say --limit 5"})
    for shown in (report.to_text(), report.to_html()):
        assert "--" not in shown.replace("---", "")
        assert "until=" in " ".join(shown.split())
    assert report["hazards"][0]["instead"] == hazard["instead"]
