"""The census of keys: its scanner against Python's own JSON, and every key's fate against the census."""

import base64
import gzip
import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import translate
from translate.census import Below, Elements, Key, Members, keys, kind_of, opened, scan, text_of
from translate.census.destinations import NOT_TOLD
from translate.census.fates import FATES
from translate.reader.hub import Hub

ARCHIVE = Path(__file__).resolve().parent.parent / "sample_data" / "mobile_analytics" / "archive"

TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)  # all planes, controls, halves of surrogate pairs
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
BLANKS = st.text(" \t\r\n", max_size=2)
ESCAPED = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}


@st.composite
def json_texts(draw, depth=3):
    """JSON texts with blanks anywhere, doubled keys, and each character spelled in any way that JSON allows."""
    kind = draw(st.sampled_from(["scalar", "list", "object"] if depth else ["scalar"]))
    if kind == "scalar":
        value = draw(SCALARS)
        return draw(spelled(value)) if isinstance(value, str) else json.dumps(value)
    members = [draw(json_texts(depth=depth - 1)) for _ in range(draw(st.integers(0, 4)))]
    if kind == "object":
        names = st.one_of(st.sampled_from(["a", "b"]), TEXTS)
        members = [draw(spelled(draw(names))) + draw(BLANKS) + ":" + draw(BLANKS) + member for member in members]
    inside = ",".join(draw(BLANKS) + member + draw(BLANKS) for member in members) or draw(BLANKS)
    return f"[{inside}]" if kind == "list" else f"{{{inside}}}"


@st.composite
def spelled(draw, text):
    """A text as JSON, its characters plain or escaped."""
    parts = []
    for character in text:
        must = character in ESCAPED or ord(character) < 0x20
        if not (must or draw(st.booleans())):
            parts.append(character)
        elif character in ESCAPED and draw(st.booleans()):
            parts.append(ESCAPED[character])
        else:
            units = character.encode("utf-16-be", "surrogatepass")
            parts.append("".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)))
    return '"' + "".join(parts) + '"'


class Number(str):
    """A number as it is spelled."""

    __slots__ = ()


def parsed(text):
    return json.loads(text, object_pairs_hook=lambda pairs: ("object", pairs), parse_int=Number, parse_float=Number)


def understood(value):
    """What the scanner found, in the form of `parsed`."""
    if isinstance(value, Members):
        return ("object", [(key, understood(inner)) for key, inner in value])
    if isinstance(value, Elements):
        return [understood(inner) for inner in value]
    words = {"null": None, "true": True, "false": False}
    return text_of(value) if value.startswith('"') else words.get(value, Number(value))


@given(json_texts())
def test_scanner_agrees_with_json(text):
    """Every key and every value is where Python's own parser sees it, doubled keys and escapes included."""
    assert understood(scan(text)) == parsed(text)


@given(json_texts(), st.integers(0, 200))
def test_scanner_survives_what_breaks_off(text, length):
    """A text that is cut off gives what was understood, and no error: nothing that the whole text does not have."""
    whole, part = scan(text), scan(text[:length])
    assert length < len(text) or understood(part) == understood(whole)
    assert isinstance(part, str) or type(part) is type(whole)


def leaves(value, path=()):
    """The paths of all members that are no objects with members, by way of Python's parser."""
    if isinstance(value, tuple) and value[1]:
        return {leaf for key, inner in value[1] for leaf in leaves(inner, (*path, key))}
    return {path}


@given(json_texts())
def test_each_key_once(text):
    """Without a tree every object is known by its members, each key comes once, passed over or not."""
    found = keys(scan(text), {})
    value = parsed(text)
    wanted = leaves(value) if isinstance(value, tuple) and value[1] else set()
    # A doubled key may be an object here and none there: then one path leads through the other.
    assert {key.path for key in found} == wanted
    assert len(found) == len({key.path for key in found})


def by_path(text, tree):
    return {".".join(key.path): key for key in keys(scan(text), tree)}


def test_kinds_and_trees():
    """Below what the tree says ends the key, or goes on by key, by entity, or inside of a text."""
    tree = {
        "client": {"id": Below.NOTHING}, "attributes": Below.KEYS, "entities": Below.ENTITIES,
        "properties": Below.JSON_OF_KEYS, "items": Below.NOTHING,
    }  # fmt: skip
    record = {
        "client": {"id": "c", "odd": {"x": None}}, "attributes": {"a": {"not": "a key"}, "e.f": 1, "n": None},
        "entities": [{"key": "k", "value": [1]}, {"value": False, "key": "k"}, {"key": "gone"}],
        "properties": '{"page": "x\\ny"}', "items": {"id": 1}, "empty": {}, "deep": {"er": {"est": 0}},
    }  # fmt: skip
    found = by_path(json.dumps(record), tree)
    assert {path: (key.kind, key.known) for path, key in found.items()} == {
        "client.id": ("text", 2), "client.odd.x": ("null", 1), "attributes.a": ("object", 2), "attributes.e.f": ("number", 2),
        "attributes.n": ("null", 2), "entities.k": ("list", 2), "entities.k#2": ("flag", 2), "entities.gone": ("null", 2),
        "properties.page": ("text", 2), "items": ("object", 1), "empty": ("object", 0), "deep.er.est": ("number", 0),
    }  # fmt: skip


