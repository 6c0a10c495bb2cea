"""The kernel's tally of keys against the scanner: the same account, to the byte, of every layout and of records made to be odd."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from canonical import SAMPLES
from damaged import record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import translate
from translate.engine.library import library
from translate.engine.tally import KeyTally

ROOT = Path(__file__).parent.parent
FOREIGN = ROOT / "benchmarks" / "foreign.py"
SENDERS = ROOT / "benchmarks" / "other_senders.py"
ENDINGS = ("_full", "_minimal", "_run_together")
LAYOUTS = sorted(
    path
    for path in SAMPLES.glob("*/*.*")
    if path.name.partition(".")[0].endswith(ENDINGS)
    and path.suffix in (".jsonl", ".json", ".csv")
    and "schema" not in path.name
)
TARGETS = ("hub", "clickstream/events", "learning_context/events")
RECIPE = """to = "clickstream/events"
[[rule]]
when = "name = 'debug'"
drop = "noise"
[[rule]]
when = "name = 'a'"
set.name = '"attributes.x"'
set."app.title" = '"attributes.z"'
"""
pytestmark = pytest.mark.skipif(library() is None, reason="no kernel here")


def layout_of(sample: Path) -> str:
    """Name the layout of a sample."""
    name = sample.name.partition(".")[0]
    ending = next(ending for ending in ENDINGS if name.endswith(ending))
    return f"{sample.parent.name}/{name.removesuffix(ending)}"


def account(source: Path, out: Path, **options: Any) -> bytes:
    """Give what became of each key."""
    translate.convert(source, out=out, **options)
    return (out / "keys.ndjson").read_bytes()


def both(source: Path, folder: Path, **options: Any) -> bytes:
    """Give the account that both ways of counting give."""
    tallied = account(source, folder / "tallied", census=True, **options)
    assert tallied == account(source, folder / "verified", census="verify", **options)
    return tallied


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Gather the texts of rows that the kernel leaves to Python."""
    texts: list[str] = []
    add = KeyTally.add

    def adding(tally: KeyTally, frame: Any) -> Any:
        found = add(tally, frame)
        texts.extend(frame.filter(found)["text"])
        return found

    monkeypatch.setattr(KeyTally, "add", adding)
    return texts


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("sample", LAYOUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_same_account_of_every_layout(sample: Path, to: str, tmp_path: Path) -> None:
    """Each sample's keys have the same fates, whoever counts."""
    layout = layout_of(sample)
    assert both(sample, tmp_path, from_=layout, to=to)


def test_none_of_a_foreign_archive_is_left(tmp_path: Path, left: list[str]) -> None:
    """Odd names, escapes, nulls, unknown members, purchases and numbers that are hard to keep: the kernel counts them all."""
    made = [sys.executable, str(FOREIGN), str(tmp_path / "in"), "--records", "3000"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    assert both(tmp_path / "in", tmp_path, to="clickstream/events")
    assert left == []


@pytest.mark.parametrize("sender", ["mixpanel", "pinpoint", "posthog", "segment_spec"])
def test_none_of_another_senders_archive_is_left(sender: str, tmp_path: Path, left: list[str]) -> None:
    """Each of its records may have more keys under other names than anything else has remarks."""
    command = [sys.executable, SENDERS, tmp_path / "sent", "--records", "40"]
    subprocess.run([str(word) for word in command], check=True)
    options = {"to": "clickstream", "from_": sender, "set_": ["app_id=demo"]}
    account = both(tmp_path / "sent" / sender, tmp_path, **options)
    assert account
    assert left == []


def test_faults_recipes_and_selections(tmp_path: Path) -> None:
    """What is refused, dropped, left out, or taken by a rule has the same fates."""
    made = [sys.executable, str(FOREIGN), str(tmp_path / "in"), "--records", "1500", "--faults", "7"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    lines = [
        record(at, event_type=name, attributes={"x": "y", "z": "t", "é": "ü"})
        for at, name in enumerate(["a", "debug", "b"])
    ]
    (tmp_path / "in" / "more.json").write_text("\n".join(lines))
    for number, options in enumerate(
        [{"recipe": recipe}, {"where": "name <> 'event_003'"}, {"dedupe": True}]
    ):
        (tmp_path / str(number)).mkdir()
        assert both(tmp_path / "in", tmp_path / str(number), to="clickstream/events", **options)


def test_lists_that_became_a_value(tmp_path: Path) -> None:
    """A user's property that is a list of one value travels along as such, under its own name or another one."""
    people = [{"plan": ["free"]}, {"my plan": ["free"]}, {"plan": ["free", "gold"]}]
    lines = [record(at, endpoint={"User": {"UserAttributes": said}}) for at, said in enumerate(people)]
    (tmp_path / "in.json").write_text("\n".join(lines))
    assert both(
        tmp_path / "in.json",
        tmp_path,
        from_="pinpoint/event_stream",
        to="clickstream/raw",
        set_=["day=2026-01-01"],
    )


# -- records that are odd ---------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["a", "b", "a.b", "client", "client.x", "^a", "\\^a", "é", "a\\b", "", "event_type", "session", "session_id", "user.x", "x" * 60, "_item_price", "Quantity"]
)  # fmt: skip
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**20), st.sampled_from([0.1, 1e300, 12.5]), st.sampled_from(["", "x", "é", '"', "\\", "1", "{}", '{"a":1}'])
)  # fmt: skip
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=4,
)
KNOWN = ["client", "device", "session", "application", "attributes", "metrics", "event_type", "arrival_timestamp", "event_version"]  # fmt: skip


