"""Questions that analysts ask: against plain loops, against the figures of `parity`, and by hand."""

import datetime as dt
import doctest
import inspect
import random
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import polars as pl
import pytest

import translate
from translate import analysis, events
from translate.errors import UsageError
from translate.telling.figures.facts import FACTS, facts
from translate.telling.figures.measures import MEASURES

ROOT = Path(translate.__file__).parent.parent
ARCHIVE = ROOT / "sample_data" / "mobile_analytics" / "archive"
START = dt.datetime(2017, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def scanned():
    return translate.scan(ARCHIVE).collect()


def happened(*rows):
    """Make events of (client, name, minutes) and more columns."""
    given = [
        {"client_id": client, "name": name, "time": START + dt.timedelta(minutes=minutes), **more}
        for client, name, minutes, *rest in rows
        for more in (rest[0] if rest else {},)
    ]
    schema = events.SCHEMA
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in given], schema=schema)


@pytest.mark.parametrize("name", analysis.__all__)
def test_the_examples_run(name, tmp_path, monkeypatch):
    """Each function shows by an example what it gives, and that is what it gives."""
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    monkeypatch.chdir(tmp_path)
    found = doctest.DocTestParser().get_doctest(inspect.getdoc(getattr(analysis, name)), {}, name, None, None)
    said = []
    doctest.DocTestRunner().run(found, out=said.append)
    assert found.examples
    assert not said, "".join(said)


@pytest.mark.parametrize("name", analysis.__all__)
def test_lazy_frames_and_frames_of_one_column_more_say_the_same(name, scanned):
    """Lazy or collected, the answer is one; what is not looked at may be missing."""
    asked = {"funnel": (["Product View", "purchase"],)}.get(name, ())
    call = getattr(analysis, name)
    whole = call(scanned, *asked)
    assert isinstance(whole, pl.DataFrame)
    assert call(scanned.lazy(), *asked).equals(whole)
    assert call(translate.scan(ARCHIVE), *asked).equals(whole)
    few = ["name", "time", "client_id", "session.id", "session.start", "session.stop", "session.duration", "value", "price", "quantity", "currency", "store"]  # fmt: skip
    assert call(scanned.select(few), *asked).equals(whole)


def figure(scanned, name):
    """Give a figure of parity: its values by key."""
    told = scanned.lazy().select(**facts(pl.col, pl.col("name"), {})).select(*FACTS)
    measure = next(measure for measure in MEASURES if measure.name == name)
    return dict(measure.grouping(told).collect().select("key", "value").iter_rows())


def test_users_are_those_of_parity(scanned):
    """Daily, monthly and new users are what `parity` compares."""
    daily, monthly = analysis.users(scanned), analysis.users(scanned, period="month")
    assert {f"{day}": count for day, count, *_ in daily.iter_rows()} == figure(scanned, "daily users")
    assert {f"{day:%Y-%m}": count for day, count, *_ in monthly.iter_rows()} == figure(
        scanned, "monthly users"
    )
    new = {f"{day}": count for day, _, count, _ in daily.iter_rows() if count}
    assert new == figure(scanned, "new users")
    assert (daily["users"] == daily["new"] + daily["returning"]).all()
    people = analysis.users(scanned, who=["user_id", "cognito_id", "client_id"], seen=None)
    assert {f"{day}": count for day, count, *_ in people.iter_rows()} == figure(scanned, "daily people")


def test_revenue_is_that_of_parity(scanned):
    """The amounts of a day are what `parity` compares; columns more only tell them apart."""
    told = analysis.revenue(scanned)
    assert {f"{day} {currency}": amount for day, currency, *_, amount in told.iter_rows()} == figure(
        scanned, "revenue"
    )
    total = analysis.revenue(scanned, period=None)
    by_app = analysis.revenue(scanned, period="year", by="app.id")
    summed = (
        by_app.group_by("currency")
        .agg(pl.col("amount").sum().round(6), pl.col("purchases").sum())
        .sort("currency")
    )
    assert summed.rows() == total.select("currency", pl.col("amount").round(6), "purchases").rows()
    assert set(total["currency"]) == {"BRL", "EUR", "GBP", "JPY", "TRY", "USD"}


