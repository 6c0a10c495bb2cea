"""What a receiver takes and alters because of its age: told with counts, in files as of the archive's own span, in a terminal as of today."""

import datetime as dt
import json
from pathlib import Path

import pytest
from commands import run_here

import translate
from translate import mapping

LAST = dt.datetime(2016, 4, 7, 12, tzinfo=dt.UTC)
# Hours before the last event, at the limits of 24 hours, of 48 hours and of 7 days, and on either side of each.
HOURS = (0, 1, 23, 24, 25, 47, 48, 49, 50, 167, 168, 169, 1000)
SEGMENT, AMPLITUDE = "segment_spec", "amplitude"


def archive(folder: Path, hours: tuple[float, ...] = HOURS, last: dt.datetime = LAST) -> Path:
    """Write an event so many hours before the last one, for each number."""
    source = folder / "in"
    source.mkdir(parents=True)
    lines = [
        {
            "event_type": f"e{number}", "event_timestamp": int((last - dt.timedelta(hours=back)).timestamp() * 1000),
            "application": {"app_id": "a"}, "client": {"client_id": "client"},
        }
        for number, back in enumerate(hours)
    ]  # fmt: skip
    (source / "events.json").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return source


# How many of them are older than the limit, or, for what may be too young, younger, all of an hour that it touches included.
ALTERED = [
    (AMPLITUDE, "forgotten-ids", sum(hours > 168 for hours in HOURS)),
    (SEGMENT, "forgotten-ids", sum(hours > 24 for hours in HOURS)),
    ("posthog", "too-young", sum(hours <= 48 for hours in HOURS)),
]


@pytest.mark.parametrize("layout", ["events", "requests"])
@pytest.mark.parametrize(("model", "name", "count"), ALTERED)
def test_each_command_tells_it_with_its_count(tmp_path, model, name, count, layout):
    """`convert`, `validate` and `explain` in the same words, with who says so, as of the archive's latest event."""
    to = f"{model}/{layout}"
    hazard = mapping.load(model).delivery.preflight[name]
    report = translate.convert(archive(tmp_path), to=to, out=tmp_path / "out")
    (told,) = [each for each in report["hazards"] if each["name"] == name]
    assert (told["events"], told["as_of"]) == (count, "2016-04-07T12:00:00Z")
    assert told["receiver_changes"] == hazard.alters
    assert told["message"].endswith(f": the receiver {hazard.alters}")
    (found,) = translate.validate(tmp_path / "out", as_=to)["ages"]
    assert found == {**told, "layout": to}
    explained = translate.explain(from_="mobile_analytics", to=to)
    (row,) = [row for row in explained.limits if hazard.alters in row["what"]]
    assert (row["effect"], row["source"]) == ("alters", hazard.source)


def test_a_given_day_stands_in_for_the_last_event(tmp_path):
    source, settings = archive(tmp_path), {"day": dt.date(2016, 4, 9)}
    report = translate.convert(source, to="posthog", out=tmp_path / "out", settings=settings)
    expected = sum(hours <= 12 for hours in HOURS)
    (told,) = [each for each in report["hazards"] if each["name"] == "too-young"]
    assert (told["events"], told["as_of"]) == (expected, "2016-04-09T00:00:00Z")
    (found,) = translate.validate(tmp_path / "out", as_="posthog", settings=settings)["ages"]
    assert found["events"] == expected


def test_what_nothing_alters_is_not_told(tmp_path):
    """No key of its own in the answer, and no verdict without one."""
    report = translate.convert(archive(tmp_path, (0, 1)), to=AMPLITUDE, out=tmp_path / "out")
    assert not [hazard for hazard in report["hazards"] if "receiver_changes" in hazard]
    assert "ages" not in translate.validate(tmp_path / "out", as_=AMPLITUDE)


def test_a_terminal_speaks_of_today(tmp_path):
    """As of which the youngest event of an old archive is old, and one of this hour is young."""
    now = dt.datetime.now(dt.UTC)
    for number, (last, altered) in enumerate([(LAST, 0), (now, 1)]):
        source = archive(tmp_path / str(number), (0, 100), last)
        out = str(tmp_path / f"out-{number}")
        told, _, _ = run_here(["translate", "convert", str(source), "--to", "posthog", "--out", out])
        assert ("alter too-young: 1 events (50 %)" in told) == bool(altered)
        told, _, _ = run_here(["translate", "validate", out, "--as", "posthog"])
        assert ("for their age, if they come today:" in told) == bool(altered)
        assert translate.validate(out)["ages"][0]["events"] == 1


@pytest.mark.parametrize("to", ["posthog/events", "posthog/requests"])
def test_the_page_of_an_inspection_tells_it(tmp_path, to):
    """Of the layout that is sent among what becomes of it there, of any other among what is altered."""
    source = archive(tmp_path, (0, 100), dt.datetime.now(dt.UTC))
    (target,) = [each for each in translate.inspect(source).targets if each.layout == to]
    told = [change["message"] for change in target.altered]
    told += [found["message"] for found in (target.delivery or {}).get("findings", ())]
    assert len([message for message in told if "the receiver bills them" in message]) == 1