@st.composite
def odd_lines(draw: st.DrawFn) -> list[str]:
    """Give records whose members are exchanged, missing, unknown, doubled or oddly spelled."""
    lines = []
    for number in range(draw(st.integers(1, 6))):
        values = json.loads(record(number, attributes={"a": "x"}, metrics={"b": 1}))
        for name in draw(st.lists(st.sampled_from(KNOWN), max_size=2)):
            values[name] = draw(VALUES)
        for name in ("attributes", "metrics", "client", "device"):
            if isinstance(values.get(name), dict):
                values[name] |= draw(st.dictionaries(NAMES, VALUES, max_size=3))
        values |= draw(st.dictionaries(NAMES, VALUES, max_size=2))
        text = json.dumps(
            values,
            ensure_ascii=draw(st.booleans()),
            separators=draw(st.sampled_from([(",", ":"), (" , ", " : ")])),
        )
        if draw(st.integers(0, 4)) == 0:
            text = text.replace('"a":', '"a":"first","a":', 1)
        lines.append(text)
    return lines


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(odd_lines(), st.sampled_from(TARGETS))
def test_the_same_account_of_odd_records(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], to: str
) -> None:
    """Whatever stands in a record, both ways of counting agree."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "in.json").write_text("\n".join(lines))
    both(folder / "in.json", folder, from_="mobile_analytics/archive", to=to)


@pytest.mark.parametrize(
    "sample",
    [path for path in LAYOUTS if "_full.json" in path.name and "requests" not in path.name],
    ids=lambda path: path.parent.name + "/" + path.name,
)
def test_the_same_account_of_damaged_samples(sample: Path, tmp_path: Path) -> None:
    """Values that are exchanged for others, anywhere in a sample, change both accounts alike."""
    shuffled = random.Random(sample.name)
    layout = layout_of(sample)
    lines = [
        _exchanged(json.loads(line), shuffled)
        for line in sample.read_text(encoding="utf-8").splitlines()
        for _ in range(20)
    ]
    (tmp_path / "in.json").write_text("\n".join(map(json.dumps, lines)))
    assert both(tmp_path / "in.json", tmp_path, from_=layout, to="hub")


def _exchanged(value: Any, shuffled: random.Random) -> Any:
    """Exchange some of the values inside of another one."""
    if shuffled.random() < 0.03:
        return shuffled.choice(
            [None, "", "x", 1, -0.5, True, [], {}, [1], {"a": {"b": None}}, {"value": 1}, "1487973802507"]
        )
    if isinstance(value, dict):
        return {key: _exchanged(inner, shuffled) for key, inner in value.items()}
    return [_exchanged(inner, shuffled) for inner in value] if isinstance(value, list) else value


def test_the_flag_that_says_more(tmp_path: Path) -> None:
    """`--census` is a flag; `--census=verify` is the way of the scanner, and any other word is refused."""
    sample = SAMPLES / "mobile_analytics" / "archive_full.jsonl"
    command = [sys.executable, "-m", "translate", "convert", str(sample), "--to", "hub", "--out"]
    for option, told in (("--census", True), ("--census=verify", "verify")):
        out = tmp_path / option
        subprocess.run([*command, str(out), option], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        assert json.loads((out / "report.json").read_text())["options"]["census"] == told
    refused = subprocess.run(
        [*command, str(tmp_path / "x"), "--census=some"], cwd=ROOT, check=False, capture_output=True
    )
    assert refused.returncode == translate.ExitCode.USAGE
