"""The calls from Python: the words of the command line, what a person would pass, refusals in words, examples that run."""

import datetime as dt
import doctest
import inspect
import json
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import polars as pl
import pytest

import translate
from translate import events
from translate.conversion.frames import PushedDown
from translate.errors import MappingError, UsageError
from translate.wording.arguments import KINDS

ROOT = Path(translate.__file__).parent.parent
SAMPLES = ROOT / "sample_data" / "mobile_analytics"
FULL, ARCHIVE = SAMPLES / "archive_full.jsonl", SAMPLES / "archive"
EVENTS = translate.scan(FULL)
CALLS = [name for name in translate.__all__ if inspect.isfunction(getattr(translate, name))]


@pytest.fixture
def beside_samples(tmp_path, monkeypatch):
    """A folder that has the samples and the mappings, as the checkout."""
    for name in ("sample_data", "mappings"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", CALLS)
def test_the_examples_of_a_call_run(name, beside_samples):
    """Each call shows by an example what it gives, and that is what it gives."""
    call = getattr(translate, name)
    found = doctest.DocTestParser().get_doctest(inspect.getdoc(call), {}, name, None, None)
    assert found.examples
    said = []
    doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL).run(found, out=said.append)
    assert not said, "".join(said)


def test_dir_shows_the_product_only():
    """What is offered at a prompt is what one calls, and no module that is only there inside."""
    shown = set(dir(translate))
    assert {"convert", "scan", "Inspection", "UsageError", "events"} <= shown
    assert not {"import_module", "TYPE_CHECKING", "annotations", "front", "cli"} & shown
    assert all(getattr(translate, name) is not None for name in shown)


def test_a_slip_in_the_name_of_a_call_is_told():
    with pytest.raises(AttributeError, match="no attribute 'convrt'; did you mean 'convert'"):
        translate.convrt  # noqa: B018
    assert not hasattr(translate, "nothing_like_it")


def test_the_package_says_that_it_is_typed():
    """Type checkers of those who call it read its types."""
    assert (Path(translate.__file__).parent / "py.typed").exists()


def test_the_same_words_everywhere():
    """An argument has one name and one default in all calls, and it is of one kind."""
    defaults = {}
    for name in CALLS:
        for argument, parameter in inspect.signature(getattr(translate, name)).parameters.items():
            if argument in KINDS and parameter.default is not inspect.Parameter.empty:
                defaults.setdefault(argument, set()).add(repr(parameter.default))
    assert {argument for argument, values in defaults.items() if len(values) > 1} <= {"set_", "from_", "to"}
    for words in (("from_", "where", "since", "until", "limit", "settings", "set_", "mappings"),):
        for name in ("convert", "inspect", "preview", "roundtrip", "replay", "scan"):
            assert set(words) <= inspect.signature(getattr(translate, name)).parameters.keys()


def test_scan_selects_as_the_command_line_does():
    """`where`, `since`, `until` and `limit` take what `convert` takes with them."""
    whole = translate.scan(ARCHIVE, from_="mobile_analytics/archive").collect()
    taken = translate.scan(
        ARCHIVE,
        where="name = 'purchase' AND \"attributes.ud_ver\" IS NULL",
        since="2017-01-01",
        until=dt.date(2018, 1, 1),
    ).collect()
    from_, to = dt.datetime(2017, 1, 1, tzinfo=dt.UTC), dt.datetime(2018, 1, 1, tzinfo=dt.UTC)
    expected = whole.filter(
        pl.col("name") == "purchase", pl.col("attributes").map.get("ud_ver").is_null(), pl.col("time").is_between(from_, to, closed="left"),
    )  # fmt: skip
    assert taken.height > 10
    assert taken.equals(expected)
    assert translate.scan(ARCHIVE, where="name = 'purchase'", limit=7).collect().height == 7


@pytest.mark.parametrize(
    "since",
    ["2018-01-01", dt.date(2018, 1, 1), dt.datetime(2018, 1, 1), dt.datetime(2018, 1, 1, tzinfo=dt.UTC)],  # noqa: DTZ001
)
def test_dates_and_times_as_one_has_them(since):
    """A date, a time, with a zone or without, and the text of one say the same."""
    assert translate.inspect(ARCHIVE, since=since).values["events"]["inspected"] == 477


