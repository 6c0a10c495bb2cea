"""The page of an inspection needs nothing but itself, and says of each target what it would make of the archive."""

import datetime as dt
import json
import re
from pathlib import Path

import polars as pl
import pytest
from whole_pages import Page, assert_all_can_read_it, assert_it_loads_nothing

import translate
from translate.passes import distinct as tallies
from translate.telling import charts
from translate.telling.inspection import inspect, over_time

ROOT = Path(__file__).resolve().parent.parent
ARCHIVE = ROOT / "sample_data" / "mobile_analytics" / "archive"
FULL = ROOT / "sample_data" / "clickstream" / "events_full.jsonl"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
# The chart of a notebook is an image that holds its own drawing.
OWN_IMAGE = re.compile(
    r'<img alt="Events by \w+" style="max-width:100%" src="data:image/svg\+xml;base64,[\w+/=]+">'
)


@pytest.fixture(scope="module")
def archive():
    return inspect(ARCHIVE)


@pytest.fixture(scope="module")
def page(archive, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    archive.write_html(path)
    return path.read_text(encoding="utf-8")


def test_the_page_loads_nothing(page):
    """No attribute that loads, no address in the style, and a policy that lets the one script run and nothing else: the page opens offline."""
    assert_it_loads_nothing(page)


def test_the_page_prints_and_suits_dark_screens(page):
    """It has rules for paper, for narrow and for dark screens, and draws its charts itself."""
    for rule in ("@media print", "prefers-color-scheme:dark", "max-width:30rem", "prefers-reduced-motion"):
        assert rule in page
    assert page.count("<svg") == 4


def test_whoever_does_not_see_or_point_gets_along(page):
    """Landmarks, one first heading and no level left out, captions, scopes, names for drawings, and links that lead somewhere."""
    assert_all_can_read_it(page)


def test_the_verdict_is_three_sentences(archive, page):
    """On top stand what it is, what is wrong with it, and where it could go."""
    verdict = re.search('<div class="verdict[^>]*>(.*?)</div>', page)[1]
    what, how, where = re.findall("<p>(.*?)</p>", verdict)
    assert what.startswith("Amazon Mobile Analytics: 3,103 events of 184 clients")
    assert (
        how
        == "To know: 160 events that came before, 111 events later than their own arrival, 59 sessions without an end, 675 of 713 days without any event."
    )
    assert "sent to Clickstream Analytics on AWS now, it would be accepted and then dropped" in where
    assert "Amazon Pinpoint has ended" in where
    assert "Mobile Analytics" not in where  # it is at home there


def test_each_model_has_one_card_and_its_best_layout_first(archive, page):
    """The other layouts of a model are folded into its card."""
    cards = re.findall(r'<article class="card [a-z]+" aria-labelledby="([^"]+)"><header><h3', page)
    assert len(cards) == len({target.title for target in archive.targets})
    assert "to-clickstream-events" in cards
    best = page.index('id="to-clickstream-events"')
    assert (
        best
        < page.index('id="to-clickstream-requests"')
        < page.index("</article>", page.index('id="to-clickstream-requests"'))
    )


def test_users_are_those_of_the_notebooks(archive):
    """Users, retention, lengths and revenue are what `translate.analysis` says of the same events."""
    events = translate.scan(ARCHIVE).collect()
    values = archive.values
    for key, period in (("daily", "day"), ("monthly", "month")):
        told = translate.analysis.users(events, period=period).with_columns(pl.col(period).cast(pl.String))
        assert values["users"][key] == told.to_dicts()
    found = values["users"]["retention"]
    told = translate.analysis.retention(events, period=found["period"], after=range(1, 13))
    flat = [
        (cohort["cohort"], cohort["size"], back) for cohort in found["cohorts"] for back in cohort["back"]
    ]
    assert flat == told.select(pl.col("cohort").cast(pl.String), "size", "back").rows()
    lengths = translate.analysis.lengths(events).drop("share")
    assert values["session_lengths"] == lengths.to_dicts()
    months = translate.analysis.revenue(events, period="month")
    taken = [
        (row["month"], row["currency"], row["purchases"], row["amount"])
        for row in values["purchases"]["by_month"]
    ]
    told = months.select(pl.col("month").dt.strftime("%Y-%m"), "currency", "purchases", "amount").rows()
    assert [row[:3] for row in taken] == [row[:3] for row in told]
    assert [row[3] for row in taken] == pytest.approx([row[3] for row in told])


def test_users_do_not_depend_on_what_fits_in_memory(archive, monkeypatch):
    """Counted in many small parts they are the same."""
    monkeypatch.setattr(tallies, "BUCKET_ROWS", 50)
    monkeypatch.setattr(over_time, "PRESENT_ROWS", 50)
    monkeypatch.setattr(tallies.Digests.__init__, "__defaults__", ((), 50, ("a", "b")))
    small = inspect(ARCHIVE)
    for name in ("users", "session_lengths"):
        assert small.values[name] == archive.values[name]


def test_losses_have_an_order(archive):
    """What is lost as often stands by its place and reason, whatever order it was counted in."""
    for target in archive.targets:
        counted = [loss for loss in target.losses if loss["events"] is not None]
        keys = [(-loss["events"], loss["field"], loss["kind"], loss["why"]) for loss in counted]
        assert keys == sorted(keys)


def test_what_comes_from_the_archive_is_escaped(tmp_path):
    """Names, keys, values and titles of an archive cannot become markup, on the page or in a notebook."""
    event = {
        "event_type": EVIL, "event_timestamp": 1_500_000_000_000, "application": {"app_id": EVIL, "title": EVIL, "sdk": {"name": EVIL}, "version_name": EVIL},
        "client": {"client_id": EVIL}, "device": {"make": EVIL, "model": EVIL, "platform": {"name": EVIL}, "locale": {"country": EVIL}},
        "attributes": {EVIL: EVIL}, "metrics": {EVIL: 1},
    }  # fmt: skip
    bought = {
        **event,
        "event_type": "_monetization.purchase",
        "attributes": {"_currency": EVIL, "_product_id": "p"},
    }
    (tmp_path / "events.json").write_text(f"{json.dumps(event)}\n{json.dumps(bought)}\n", encoding="utf-8")
    found = inspect(tmp_path / "events.json", examples=True)
    found.write_html(tmp_path / "page.html")
    for text in ((tmp_path / "page.html").read_text(encoding="utf-8"), found._repr_html_()):
        assert "&lt;script&gt;" in text
        parsed = Page(OWN_IMAGE.sub("", text))
        assert parsed.tags.count("script") == text.count("</footer>")  # the page's own
        assert "img" not in parsed.tags
        assert not [name for name, _ in parsed.attributes if name.startswith("on")]


def test_words_of_a_column_stay_whole(tmp_path):
    """Beside a value without end the names of keys are not broken letter by letter."""
    event = {
        "event_type": "e",
        "event_timestamp": 1_500_000_000_000,
        "application": {"app_id": "a"},
        "client": {"client_id": "c"},
        "attributes": {"key": "x" * 60},
    }
    (tmp_path / "events.json").write_text(json.dumps(event) + "\n", encoding="utf-8")
    inspect(tmp_path / "events.json", examples=True).write_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<th scope="row">key</th><td>attributes</td>' in page
    assert f'<td class="long">{"x" * 60}</td>' in page
    assert "the 1 event tried can be written" in page
    assert "bytes, 1 event<" in page
    assert not re.search(r"\b1 (?:kinds|requests|fields|files)\b", page)


def test_a_notebook_has_words_left_and_figures_right(archive):
    """Each cell says itself where its text stands: a notebook's own style has no say."""
    fragment = archive._repr_html_()
    assert "td{" not in fragment
    assert re.search(
        r'<td style="text-align:left">session\.start</td><td style="text-align:right">[\d,]+</td>', fragment
    )
    assert re.search(
        r'<th style="text-align:left">event type</th><th style="text-align:right">events</th>', fragment
    )
    assert not re.search(r"<t[dh]>", fragment)


def test_each_layout_that_can_be_written_is_graded(archive, page):
    """Every layout but the archive's own has a grade, and stands on the page."""
    listed = translate.models().filter("write").select("model", "layout").rows()
    wanted = {f"{model}/{layout}" for model, layout in listed if model != "hub"} - {
        "mobile_analytics/archive"
    }
    assert {target.layout for target in archive.targets} == wanted
    assert all(target.layout in page for target in archive.targets)


def test_grades_say_what_a_conversion_does(archive, tmp_path):
    """Of the events tried, as many are taken and refused as `convert` writes and rejects, and each loss is one of its losses."""
    for target in archive.targets:
        given = {"set_": [f"{name}={'2026-01-01' if name == 'day' else 'x'}" for name in target.settings]}
        report = translate.convert(
            ARCHIVE, to=target.layout, out=tmp_path / target.layout, limit=target.tried, **given
        )
        assert (target.taken, sum(target.refused.values())) == (
            report["events"]["written"],
            report["events"]["rejected"],
        )
        counted = {(loss["field"], loss["why"]): loss["events"] for loss in target.losses if loss["events"]}
        declared = {(loss["field"], loss["why"]): loss["events"] for loss in report["losses"]}
        assert counted == declared, target.layout


def test_a_target_that_drops_old_events_is_told_so(archive):
    """Clickstream's endpoint accepts old events and drops them; its buffer keeps their age."""
    grades = {target.layout: target for target in archive.targets}
    delivery = grades["clickstream/requests"].delivery
    assert grades["clickstream/requests"].grade == "drops"
    assert {finding["name"] for finding in delivery["findings"]} >= {
        "age-limit",
        "user-retention",
        "repeated-ids",
    }
    assert grades["clickstream/raw"].grade == "loses"
    assert grades["clickstream/raw"].delivery is None


def test_requests_are_bounded_by_what_packing_makes(archive, tmp_path):
    """The number of requests of a real conversion lies within what was reckoned; small archives are exact."""
    for model in ("clickstream", "pinpoint", "learning_context"):
        target = next(target for target in archive.targets if target.layout == f"{model}/requests")
        report = translate.convert(ARCHIVE, to=f"{model}/requests", out=tmp_path / model)
        lines = sum(path.read_bytes().count(b"\n") for path in (tmp_path / model / "data").rglob("*.ndjson"))
        slack = 0.05 * lines + 1  # what is refused among all events is reckoned from those tried
        bounds = target.delivery["requests"]
        assert bounds["at_least"] - slack <= lines <= bounds["at_most"] + slack, (model, report["events"])


def test_hours_follow_the_quota(archive):
    """The time is the requests over the rate of the mapping."""
    delivery = next(
        target for target in archive.targets if target.layout == "learning_context/requests"
    ).delivery
    assert delivery["hours_at_quota"]["at_most"] == pytest.approx(delivery["requests"]["at_most"] / 5 / 3600)
    assert delivery["quota"]["documented"] is False


def test_nothing_is_graded_where_nothing_was_asked(archive):
    """The figures come without trials of targets; these are made when they are first asked for."""
    assert "targets" not in archive.to_json()
    assert "targets" not in inspect(FULL).__dict__


@pytest.mark.parametrize(
    ("last", "unit"),
    [("2020-01-05", "day"), ("2020-12-31", "week"), ("2026-01-01", "month"), ("2050-01-01", "year")],
)
def test_time_is_drawn_in_as_many_bars_as_fit(last, unit):
    """Long spans are drawn by weeks, months or years, with nothing left out."""
    days = [("2020-01-01", 3), (last, 4)]
    drawn = charts.by_time(days)
    assert charts.unit_of(days) == unit
    assert drawn.count('class="bar"') == 2
    assert drawn.count("<title>") == 2
    _, bars = charts._together([(dt.date.fromisoformat(day), events) for day, events in days])
    assert len(bars) <= charts.DAYS_MAX
    assert sum(events for _, events in bars) == 7