@pytest.mark.parametrize(("period", "label"), [("day", "day"), ("week", "week")])
def test_retention_is_that_of_parity(scanned, period, label):
    """Shares are what `parity` compares, where the archive has anything of that time."""
    told = analysis.retention(scanned, period=period, after=[1, 7, 30] if period == "day" else [1, 2, 3])
    theirs = {key: value for key, value in figure(scanned, "retention").items() if f" {label} " in key}
    mine = {f"{cohort} {label} {after}": share for cohort, _, after, _, share in told.iter_rows()}
    known = {key: round(share, 6) for key, share in mine.items() if share is not None}
    assert known == {key: theirs[key] for key in known}
    assert all(theirs[key] == 0 for key, share in mine.items() if share is None and key in theirs)


def test_retention_of_months_by_a_plain_loop(scanned):
    """Cohorts of months, counted by a loop."""
    seen = defaultdict(set)
    for client, time in scanned.select("client_id", "time").iter_rows():
        seen[client].add(time.year * 12 + time.month)
    months = {month for own in seen.values() for month in own}
    sizes = Counter(min(own) for own in seen.values())
    told = analysis.retention(scanned, period="month", after=range(4), seen=None)
    assert told.height > 20
    for cohort, size, after, back, share in told.iter_rows():
        first = cohort.year * 12 + cohort.month
        assert size == sizes[first]
        expected = sum(first + after in own for own in seen.values() if min(own) == first)
        assert back == (expected if first + after in months else None)
        assert share == (None if back is None else back / size)
    assert (told.filter(after=0)["share"] == 1).all()


def test_weeks_begin_on_mondays_and_follow_one_another():
    """The week after the last of a year is the first of the next one, and a quarter has three months."""
    days = [dt.date(2017, 12, 31), dt.date(2018, 1, 1), dt.date(2018, 1, 7), dt.date(2018, 1, 8)]
    rows = [("a", "session.start", (day - START.date()).days * 1440) for day in days]
    told = analysis.users(happened(*rows), period="week")
    assert told["week"].to_list() == [dt.date(2017, 12, 25), dt.date(2018, 1, 1), dt.date(2018, 1, 8)]
    assert analysis.retention(happened(*rows), period="week", after=[1, 2])["back"].to_list() == [1, 1]
    assert analysis.retention(happened(*rows), period="quarter", after=1)["share"].to_list() == [1.0]
    assert analysis.retention(happened(*rows), period="year", after=1).row(0) == (
        dt.date(2017, 1, 1),
        1,
        1,
        1,
        1.0,
    )


def test_what_is_not_known_is_not_nothing():
    """A span without any event says nothing of who came back; one beyond the last event has no row."""
    told = analysis.retention(
        happened(("a", "session.start", 0), ("b", "session.start", 3 * 1440)), after=[1, 3, 4]
    )
    assert told.rows() == [
        (dt.date(2017, 3, 1), 1, 1, None, None), (dt.date(2017, 3, 1), 1, 3, 0, 0.0),
    ]  # fmt: skip


