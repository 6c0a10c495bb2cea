"""Pace: the rate is never exceeded over any second, falls when the receiver asks for less, and comes back."""

import datetime as dt
import math
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from translate.delivery.pace import HEADROOM, Pace, Rate, parse_rate
from translate.errors import UsageError

NOON = dt.time(12)


def sent_by(pace, seconds, events, *, start=0.0, latency=0.01):
    """Send whenever the pace allows, to a receiver that answers after so long; give the times and sizes."""
    now, sent, due = start, [], deque()
    while now < start + seconds:
        while due and due[0][0] <= now:
            pace.answered(*due.popleft())
        most = pace.events_max()
        size = events if most is None else min(events, most)
        wait = pace.wait_seconds(now, size)
        if wait > 0:
            now = min(now + max(min(wait, 0.5), 1e-6), due[0][0] if due else math.inf)
            continue
        pace.take(now, size)
        sent.append((now, size))
        due.append((now + latency, size))
    for answer in due:
        pace.answered(*answer)
    return sent


def busiest_second(sent):
    """Give the most that went out in any second."""
    first, inside, most = 0, 0, 0
    for time, size in sent:
        inside += size
        while sent[first][0] <= time - 1:
            inside -= sent[first][1]
            first += 1
        most = max(most, inside)
    return most


@given(rate=st.integers(1, 600), events=st.integers(1, 100), unit=st.sampled_from(["events", "requests"]))
@settings(max_examples=40, deadline=None)
def test_no_second_has_more_than_the_rate_and_nine_tenths_of_it_are_used(rate, events, unit):
    """Whatever the rate and the size of requests."""
    sent = sent_by(Pace(Rate(unit, rate), time_of_day=lambda: NOON), 4, events)
    sizes = [(time, size if unit == "events" else 1) for time, size in sent]
    assert busiest_second(sizes) <= rate
    assert sum(size for _, size in sizes) >= 0.9 * rate * 4 or rate < 20


@given(
    rate=st.integers(20, 400),
    latency=st.floats(0.001, 3),
    jitter=st.lists(st.floats(0, 1), min_size=5, max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_however_late_requests_arrive_no_second_has_more(rate, latency, jitter):
    """A request may arrive at any time before its answer."""
    sent = sent_by(Pace(Rate("events", rate), time_of_day=lambda: NOON), 6, 10, latency=latency)
    arrived = sorted((time + latency * jitter[index % 5], size) for index, (time, size) in enumerate(sent))
    assert busiest_second(arrived) <= rate


def test_without_a_rate_nothing_waits():
    """Only the number of requests under way bounds it then."""
    assert Pace(None).wait_seconds(0.0, 10_000) == 0


def test_a_throttled_pace_falls_to_half_and_comes_back_to_below_where_it_was():
    """Headroom stays for whoever else sends; it is probed only slowly."""
    pace = Pace(Rate("events", 1000), time_of_day=lambda: NOON)
    sent_by(pace, 5, 100)
    pace.throttled(5.0, None)
    assert pace.allowed(5.0) == pytest.approx(500, rel=0.1)
    sent = sent_by(pace, 15, 100, start=5.0)
    assert pace.allowed(20.0) == pytest.approx(1000 * HEADROOM, rel=0.1)
    assert busiest_second(sent) <= 1000
    sent_by(pace, 60, 100, start=20.0)
    assert pace.allowed(80.0) == 1000


def test_answers_of_one_moment_slow_it_down_once():
    """Eight requests under way are refused together: that is one sign, not eight."""
    pace = Pace(Rate("requests", 100), time_of_day=lambda: NOON)
    sent_by(pace, 2, 1)
    for offset in range(8):
        pace.throttled(2.0 + offset / 100, None)
    assert pace.allowed(2.1) > 40


def test_an_unbounded_pace_learns_its_bound():
    """What went out in the last second is what was too much."""
    pace = Pace(None)
    for step in range(200):
        pace.take(step / 200, 10)
        pace.answered(step / 200, 10)
    pace.throttled(1.0, None)
    assert 500 < pace.allowed(1.0) < 1100


def test_retry_after_holds_everything():
    """Until then nothing goes, whatever the rate."""
    for pace in (Pace(None), Pace(Rate("events", 10))):
        pace.throttled(0.0, 7.0)
        assert pace.wait_seconds(1.0, 1) == pytest.approx(6.0)
        assert pace.wait_seconds(7.1, 1) == 0


def test_the_time_table_is_kept():
    """Also across midnight; a span of none sends nothing."""
    rate = parse_rate("22:00-06:00=1000,12:00-13:00=0,else=100")
    assert [rate.at(dt.time(hour)) for hour in (23, 3, 6, 12, 13)] == [1000, 1000, 100, 0, 100]
    assert Pace(rate, time_of_day=lambda: NOON).wait_seconds(0, 1) == float("inf")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("fast", '"fast" is no rate'),
        ("0", '"0" is no rate'),
        ("9" * 400, "is no rate"),
        ("22:00-06:00=1000", "says nothing of the rest of the day"),
        ("22:00-6=1000,else=5", "is no span of the day"),
        ("25:00-06:00=1,else=5", "is no time of day"),
        ("22:00-06:00=10requests,else=5", "counts events here and requests there"),
        ("22:00-06:00=0,else=0", "never sends anything"),
    ],
)
def test_a_wrong_rate_is_refused(text, complaint):
    """With what is wrong, and how it is written."""
    with pytest.raises(UsageError, match=complaint):
        parse_rate(text)


def test_rates_are_shown_as_they_were_given():
    """In the words of the option."""
    assert str(parse_rate("15requests")) == "15 requests/s"
    assert str(parse_rate("22:00-06:00=1000,else=100")) == "22:00-06:00 1000, else 100 events/s"


def test_a_throttling_right_after_the_start_halves_the_rate_and_not_the_first_request():
    """What little has gone out by then says nothing of what the receiver bears; nor does what follows a pause."""
    pace = Pace(Rate("events", 1000), time_of_day=lambda: NOON)
    pace.take(0.0, 50)
    pace.throttled(0.1, 2)
    assert pace.allowed(0.1) == 500
    pace.answered(0.2, 50)
    pace.take(2.2, 50)
    pace.throttled(2.3, None)
    assert pace.allowed(2.3) >= 240


def test_a_slower_pace_sends_requests_as_large_as_before():
    """A receiver that counts requests is not helped by smaller ones; they go further apart, and never not at all."""
    pace = Pace(Rate("events", 1000), time_of_day=lambda: NOON)
    for second in range(6):
        pace.throttled(float(second), None)
    assert pace.allowed(6.0) < 50
    assert pace.events_max() == 50
    assert 0 <= pace.wait_seconds(6.0, 50) < 60