def test_doubled_keys():
    """Of a doubled key the last one stands; what only an earlier one holds is passed over."""
    found = by_path('{"a": 1, "a": null, "o": {"x": 1, "y": 2}, "o": {"x": 3}}', {})
    assert found["a"] == Key(("a",), "null", 0, doubled=True)
    assert found["o.x"] == Key(("o", "x"), "number", 0, doubled=False)
    assert found["o.y"] == Key(("o", "y"), "number", 0, doubled=False, passed_over=True)


@pytest.mark.parametrize(
    "wrapped",
    [lambda text: text, lambda text: base64.b64encode(text.encode()).decode(),
     lambda text: base64.urlsafe_b64encode(gzip.compress(text.encode())).decode()],
    ids=["plain", "base64", "gzip"],
)
def test_texts_that_hold_json(wrapped):
    """Bodies are opened whichever way they came; what holds no JSON stays a text."""
    inside = '{"a": "\u00e4\\"", "b": []}'
    assert understood(opened(scan(json.dumps(wrapped(inside))))) == parsed(inside)
    assert kind_of(opened('"no JSON"')) == "text"


# -- fates ----------------------------------------------------------------------------------------------------------

RECORD = {"event_type": "e", "event_timestamp": 1487973802507, "application": {"app_id": "a"}, "client": {"client_id": "c"}}
TARGETS = ["clickstream", "personalize", "personalize/requests", "learning_context", "pinpoint", "pinpoint/requests", "mobile_analytics", "hub"]


def rows_of(file):
    """The rows of JSON lines; a text may hold what only Python takes for the end of a line."""
    return [json.loads(line) for line in filter(None, file.read_text().split("\n"))]


def fates(tmp_path, *lines, to="clickstream", **options):
    """The fates of the keys in some lines, by event type and key."""
    (tmp_path / "a.json").write_text("".join(f"{line}\n" for line in lines))
    translate.convert(tmp_path / "a.json", to=to, out=tmp_path / "out", from_="mobile_analytics", census=True, **options)
    rows = rows_of(tmp_path / "out" / "keys.ndjson")
    assert len({(row["event_type"], row["key"], row["fate"], row["how"]) for row in rows}) == len(rows)
    return {(row["event_type"], row["key"]): (row["fate"], row["how"]) for row in rows}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Lines of the sample archive: each with an odd member, and of the others every tenth."""
    lines = []
    for file in sorted(path for path in ARCHIVE.rglob("*") if path.is_file()):
        content = file.read_bytes()
        lines += (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode().split("\n")
    chosen = [line for number, line in enumerate(lines) if "monetization" in line or "null" in line or number % 10 == 0]
    file = tmp_path_factory.mktemp("sample") / "sample.json"
    file.write_text("".join(f"{line}\n" for line in chosen if line.strip()))
    return file


def counted_by_json(file):
    """The keys of an archive by event type, by way of Python's parser; free-form values are not looked into."""
    counts = Counter()
    for line in filter(None, file.read_text().split("\n")):
        record = json.loads(line)
        counts.update((record["event_type"], ".".join(path)) for path in paths(record))
    return counts


def paths(value, path=()):
    if isinstance(value, dict) and value and not (len(path) == 2 and path[0] in ("attributes", "metrics")):
        return [leaf for key, inner in value.items() for leaf in paths(inner, (*path, key))]
    return [path]


@pytest.mark.parametrize("to", TARGETS)
def test_counts_agree_on_the_sample_archive(tmp_path, sample, to):
    """Summed over its fates, each key has the count that Python's parser gives it, and none is forgotten by the writer."""
    report = translate.convert(sample, to=to, out=tmp_path / "out", census=True)
    rows = rows_of(tmp_path / "out" / "keys.ndjson")
    counts = Counter()
    for row in rows:
        counts[row["event_type"], row["key"]] += row["events"]
        assert row["fate"] in FATES
        assert row["how"] != NOT_TOLD
    assert counts == counted_by_json(sample)
    assert sum(key["events"] for key in report["keys"]) == counts.total()