@pytest.mark.parametrize(
    "settings",
    [
        {"app_ids": {"0123456789abcdef0123456789abcdef": "game"}},
        {"app_ids.0123456789abcdef0123456789abcdef": "game"},
        translate.Settings(app_ids={"0123456789abcdef0123456789abcdef": "game"}),
    ],
)
def test_settings_as_a_dict(settings, tmp_path):
    """Settings are a dict, a file, or the thing itself."""
    rows = translate.write(translate.scan(FULL), to="clickstream", settings=settings).collect()
    assert set(rows["app_id"]) == {"game"}
    file = tmp_path / "settings.toml"
    file.write_text('app_ids.0123456789abcdef0123456789abcdef = "game"\n')
    again = translate.write(translate.scan(FULL), to="clickstream", settings=file).collect()
    assert again.equals(rows)


def test_settings_that_are_wrong():
    """What a dict says wrongly is told as of a file; a single assignment needs no list."""
    with pytest.raises(MappingError, match='settings: appids: no such setting "appids"'):
        translate.scan(FULL, settings={"appids": {}})
    with pytest.raises(UsageError, match="write it as key=value"):
        translate.scan(FULL, set_="app_ids")
    assert translate.scan(FULL, set_="record_bytes=100000").collect().height == 2


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: translate.scan(5), "scan: source should be a path, or a list of paths, but is 5 (int)"),
        (lambda: translate.inspect([FULL, None]), "inspect: source should be a path, or a list of paths, but is [PosixPath("),
        (lambda: translate.inspect(FULL, limit="3"), "inspect: limit should be a whole number, but is '3' (str)"),
        (lambda: translate.inspect(FULL, limit=True), "inspect: limit should be a whole number, but is True (bool)"),
        (lambda: translate.scan(FULL, where=pl.col("name") == "x"), "a polars expression filters the frame of scan()"),
        (lambda: translate.convert(FULL, to=None, out="x"), "convert: to should be text, but is None (NoneType); name a model"),
        (lambda: translate.convert(FULL, to="hub", out=None), "convert: out should be a path, but is None (NoneType)"),
        (lambda: translate.scan(FULL, since=2018), "scan: since should be a date, a time, or text of one, but is 2018 (int)"),
        (lambda: translate.scan(FULL, settings=["a"]), "scan: settings should be a path of a TOML file, a dict or Settings"),
        (lambda: translate.write([1], to="clickstream"), "write: frame should be a frame of polars, but is [1] (list)"),
        (lambda: translate.write(translate.scan(FULL)), "write: to is missing; name a model"),
        (lambda: translate.convert(FULL, to="hub", out="x", dedupe="yes"), "convert: dedupe should be True or False"),
        (lambda: translate.write(translate.scan(FULL), to="pinpoint/flat"), "pinpoint/flat cannot be written"),
        (lambda: translate.write(translate.scan(FULL), to="clickstream", settings={"app_ids": {"a": "0"}}), 'app_ids.a: clickstream/events does not take "0"'),
        (lambda: translate.explain(from_=1, to="hub"), "explain: from_ should be text, but is 1 (int)"),
        (lambda: translate.write(EVENTS.with_columns(time=pl.lit("2016")), to="clickstream"), 'write: column "time" should be a time, but is String; cast it'),
        (lambda: translate.write(type("DataFrame", (), {})(), to="clickstream"), "pl.DataFrame(...) makes one of what pandas or pyarrow has"),
        (lambda: translate.inspect(FULL, progress=1), "inspect: progress should be a function, but is 1 (int)"),
        (lambda: translate.inspect("a\0b"), "inspect: source should be a path, or a list of paths, but is 'a\\x00b' (str)"),
        (lambda: translate.parity(FULL, FULL, erase=["a"]), "parity: erase should be a path, but is ['a'] (list)"),
        (lambda: translate.Bounds(errors="5"), "Bounds: errors should be a whole number, but is '5' (str)"),
        (lambda: translate.Settings(app_id=5), "Settings: app_id should be text, but is 5 (int)"),
        (lambda: translate.Rehearsal(port="x"), "Options: port should be a whole number, but is 'x' (str)"),
        (lambda: translate.Rehearsal(sed=1), 'Rehearsal() has no option "sed"; did you mean "seed"?'),
        (lambda: translate.analysis.sessions(FULL), "sessions: events should be a frame of hub events, as translate.scan gives it, but is PosixPath("),
        (lambda: translate.analysis.users(EVENTS, seen=["a"]), "users: seen should be text, but is ['a'] (list)"),
        (lambda: translate.analysis.users(EVENTS, period=pl.col("x")), "users: period should be text, but is "),
        (lambda: translate.analysis.users(EVENTS, who=[]), "who should be the name of a column, or a list of names, but names none"),
        (lambda: translate.analysis.retention(EVENTS, after=2.5), "retention: after should be a number of such spans, or several as [1, 7, 30], but is 2.5 (float)"),
        (lambda: translate.analysis.retention(EVENTS, after=10**9, seen=None), "retention: after should be numbers of days"),
    ],
)  # fmt: skip
def test_arguments_of_another_kind(call, told):
    """What is no argument of its kind is refused in words, before anything is read."""
    with pytest.raises(UsageError) as refused:
        call()
    assert told in str(refused.value)