class TestFunnel:
    """Steps, one after the other."""

    def test_by_hand(self):
        """Who takes a step before the one before has not taken it; rates are those of the step before."""
        told = analysis.funnel(
            happened(
                ("a", "view", 0), ("a", "cart", 1), ("a", "buy", 3),
                ("b", "cart", 0), ("b", "view", 1), ("b", "buy", 2),
                ("c", "view", 0), ("c", "view", 5), ("c", "cart", 5), ("c", "buy", 4),
                ("d", "buy", 0), (None, "view", 0),
            ),
            ["view", "cart", "buy"],
        )  # fmt: skip
        assert told.rows() == [
            ("view", 3, None, 1.0, None), ("cart", 2, 2 / 3, 2 / 3, 180.0), ("buy", 1, 0.5, 1 / 3, 120.0),
        ]  # fmt: skip

    def test_within_a_time_counts_from_any_beginning(self):
        """Who took too long at first may be quick at the second time."""
        happenings = happened(
            ("a", "view", 0), ("a", "view", 100), ("a", "buy", 105), ("b", "view", 0), ("b", "buy", 11)
        )
        told = analysis.funnel(happenings, ["view", "buy"], within=dt.timedelta(minutes=10))
        assert told["users"].to_list() == [2, 1]

    def test_a_step_twice_is_two_events(self):
        """The same event is not two steps; equal names are told apart."""
        told = analysis.funnel(
            happened(("a", "view", 0), ("b", "view", 0), ("b", "view", 1)), ["view", "view"]
        )
        assert told.select("step", "users").rows() == [("view", 2), ("view (2)", 1)]

    def test_steps_are_names_conditions_or_a_dict(self):
        """A condition is one of polars; a dict names the steps."""
        bought = happened(
            ("a", "view", 0),
            ("a", "buy", 1, {"price": 5.0}),
            ("b", "view", 0),
            ("b", "buy", 1, {"price": 1.0}),
        )
        told = analysis.funnel(
            bought, {"looked": "view", "spent": (pl.col("name") == "buy") & (pl.col("price") > 2)}
        )
        assert told.select("step", "users").rows() == [("looked", 2), ("spent", 1)]
        assert analysis.funnel(bought, ["view", pl.col("price") > 2])["step"].to_list() == ["view", "step 2"]

    def test_against_a_plain_loop(self):
        """Whatever happened in whatever order, the count is that of a loop."""
        chance = random.Random(7)
        rows = [(f"c{chance.randrange(40)}", chance.choice("xyz"), chance.randrange(500)) for _ in range(600)]
        reached = Counter()
        for client in {row[0] for row in rows}:
            own = sorted((minute, name) for who, name, minute in rows if who == client)
            at = -1
            for step in "xyz":
                later = [minute for minute, name in own if name == step and minute >= at]
                if not later:
                    break
                reached[step] += 1
                at = later[0]
        assert analysis.funnel(happened(*rows), [*"xyz"])["users"].to_list() == [
            reached[step] for step in "xyz"
        ]

    def test_of_nobody(self):
        """Where nobody took the first step there is no rate."""
        with pytest.warns(UserWarning, match='no event is called "(cart|buy)"'):
            told = analysis.funnel(happened(("a", "view", 0)), ["cart", "buy"])
        assert told.rows() == [("cart", 0, None, None, None), ("buy", 0, None, None, None)]


def test_sessions_by_hand():
    """A session has the length that is recorded, else stop minus start, else none."""
    recorded = {"session.id": "s-1", "session.start": START, "session.duration": 90_000}
    measured = {"session.id": "s-2", "session.start": START, "session.stop": START + dt.timedelta(seconds=30)}
    told = analysis.sessions(
        happened(
            ("a", "session.start", 0, {"session.id": "s-1"}), ("a", "view", 1, {"session.id": "s-1"}), ("a", "session.stop", 2, recorded),
            ("a", "session.stop", 9, measured), ("b", "view", 20, {"session.id": "s-1"}), ("c", "view", 30),
        )
    )  # fmt: skip
    assert told.columns == [
        "client_id",
        "session",
        "first",
        "last",
        "events",
        "started",
        "stopped",
        "seconds",
    ]
    assert told.drop("first", "last").rows() == [
        ("a", "s-1", 3, True, True, 90.0), ("a", "s-2", 1, False, True, 30.0), ("b", "s-1", 1, False, False, None),
    ]  # fmt: skip
    assert (told["last"] - told["first"]).dt.total_minutes().to_list() == [2, 0, 0]