def test_every_kind_of_key(tmp_path):
    """Unknown members at any depth, doubled keys, nulls, escapes and empty objects each have their fate."""
    text = json.dumps({
        **RECORD, "client": {"client_id": "c", "odd": {"deep": 1}}, "new": [1], "session": {}, "device": {"make": None},
        "attributes": {"a b": "x", "n": None, "flag": True, "plain": "p"}, "metrics": {"m": 1},
    })  # fmt: skip
    text = text.replace('"event_type"', '"event\\u005ftype"').replace('"plain": "p"', '"plain": "p", "\\u0070lain": "q"')
    found = {key: fate for (_, key), fate in fates(tmp_path, text).items()}
    assert found["event_type"] == ("kept", "")
    assert found["client.client_id"][0] == "renamed"
    assert found["client.odd.deep"][0] == found["new"][0] == "unknown"
    assert found["session"] == ("null", "an object without members")
    assert found["device.make"] == found["attributes.n"] == ("null", "")
    assert found["attributes.a b"] == ("renamed", "attributes.a_b")
    assert found["attributes.plain"][0] == "changed"
    assert found["attributes.flag"] == ("kept", "")
    assert found["metrics.m"] == ("renamed", "attributes.m")


def test_rejected_and_dropped_keys(tmp_path):
    """Keys of records that are refused or filtered go with them, under the code or the rule."""
    recipe = tmp_path / "r.toml"
    recipe.write_text('to = "clickstream/events"\n[[rule]]\nwhen = "name = \'debug\'"\ndrop = "noise"\n')
    late = {**RECORD, "event_type": "late", "event_timestamp": 1}
    lines = [json.dumps(record) for record in (RECORD, {**RECORD, "event_type": "debug", "attributes": {"x": "y"}}, late)]
    found = fates(tmp_path, *lines, '{"event_type": "cut", "client": {"client_id": "c"', recipe=recipe)
    assert found["debug", "attributes.x"] == ("dropped", "noise")
    assert found["late", "event_timestamp"] == ("rejected", "time_implausible")
    assert found["cut", "client.client_id"] == ("rejected", "incomplete")


def test_a_reader_that_loses_a_key_stops_the_run(tmp_path, monkeypatch):
    """What stands in the text and reaches the hub nowhere is found out, by name."""
    read = Hub.events
    lose = {"device.model": pl.lit(None, pl.String)}
    monkeypatch.setattr(Hub, "events", lambda self, records: read(self, records).with_columns(**lose))
    line = json.dumps({**RECORD, "device": {"make": "m", "model": "n"}})
    with pytest.raises(translate.ConservationError, match=r"device\.model stands in the text of 1 events of type e, but 0 .* a\.json, line 1"):
        fates(tmp_path, line)
    assert not (tmp_path / "out" / "report.json").exists()


def test_a_reader_that_makes_a_key_up_stops_the_run(tmp_path, monkeypatch):
    """What the hub holds and no text does is found out too."""
    read = Hub.events
    made_up = {"attributes": pl.col("metrics")}
    monkeypatch.setattr(Hub, "events", lambda self, records: read(self, records).with_columns(**made_up))
    with pytest.raises(translate.ConservationError, match="stands in the text of 0 events"):
        fates(tmp_path, json.dumps({**RECORD, "metrics": {"m": 1}}))


def test_requests_are_not_counted(tmp_path, sample):
    """A census that cannot be taken from the raw text is refused before anything is read."""
    translate.convert(sample, to="pinpoint/requests", out=tmp_path / "in", limit=20)
    with pytest.raises(translate.UsageError, match="leave --census out"):
        translate.convert(tmp_path / "in" / "data", from_="pinpoint/requests", to="hub", out=tmp_path / "out", census=True)


@pytest.mark.parametrize(
    ("layout", "record", "expected"),
    [
        ("clickstream/events",
         {"event_type": "e", "event_id": "i", "timestamp": 1487973802507, "app_id": "a",
          "user": {"_user_id": {"value": "u"}, "left": {"value": None}, "bare": "b"}, "attributes": {"translate_names": '{"name": "é.e"}'}},
         {"user._user_id": "renamed", "user.left": "null", "user.bare": "renamed", "attributes.translate_names": "changed"}),
        ("learning_context/events",
         {"action": "UPDATE", "type": "e", "timestamp": 1487973802, "session": "", "entities": [{"key": "k", "value": 1}, {"key": "k", "value": "x"}]},
         {"session": "null", "entities.k": "renamed", "entities.k#2": "renamed"}),
    ],
    ids=["clickstream", "learning_context"],
)  # fmt: skip
def test_keys_of_other_models(tmp_path, layout, record, expected):
    """Users' properties, entities, names that travelled along, and an empty text that stands for none are accounted for."""
    (tmp_path / "a.json").write_text(json.dumps(record) + "\n")
    translate.convert(tmp_path / "a.json", from_=layout, to="hub", out=tmp_path / "out", census=True)
    found = {row["key"]: row["fate"] for row in rows_of(tmp_path / "out" / "keys.ndjson")}
    assert found | expected == found