def test_arguments_of_no_name():
    """An argument that there is not is told with the one that was meant."""
    with pytest.raises(TypeError, match=re.escape('scan() has no argument "sinse"; did you mean "since"?')):
        translate.scan(FULL, sinse="2018")
    with pytest.raises(TypeError, match=re.escape('has no argument "from"; did you mean "from_"?')):
        translate.inspect(FULL, **{"from": "pinpoint"})


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (
            lambda: translate.validate(FULL, to="pinpoint"),
            'validate() has no argument "to"; did you mean "as_"?',
        ),
        (
            lambda: translate.scan(FULL, filter="name = 'x'"),
            'scan() has no argument "filter"; did you mean "where"?',
        ),
        (
            lambda: translate.analysis.sessions(EVENTS, period="day"),
            'sessions() has no argument "period"; it takes events, who',
        ),
        (
            lambda: translate.analysis.users(EVENTS, freq="day"),
            'users() has no argument "freq"; did you mean "period"?',
        ),
        (
            translate.analysis.users,
            "users(): missing a required argument: 'events'; write users(events)",
        ),
        (lambda: translate.Bounds(eror=5), 'Bounds() has no argument "eror"; did you mean "errors"?'),
    ],
)
def test_arguments_of_another_call(call, told):
    """The word of another call, or of another library, is told with what this one has; it is an error of ours and of Python's."""
    with pytest.raises(UsageError) as refused:
        call()
    assert told in str(refused.value)
    assert isinstance(refused.value, TypeError)


def test_a_call_that_lacks_something_shows_how_it_is_written():
    """What is missing, or has no name, is told with the call as it should be."""
    with pytest.raises(
        TypeError,
        match=re.escape("missing a required argument: 'out'; write convert(source, to=..., out=...)"),
    ):
        translate.convert(FULL, to="clickstream")
    with pytest.raises(
        TypeError, match=re.escape("too many positional arguments; write convert(source, to=..., out=...)")
    ):
        translate.convert(FULL, "clickstream", "out")


def test_short_texts_of_answers(tmp_path):
    """At a prompt an answer is one line; printed, and in a notebook, it is its tables."""
    report = translate.convert(FULL, to="clickstream", out=tmp_path / "out")
    assert (
        repr(report)
        == "<Report mobile_analytics/archive \N{RIGHTWARDS ARROW} clickstream/events: read 2, written 2>"
    )
    assert "What does not arrive as it was" in str(report)
    assert "<table>" in report._repr_html_()
    for answer in (
        translate.inspect(FULL),
        translate.parity(FULL, tmp_path / "out"),
        translate.why(f"{FULL}:1", to="clickstream"),
    ):
        assert len(repr(answer)) < 120
        assert "<table>" in answer._repr_html_()


class TestPushedDown:
    """What a query asks for is all that leaves the reader."""

    @pytest.fixture
    def seen(self, monkeypatch):
        """Note what left the reader."""
        left = []
        of = PushedDown.of

        def noting(self, frame, moved):
            taken = of(self, frame, moved)
            left.append(taken.collect(engine="in-memory"))
            return taken

        monkeypatch.setattr(PushedDown, "of", noting)
        return left

    def test_columns_and_rows(self, seen):
        """A filter and a selection of columns reach the reader."""
        found = translate.scan(FULL).filter(name="purchase").select("price", "quantity").collect()
        assert found.rows() == [(4.99, 2.0)]
        (left,) = seen
        assert set(left.columns) == {"code", "price", "quantity"} | ({"name"} & set(left.columns))
        assert left.height == 1

    def test_the_first_rows(self, seen):
        """The first rows are all that is read of a large unit."""
        assert translate.scan(FULL).head(1).collect().height == 1
        assert seen[0].height == 1

    def test_unreadable_records_are_told(self, tmp_path):
        """Whatever a filter takes, what cannot be read is told."""
        file = tmp_path / "a.json"
        file.write_text(FULL.read_text() + "{broken\n")
        with pytest.warns(UserWarning, match="1 record could not be read"):
            assert (
                translate.scan(file, from_="mobile_analytics").filter(name="purchase").collect().height == 1
            )

    @pytest.mark.parametrize(
        "query",
        [
            lambda events: events.filter(pl.col("price") > 1, name="purchase"),
            lambda events: events.filter(pl.col("time").dt.year() == 2017).select("event_id", "name"),
            lambda events: events.group_by("name").len().sort("name"),
            lambda events: events.filter(pl.col("attributes").map.get("sku").is_not_null()).head(5),
            lambda events: events.select(pl.len()),
            lambda events: events.head(1000).filter(name="purchase"),
            lambda events: events.head(1000).filter(name="purchase").select("event_id").head(2),
            lambda events: events.filter(pl.col("price") > 1).head(7).filter(name="purchase"),
            lambda events: events.head(50).filter(pl.col("line") > 3).select(pl.len()),
        ],
    )
    def test_any_query_is_that_of_a_frame(self, query):
        """A query of the scan gives what it gives of all events."""
        whole = translate.scan(ARCHIVE).collect()
        assert query(translate.scan(ARCHIVE)).collect().equals(query(whole.lazy()).collect())


