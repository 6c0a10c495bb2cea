"""What a target will do with the rows that a conversion wrote: in the report by the archive's own span, at a terminal by today."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from commands import run_here

import translate
from translate import mapping
from translate.archive import units as files
from translate.conversion import converting
from translate.conversion.output import Output
from translate.delivery.turns import Parts
from translate.judging import preflight
from translate.judging.survey import REPEATING, Survey
from translate.mapping.settings import Settings

DAY_MS = 86_400_000
START = 1_456_790_400_000  # 2016-03-01


def archive(folder: Path, *events: tuple[float, str | None, str]) -> Path:
    """Write events of some days after 2016-03-01: the day, the client, the platform."""
    source = folder / "in"
    source.mkdir(parents=True)
    for number, (day, client, platform) in enumerate(events):
        own = {
            "event_type": f"e{number}",
            "event_timestamp": int(START + day * DAY_MS),
            "application": {"app_id": "a"},
        }
        own |= {"device": {"platform": {"name": platform}}} | (
            {} if client is None else {"client": {"client_id": client}}
        )
        (source / f"{number:03}.json").write_text(json.dumps(own) + "\n")
    return source


EVENTS = (
    (0, "old", "android"),
    (0.5, None, "iOS"),
    (300, "new", "android"),
    (300.1, "new", "Windows Phone"),
    (400, "new", "web"),
)


def hazards(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {hazard["name"]: hazard for hazard in report["hazards"]}


def test_the_report_states_hazards_against_the_archives_own_span(tmp_path):
    """Each with its events, its remedy and its source, as of the latest event; of what holds for another layout nothing."""
    report = translate.convert(archive(tmp_path, *EVENTS), to="clickstream", out=tmp_path / "out")
    told = hazards(report)
    assert {name: hazard["events"] for name, hazard in told.items()} == {
        "age-limit": 4, "user-retention": 1, "redshift-retention": 2, "geography": 5, "without-client": 1, "one-day-dashboards": 5, "operating-systems": 1,
    }  # fmt: skip
    assert all(
        hazard["as_of"] == "2017-04-05T00:00:00Z" and hazard["instead"] and hazard["source"]
        for hazard in told.values()
    )
    assert told["user-retention"]["message"].startswith(
        "1 users, of 1 events (20 %), were last seen more than 180 days ago"
    )
    assert "several days (3)" in told["one-day-dashboards"]["message"]
    assert json.loads((tmp_path / "out" / "report.json").read_text())["hazards"] == report["hazards"]


def test_the_report_states_them_against_a_given_day(tmp_path):
    """`--set day=` stands in for the day of the load, for any layout; numbers of the target's configuration count."""
    source = archive(tmp_path, *EVENTS)
    report = translate.convert(
        source,
        to="clickstream/raw",
        out=tmp_path / "raw",
        set_=["day=2017-09-01", "forwarded_address=192.0.2.1"],
    )
    told = hazards(report)
    assert {"age-limit", "future", "geography"}.isdisjoint(told)
    assert (told["user-retention"]["events"], told["redshift-retention"]["events"]) == (1, 2)
    assert {hazard["as_of"] for hazard in told.values()} == {"2017-09-01T00:00:00Z"}
    later = translate.convert(
        source,
        to="clickstream/raw",
        out=tmp_path / "later",
        set_=["day=2027-09-01", "user_keep_days=3650", "retention_days=3650"],
    )
    assert {"user-retention", "redshift-retention"} & set(hazards(later)) == {
        "user-retention",
        "redshift-retention",
    }
    assert hazards(later)["user-retention"]["message"].count("3,650") == 1
    early = translate.convert(source, to="clickstream", out=tmp_path / "early", set_=["day=2016-06-01"])
    assert hazards(early)["future"]["events"] == 3