def test_sessions_are_as_many_as_an_inspection_counts(scanned):
    """Sessions are counted alike."""
    told = analysis.sessions(scanned, who=["client_id", "user_id"])
    counted = translate.inspect(ARCHIVE).values["people"]["sessions"]
    assert (told.height, told["started"].sum(), told["stopped"].sum()) == tuple(counted.values())


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: analysis.users([1]), "users: events should be a frame of hub events, as translate.scan gives it, but is [1] (list)"),
        (lambda: analysis.users(pl.DataFrame({"name": ["a"]})), 'users: events have no column "time", which a hub frame has'),
        (lambda: analysis.revenue(happened(), by="size"), "revenue: events have no column \"size\"; give it one: events.with_columns(pl.col('attributes').map.get('size').alias('size'))"),
        (lambda: analysis.users(happened(), who="clientid"), 'users: events have no column "clientid"; did you mean "client_id"?'),
        (lambda: analysis.users(happened(), period="days"), "users: no period 'days'; did you mean \"day\"? (one of: day, week, month, quarter, year)"),
        (lambda: analysis.retention(happened(), after=["1"]), "retention: after should be a number of such spans, or several as [1, 7, 30], but is ['1'] (list)"),
        (lambda: analysis.funnel(happened(), "view"), "funnel: steps should be a list of names of events"),
        (lambda: analysis.funnel(happened(), []), "funnel: steps should be a list of names of events"),
        (lambda: analysis.funnel(happened(), ["a"], within=5), "funnel: within should be a timedelta, or text"),
        (lambda: analysis.funnel(happened(), [pl.col("prise") > 1]), 'funnel: events have no column "prise"; did you mean "price"?'),
        (lambda: analysis.revenue(happened(), period="hour"), "revenue: no period 'hour'"),
    ],
)  # fmt: skip
def test_mistakes_are_told(call, told):
    """What cannot be asked is refused in words."""
    with pytest.raises(UsageError) as refused:
        call()
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize("name", analysis.__all__)
def test_no_event_is_no_error(name):
    """Of no events the answer has its columns, and no rows that claim anything."""
    told = getattr(analysis, name)(happened(), *({"funnel": (["a"],)}.get(name, ())))
    assert told.height == (1 if name == "funnel" else 0)
    assert told.width >= 4


VISITS = happened(
    ("a", "session.start", 0), ("a", "menu_open", 1), ("a", "purchase", 90), ("b", "session.start", 0),
    ("b", "menu_open", 1), ("b", "purchase", 30),
)  # fmt: skip


@pytest.mark.parametrize("ask", [analysis.users, analysis.retention])
def test_users_that_are_seen_by_no_event_are_warned_of(ask):
    """An empty answer to a slip looks like an archive without users; one of no events at all is just that."""
    with pytest.warns(
        UserWarning, match='no event is called "session_start"; did you mean "session.start"?.*seen=None'
    ) as told:
        assert ask(VISITS, seen="session_start").is_empty()
    assert [warning.filename for warning in told] == [__file__], "it tells where the question stands"
    assert ask(VISITS.filter(name="nothing")).is_empty()


def test_a_step_that_no_event_is_called_is_warned_of():
    with pytest.warns(
        UserWarning, match='funnel: no event is called "menu_opened"; did you mean "menu_open"?'
    ) as told:
        assert analysis.funnel(VISITS, ["menu_opened", "purchase"])["users"].to_list() == [0, 0]
    assert [warning.filename for warning in told] == [__file__]


def test_a_funnel_in_a_time_as_polars_writes_it():
    steps = ["menu_open", "purchase"]
    for within in ("1h", dt.timedelta(hours=1)):
        assert analysis.funnel(VISITS, steps, within=within)["users"].to_list() == [2, 1]
    for wrong in (3600, "an hour", [1]):
        with pytest.raises(UsageError, match='within should be a timedelta, or text such as "1h"'):
            analysis.funnel(VISITS, steps, within=wrong)


def test_columns_that_are_no_names_are_told_the_way_out():
    """A key of a map, or an expression, becomes a column of the frame; what is told works."""
    with pytest.raises(UsageError, match=r"revenue: by should be the name of a column, .*with_columns"):
        analysis.revenue(VISITS, by=pl.col("app.version"))
    with pytest.raises(UsageError, match="who should be the name of a column"):
        analysis.users(VISITS, who=7)
    with pytest.raises(UsageError) as told:
        analysis.revenue(VISITS, by="attributes.shop")
    way_out = str(told.value).partition("give it one: ")[2]
    given = eval(way_out, {"events": VISITS, "pl": pl})
    assert analysis.revenue(given, by="attributes.shop").columns[:2] == ["day", "attributes.shop"]