def test_whom_to_erase_is_a_list_or_a_file(tmp_path):
    """Ids at hand need no file, and a list leaves out whom the same file does."""
    client = translate.scan(FULL).collect()["client_id"][0]
    (tmp_path / "people.txt").write_text(f"{client}\n")
    told = [
        translate.convert(FULL, to="clickstream", out=tmp_path / f"out-{number}", erase=erase)
        for number, erase in enumerate([tmp_path / "people.txt", [client], {client}])
    ]
    assert told[0]["events"]["filtered"] > 0
    assert [report["erasure"] for report in told] == [told[0]["erasure"]] * 3
    for wrong, said in (
        ([], "empty list"),
        ([1], "should be a path of a list of ids, or a list of ids"),
        (7, "a list of ids"),
    ):
        with pytest.raises(UsageError, match=said):
            translate.convert(FULL, to="clickstream", out=tmp_path / "no", erase=wrong)


def test_a_preview_does_not_flood_a_prompt():
    """It is the list that it was, one line at a prompt, and a table in a notebook."""
    shown = translate.preview(FULL, to="clickstream")
    assert isinstance(shown, list)
    assert repr(shown) == f"<Preview: {len(shown)} records>"
    assert str(shown).splitlines()[0] == "archive_full.jsonl:1"
    assert "<table>" in shown._repr_html_()


def test_what_was_checked_says_so_in_a_line(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('form = "pinpoint"\n')
    checked = translate.check(file)
    assert repr(checked) == f"<Checked mine.toml: {len(checked.complaints)} wrong>"
    assert str(checked).splitlines()[0] == str(checked.complaints[0]).splitlines()[0]


def test_answers_are_taken_along_without_private_calls(tmp_path):
    """What a notebook shows is a piece of a page of one's own, and text has a width without being asked for one."""
    translate.convert(FULL, to="clickstream", out=tmp_path / "clicks")
    shown = [
        translate.inspect(FULL), translate.parity(FULL, tmp_path / "clicks"), translate.why(f"{FULL}:1", to="clickstream"),
    ]  # fmt: skip
    for answer in shown:
        assert "<table" in answer.to_html() == answer._repr_html_()
        assert answer.to_text() == str(answer)
    explained = translate.explain(from_="pinpoint", to="clickstream")
    assert explained.to_text() == str(explained)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (lambda: EVENTS.filter(event_type="purchase"), 'hub events have no "event_type": it is "name" here'),
        (lambda: EVENTS.select("user"), 'hub events have no "user"'),
        (lambda: EVENTS.group_by("user").agg(pl.len()), 'hub events have no "user"'),
        (lambda: EVENTS.group_by("name").having(pl.col("user") == "u").agg(pl.len()), 'hub events have no "user"'),
        (lambda: EVENTS.group_by("name").len().filter(event_type="purchase"), 'hub events have no "event_type"'),
        (lambda: EVENTS.sql("SELECT usr FROM self"), 'hub events have no "usr"'),
        (lambda: EVENTS.filter(pl.col("attributes.sku") == "x"), 'pl.col("attributes").map.get("sku")'),
        (lambda: EVENTS.filter(pl.col("attributes").struct.field("sku") == "x"), 'pl.col("attributes").map.get("KEY")'),
        (lambda: EVENTS.filter(pl.col("attributes") == "x"), 'pl.col("attributes").map.get("KEY")'),
        (lambda: EVENTS.filter(pl.col("time") > "2016-04-07"), "datetime(2016, 4, 7, tzinfo=UTC)"),
        (lambda: EVENTS.filter(pl.col("time") > dt.datetime(2016, 4, 7)), "datetime(2016, 4, 7, tzinfo=UTC)"),  # noqa: DTZ001
        (lambda: EVENTS.filter(pl.col("name") == 5), "compare it with text"),
    ],
)  # fmt: skip
def test_errors_of_polars_say_what_hub_events_have(query, told):
    """What polars says stays as it says it; beneath it stands what to write on hub events."""
    with pytest.raises(pl.exceptions.PolarsError) as refused:
        query().collect(engine="in-memory")
    assert told in "\n".join(refused.value.__notes__)