def test_the_terminal_speaks_of_today(tmp_path, monkeypatch):
    """Before the report's path, each with its remedy; the same job gives the same report on any day."""
    source = archive(tmp_path, *EVENTS)
    monkeypatch.chdir(tmp_path)
    said, _, code = run_here(["translate", "convert", str(source), "--to", "clickstream", "--out", "out"])
    assert code == 0
    lines = said.splitlines()
    assert lines[-1] == "report: out/report.json"
    begin = lines.index("what clickstream does with these rows today:")
    told = "\n".join(lines[begin:-1])
    assert "user-retention: 2 users, of 4 events (80 %), were last seen more than 180 days ago" in told
    assert (
        told.count("instead: ") == len([line for line in lines[begin:-1] if "instead: " not in line]) - 1 == 7
    )
    assert dt.datetime.now(dt.UTC).strftime("%Y-%m-%d") not in told
    assert "2016-03-01" in told


@pytest.mark.parametrize(
    ("to", "options", "names"),
    [
        ("hub", {}, []),
        ("learning_context", {}, []),
        ("pinpoint/requests", {}, ["retention"]),
        ("pinpoint/requests", {"set_": ["day=2026-11-28"]}, ["retention", "support-ended"]),
        ("pinpoint/event_stream", {"set_": ["day=2026-11-28"]}, []),
        ("mobile_analytics/archive", {"set_": ["day=2026-11-28"]}, []),
        ("personalize/requests", {"set_": ["tracking_id=t"]}, []),
    ],
)
def test_every_target_tells_the_hazards_of_its_sheet(tmp_path, to, options, names):
    """Whatever the target; a target without any, or that got no row, tells none."""
    report = translate.convert(archive(tmp_path, *EVENTS), to=to, out=tmp_path / "out", **options)
    assert sorted(hazards(report)) == names


def test_a_resumed_run_tells_the_same(tmp_path, monkeypatch):
    """What finished units hold is known again."""
    monkeypatch.setattr(files, "FILES_MAX", 1)
    source = archive(tmp_path, *EVENTS)
    whole = translate.convert(source, to="clickstream", out=tmp_path / "whole")
    finish_unit = Output.finish_unit

    def stops(self: Output, number: int, *rest: Any, **more: Any) -> None:
        if number == 3:
            raise KeyboardInterrupt
        finish_unit(self, number, *rest, **more)

    monkeypatch.setattr(Output, "finish_unit", stops)
    with pytest.raises(KeyboardInterrupt):
        translate.convert(source, to="clickstream", out=tmp_path / "out")
    monkeypatch.setattr(Output, "finish_unit", finish_unit)
    assert translate.convert(source, to="clickstream", out=tmp_path / "out")["hazards"] == whole["hazards"]
    assert not (tmp_path / "out" / ".translate").exists()


@pytest.mark.parametrize(
    "to", ["clickstream/requests", "pinpoint/requests", "personalize/requests", "mobile_analytics/requests"]
)
def test_rows_are_surveyed_as_their_requests_are(tmp_path, to):
    """What `convert` finds of its rows is what the preflight of a replay finds of the same requests; repeats it leaves to that."""
    sample = Path(__file__).resolve().parent.parent / "sample_data" / "mobile_analytics" / "archive"
    settings = Settings(tracking_id="t", fill_endpoints=True)
    conversion = converting.conversion(sample, to=to, out=tmp_path / "out", settings=settings)
    conversion.run()
    sheet, layout = mapping.find_layout(to)
    survey = Survey(sheet.delivery, layout)
    for packed in Parts(tmp_path / "out" / "data", layout).requests():
        survey.add(packed)
    packed_survey = survey.result()
    found = conversion.surveyed
    for name in (
        "events",
        "earliest",
        "latest",
        "latest_of_others",
        "hours",
        "names",
        "excepted",
        "users",
        "missing",
        "distinct",
        "values",
        "asked",
        "agents",
    ):
        assert getattr(found, name) == getattr(packed_survey, name), name
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    told = {each.name: each for each in preflight.judge(sheet, found, settings, now=now, layout=layout.name)}
    expected = {
        each.name: each
        for each in preflight.judge(sheet, packed_survey, settings, now=now, layout=layout.name)
    }
    assert told == {
        name: each for name, each in expected.items() if sheet.delivery.preflight[name].check not in REPEATING
    }