@pytest.mark.parametrize("is_pretty", [False, True], ids=["a line each", "pretty"])
def test_a_script_ends_well_whose_query_had_enough_early(is_pretty, tmp_path):
    """What the engine still draws is ended before Python is: it would hang on a lock, or take the process down with it."""
    events = [json.loads(line) for line in FULL.read_text(encoding="utf-8").splitlines()]
    text = "\n".join(json.dumps(event, indent=1 if is_pretty else None) for event in events) + "\n"
    for number in range(8):
        (tmp_path / f"{number}.json").write_text(text * (4_000 // len(events)), encoding="utf-8")
    script = f"""
import sys, translate
from translate.archive import batches, units
units.FILES_MAX, batches.BATCH_BYTES = 1, {1 << 18}
translate.scan(sys.argv[1]).filter(name="purchase").head(3).collect()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")


def test_sql_in_a_filter_is_told_where_it_goes():
    with pytest.raises(UsageError, match="SQL is for scan"):
        EVENTS.filter("name = 'purchase'")


def test_numbers_are_taken_in_any_type():
    """A frame that went through other hands has decimals, small numbers, and columns of nothing: what they say is taken."""
    plain = translate.write(
        EVENTS.with_columns(attributes=pl.lit(None, events.MAP)), to="clickstream"
    ).collect()
    others = EVENTS.with_columns(
        pl.col("price").cast(pl.Decimal(10, 2)), pl.col("quantity").cast(pl.Int8), attributes=None
    )
    assert translate.write(others, to="clickstream").collect().equals(plain)


def test_columns_of_ones_own_are_told():
    """What a target's rows are not made of does not vanish without a word; what is named as this tool's own columns harms none."""
    plain = translate.write(EVENTS, to="clickstream").collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        helped = EVENTS.with_columns(
            shop=pl.lit("x"), clientid=pl.lit("c"), code=pl.lit("bad"), row=pl.lit(7)
        )
        assert translate.write(helped, to="clickstream").collect().equals(plain)
    said = (
        'write: hub events have no "shop", "clientid" (did you mean "client_id"?), "code", "row": no row holds them; '
        "drop them, or give what they say to a column that translate.events.COLUMNS lists"
    )
    assert [(str(each.message), each.filename) for each in told] == [(said, __file__)]
    with pytest.warns(
        UserWarning, match='hub events have no "shop": no row holds it; drop it, or give what it says to'
    ):
        translate.write(EVENTS.with_columns(shop=1), to="clickstream")


@pytest.mark.parametrize("where", [None, "name <> 'x'"])
def test_a_limit_is_the_same_for_a_scan_and_a_conversion(where, tmp_path) -> None:
    """Of the first n records those that cannot be read are some, here and there; `head` gives n events, as polars does."""
    event = FULL.read_text(encoding="utf-8").splitlines()[0]
    for number, lines in enumerate([[event, '{"cut'], ['{"cut', event, event, event]]):
        (tmp_path / f"{number}.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for limit in range(1, 7):
        out = tmp_path / f"out{limit}"
        report = translate.convert([*tmp_path.glob("*.json")], to="hub", out=out, limit=limit, where=where)
        limited = translate.scan([*tmp_path.glob("*.json")], limit=limit, where=where)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert limited.collect().height == report["events"]["written"]
        unread = report["events"]["rejected"]
        assert [each.message.args[0][:8] for each in told] == [f"{unread} record"] * (unread > 0)
    with pytest.warns(UserWarning, match="2 records could not be read"):
        assert limited.filter(name="x").collect().height == 0
    assert limited.head(2).collect().height == 2
    assert translate.scan([*tmp_path.glob("*.json")]).head(4).collect().height == 4


def test_a_limit_beyond_all_rows_takes_all() -> None:
    """A number that no frame counts to is none that polars would have to take."""
    assert translate.scan(FULL, limit=10**30).collect().equals(translate.scan(FULL).collect())
