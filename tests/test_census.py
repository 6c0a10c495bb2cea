"""The census of keys: its scanner against Python's own JSON, and every key's fate against the census."""

import base64
import gzip
import itertools
import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import translate
from translate.archive import table
from translate.conversion.census import Below, Elements, Key, Members, keys, kind_of, opened, scan, text_of
from translate.conversion.census.destinations import NOT_TOLD
from translate.conversion.census.fates import FATES, PASSED_OVER, WITHOUT_EVENT
from translate.conversion.census.forms import cells
from translate.reader.careful import CarefulReader
from translate.reader.hub import Hub
from translate.reader.kernel_reader import Columns
from translate.reader.request import RequestReader

SAMPLES = Path(__file__).resolve().parent.parent / "sample_data"
ARCHIVE = SAMPLES / "mobile_analytics" / "archive"

TEXTS = st.text(
    st.characters(exclude_categories=()), max_size=12
)  # all planes, controls, halves of surrogate pairs
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
        members = [
            draw(spelled(draw(names))) + draw(BLANKS) + ":" + draw(BLANKS) + member for member in members
        ]
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
    return json.loads(
        text, object_pairs_hook=lambda pairs: ("object", pairs), parse_int=Number, parse_float=Number
    )


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
    [
        lambda text: text,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(gzip.compress(text.encode())).decode(),
    ],
    ids=["plain", "base64", "gzip"],
)
def test_texts_that_hold_json(wrapped):
    """Bodies are opened whichever way they came; what holds no JSON stays a text."""
    inside = '{"a": "\u00e4\\"", "b": []}'
    assert understood(opened(scan(json.dumps(wrapped(inside))))) == parsed(inside)
    assert kind_of(opened('"no JSON"')) == "text"


# -- fates ----------------------------------------------------------------------------------------------------------

RECORD = {
    "event_type": "e",
    "event_timestamp": 1487973802507,
    "application": {"app_id": "a"},
    "client": {"client_id": "c"},
}
TARGETS = [
    "clickstream",
    "personalize",
    "personalize/requests",
    "learning_context",
    "pinpoint",
    "pinpoint/requests",
    "mobile_analytics",
    "hub",
]


def rows_of(file):
    """The rows of JSON lines; a text may hold what only Python takes for the end of a line."""
    return [json.loads(line) for line in filter(None, file.read_text().split("\n"))]


def fates(tmp_path, *lines, to="clickstream", **options):
    """The fates of the keys in some lines, by event type and key."""
    (tmp_path / "a.json").write_text("".join(f"{line}\n" for line in lines))
    translate.convert(
        tmp_path / "a.json", to=to, out=tmp_path / "out", from_="mobile_analytics", census=True, **options
    )
    rows = rows_of(tmp_path / "out" / "keys.ndjson")
    assert len({(row["event_type"], row["key"], row["fate"], row["how"]) for row in rows}) == len(rows)
    return {(row["event_type"], row["key"]): (row["fate"], row["how"]) for row in rows}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Lines of the sample archive: each with an odd member, and of the others every tenth."""
    lines = []
    for file in sorted(path for path in ARCHIVE.rglob("*") if path.is_file()):
        content = file.read_bytes()
        lines += (
            (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode().split("\n")
        )
    chosen = [
        line
        for number, line in enumerate(lines)
        if "monetization" in line or "null" in line or number % 10 == 0
    ]
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
    text = text.replace('"event_type"', '"event\\u005ftype"').replace(
        '"plain": "p"', '"plain": "p", "\\u0070lain": "q"'
    )
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
    lines = [
        json.dumps(record)
        for record in (RECORD, {**RECORD, "event_type": "debug", "attributes": {"x": "y"}}, late)
    ]
    found = fates(tmp_path, *lines, '{"event_type": "cut", "client": {"client_id": "c"', recipe=recipe)
    assert found["debug", "attributes.x"] == ("dropped", "noise")
    assert found["late", "event_timestamp"] == ("rejected", "time_implausible")
    assert found["cut", "client.client_id"] == ("rejected", "incomplete")


@pytest.mark.parametrize("way", [True, "verify"])
def test_halves_of_surrogate_pairs_in_names(tmp_path, way):
    """What no file can hold is written as JSON escapes it."""
    line = json.dumps({**RECORD, "event_type": "half \ud83d", "attributes": {"k\udc00": "v"}})
    (tmp_path / "a.json").write_text(f"{line}\n")
    translate.convert(tmp_path / "a.json", to="clickstream", out=tmp_path / "out", census=way)
    keys = [json.loads(text) for text in (tmp_path / "out" / "keys.ndjson").read_text().splitlines()]
    assert {row["event_type"] for row in keys} == {"half \\ud83d"}
    assert "attributes.k\\udc00" in {row["key"] for row in keys}


def test_a_reader_that_loses_a_key_stops_the_run(tmp_path, monkeypatch):
    """What stands in the text and reaches the hub nowhere is found out, by name."""
    read = Hub.events
    lose = {"device.model": pl.lit(None, pl.String)}
    monkeypatch.setattr(Hub, "events", lambda self, records: read(self, records).with_columns(**lose))
    line = json.dumps({**RECORD, "device": {"make": "m", "model": "n"}})
    with pytest.raises(
        translate.ConservationError,
        match=r"device\.model stands in the text of 1 events of type e, but 0 .* a\.json, line 1",
    ):
        fates(tmp_path, line)
    assert not (tmp_path / "out" / "report.json").exists()


def test_a_reader_that_makes_a_key_up_stops_the_run(tmp_path, monkeypatch):
    """What the hub holds and no text does is found out too."""
    read = Hub.events
    made_up = {"attributes": pl.col("metrics")}
    monkeypatch.setattr(Hub, "events", lambda self, records: read(self, records).with_columns(**made_up))
    with pytest.raises(translate.ConservationError, match="stands in the text of 0 events"):
        fates(tmp_path, json.dumps({**RECORD, "metrics": {"m": 1}}))


def test_hub_files_are_not_counted(tmp_path, sample):
    """Where a source has no text to take a census from, that is said before anything is read."""
    translate.convert(sample, to="hub", out=tmp_path / "in", limit=20)
    with pytest.raises(translate.UsageError, match="leave census= out"):
        translate.convert(
            tmp_path / "in" / "data", from_="hub", to="clickstream", out=tmp_path / "out", census=True
        )


@pytest.mark.parametrize(
    ("layout", "record", "expected"),
    [
        ("clickstream/events",
         {"event_type": "e", "event_id": "i", "timestamp": 1487973802507, "app_id": "a",
          "user": {"_user_id": {"value": "u"}, "left": {"value": None}, "bare": "b"}, "attributes": {"translate_names": '{"name": "é.e"}'}},
         {"user._user_id": "renamed", "user.left": "null", "user.bare": "renamed", "attributes.translate_names": "kept"}),
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


# -- requests and tables --------------------------------------------------------------------------------------------

OF_TRANSPORT = ("dropped", "of the transport, not of the event")
REJECTED = ("rejected", "incomplete")
ADDRESSES = [
    "mobile_analytics/requests", "mobile_analytics/redshift", "pinpoint/requests", "clickstream/requests", "clickstream/raw",
    "learning_context/requests", "personalize/requests", "personalize/interactions",
]  # fmt: skip
CASES = [
    (address, file, to)
    for address in ADDRESSES
    for file in sorted(SAMPLES.glob(f"{address}_*"))
    if not file.name.endswith(".schema.json")
    for to in dict.fromkeys(
        [
            "hub",
            "clickstream",
            "personalize/requests",
            "mobile_analytics/archive" if address.endswith(("redshift", "raw")) else address,
        ]
    )
]


def told(tmp_path, layout, *lines, to="hub", **options):
    """The fates of the keys in some lines: by event type and key, each fate with the number of events."""
    (tmp_path / "a.txt").write_text("".join(f"{line}\n" for line in lines))
    translate.convert(tmp_path / "a.txt", to=to, out=tmp_path / "out", from_=layout, census=True, **options)
    found = {}
    for row in rows_of(tmp_path / "out" / "keys.ndjson"):
        found.setdefault((row["event_type"], row["key"]), {})[row["fate"], row["how"]] = row["events"]
    return found


@pytest.mark.parametrize(
    ("address", "file", "to"), CASES, ids=[f"{file.parent.name}/{file.name}-{to}" for _, file, to in CASES]
)
def test_counts_agree_on_samples_of_requests_and_tables(tmp_path, address, file, to):
    """Each sample of them comes through with both counts agreeing, and no key is forgotten by the writer."""
    report = translate.convert(file, from_=address, to=to, out=tmp_path / "out", census=True)
    rows = rows_of(tmp_path / "out" / "keys.ndjson")
    assert report["events"]["read"] > 0
    assert rows
    assert {row["how"] for row in rows}.isdisjoint({NOT_TOLD, "not in the text"})
    assert {row["fate"] for row in rows} <= {*FATES}


def test_what_stands_around_events_belongs_to_each(tmp_path):
    """Every event of a request has the keys around it, apart from its own: known, unknown, of the transport, in texts."""
    context = {"client": {"client_id": "c", "app_title": "t"}, "custom": {"tier": "gold"}, "odd": [1]}
    body = {
        "events": [
            {"eventType": name, "timestamp": "2017-02-24T21:53:22Z", "odd": 1} for name in ("a", "a", "b")
        ],
        "more": 1,
    }
    captured = {
        "method": "POST", "path": "/2014-06-05/events", "headers": [["X-Amz-Client-Context", json.dumps(context)], ["Agent", "x"]],
        "body": base64.b64encode(gzip.compress(json.dumps(body).encode())).decode(),
    }  # fmt: skip
    found = told(tmp_path, "mobile_analytics/requests", json.dumps(captured))
    assert found["a", "^client_context.client.client_id"] == {("renamed", "client_id"): 2}
    assert found["b", "^client_context.custom.tier"] == {("renamed", "client_properties.tier"): 1}
    assert found["a", "^headers.agent"] == found["a", "^path"] == {OF_TRANSPORT: 2}
    assert found["a", "eventType"] == {("renamed", "name"): 2}
    for key in ("^client_context.odd", "^body.more", "odd"):
        assert sum(found["a", key].values()) == 2
        assert sum(found["b", key].values()) == 1
    assert not any("body.events" in key for _, key in found)


HEADERS = {
    "an object": {"X-Forwarded-For": "192.0.2.1", "Cookie": "a=1", "n": 1},
    "pairs": [
        ["x-forwarded-for", "192.0.2.1"],
        ["cookie", "a=1"],
        ["X-Forwarded-For", "10.0.0.1"],
        ["n", ["x", "y"]],
    ],
    "lists": {"X-Forwarded-For": ["192.0.2.1", "10.0.0.1"], "cookie": "a=1", "n": [1]},
}


@pytest.mark.parametrize("headers", HEADERS)
def test_headers_have_fates_of_their_own(tmp_path, headers):
    """Those that say something of the events arrive, the others are of the transport, one by one; texts of one name are one."""
    event = {"event_type": "e", "event_id": "i", "timestamp": 1487973802507, "app_id": "a"}
    found = told(
        tmp_path,
        "clickstream/requests",
        json.dumps({"headers": HEADERS[headers], "query": {"appId": "a"}, "body": [event]}),
    )
    assert found["e", "^headers.x-forwarded-for"] == {("renamed", "forwarded_address"): 1}
    assert found["e", "^headers.cookie"] == found["e", "^headers.n"] == {OF_TRANSPORT: 1}


def test_unknown_members_around_events_go_back(tmp_path):
    """What the layout does not name stays in requests of the same layout, and has no place in another's."""
    event = {"event_type": "e", "event_id": "i", "timestamp": 1487973802507, "app_id": "a"}
    line = json.dumps({"query": {"appId": "a", "new": "n"}, "extra": 1, "body": [event]})
    same = told(tmp_path, "clickstream/requests", line, to="clickstream/requests")
    assert [*same["e", "^query.new"]] == [*same["e", "^extra"]] == [("kept", "")]
    (tmp_path / "other").mkdir()
    other = told(tmp_path / "other", "clickstream/requests", line, to="pinpoint")
    assert [fate for fate, _ in other["e", "^query.new"]] == ["unknown"]


def test_doubled_members_of_requests(tmp_path):
    """Of a doubled member the last one counts, also where it holds the events: those of an earlier one are passed over."""
    one, two = (
        json.dumps([{"eventType": name, "sentAt": 1553631760, "itemId": "i"}]) for name in ("first", "second")
    )
    line = (
        f'{{"trackingId": "x", "trackingId": "t", "sessionId": "s", "eventList": {one}, "eventList": {two}}}'
    )
    found = told(tmp_path, "personalize/requests", line)
    assert found["first", "itemId"] == {tuple(PASSED_OVER): 1}
    assert found["second", "itemId"] == {("renamed", "item_id"): 1}
    assert [fate for fate, _ in found["second", "^trackingId"]] == ["changed"]
    assert ("first", "^sessionId") not in found


def test_names_that_hold_values(tmp_path):
    """Where members are named by what they are about, the name itself is a key."""
    event = {"EventType": "e", "Timestamp": "2018-02-02T02:15:24Z"}
    items = {
        name: {"Endpoint": {"OptOut": "NONE"}, "Events": {f"{name}-1": event, f"{name}-2": event}}
        for name in "ab"
    }
    items["c"] = {"Endpoint": {"Address": "x"}, "Events": {}}
    found = told(tmp_path, "pinpoint/requests", json.dumps({"BatchItem": items}))
    assert found["e", "^EventsRequest.BatchItem.*"] == {("renamed", "client_id"): 4}
    assert found["e", "^EventsRequest.BatchItem.*.Events.*"] == {("renamed", "event_id"): 4}
    assert found["e", "^EventsRequest.BatchItem.*.Endpoint.OptOut"] == {
        ("renamed", "extra.^EventsRequest.BatchItem.*.Endpoint.OptOut"): 4
    }
    assert found[None, "^EventsRequest.BatchItem.*.Endpoint.Address"] == {tuple(WITHOUT_EVENT): 1}


LEARNT = {"type": "e", "action": "UPDATE", "timestamp": 1365772427, "entities": [{"key": "k", "value": 1}]}


@pytest.mark.parametrize(
    "wrapped",
    [lambda text: text, lambda text: json.dumps({"data": text}), lambda text: f"data={text.replace(' ', '').replace('{', '%7B').replace('[', '%5B').replace('}', '%7D').replace(']', '%5D').replace(chr(34), '%22')}",
     lambda text: base64.b64encode(gzip.compress(text.encode())).decode(), lambda text: json.dumps(base64.b64encode(text.encode()).decode()),
     lambda text: f"data={text}", lambda text: f"nonce=n&data= {text}&user=a%20b"],
    ids=["bare", "text", "form", "gzip", "text of base64", "printed form", "printed form of several"],
)  # fmt: skip
def test_bodies_however_they_are_packed(tmp_path, wrapped):
    """A body as it went over the wire has the keys of its events, and so have several on a line."""
    line = wrapped(json.dumps([LEARNT, LEARNT]))
    found = told(
        tmp_path,
        "learning_context/requests",
        line,
        *([f"{line} {line}"] if line.startswith(("[", "{")) else []),
    )
    assert sum(found["e", "entities.k"].values()) == (6 if line.startswith(("[", "{")) else 2)


def test_what_a_form_says_beside_its_events(tmp_path):
    """Its user arrives, what signs it is of the transport, and so is what lies around a captured form."""
    body = f"nonce=n&user=ada&data={json.dumps([LEARNT])}&h=cafe"
    for line in (body, json.dumps({"method": "POST", "headers": {"Host": "h"}, "body": body})):
        (tmp_path / str(len(line))).mkdir()
        found = told(tmp_path / str(len(line)), "learning_context/requests", line)
        assert found["e", "^user"] == {("renamed", "account"): 1}
        assert found["e", "^nonce"] == found["e", "^h"] == {OF_TRANSPORT: 1}
    assert found["e", "^method"] == found["e", "^headers.Host"] == {OF_TRANSPORT: 1}


def test_refused_requests(tmp_path):
    """What goes with a refused event, request or line is rejected, and what was read before is not."""
    event = '{"eventType": "%s", "sentAt": 1553631760, "itemId": "i"}'
    bad = '{"eventType": "bad", "sentAt": "never"}'
    head = '{"trackingId": "t", "sessionId": "s", "eventList": '
    lines = [
        f"{head}[{event % 'good'}, {bad}, {event % 'good'}]}}",
        f"{head}[{event % 'good'}]}} {head}[{event % 'cut'}, {event % 'cut'}",
        f'{head}{{"x": 1}}}}',
        "no request",
        f"{head}[]}}",
    ]
    found = told(tmp_path, "personalize/requests", *lines)
    assert found["good", "itemId"] == {("renamed", "item_id"): 3}
    assert [fate for fate, _ in found["bad", "^sessionId"]] == ["rejected"]
    assert found["cut", "itemId"] == found["cut", "^trackingId"] == {REJECTED: 2}
    assert found[None, "^eventList.x"] == {("rejected", "not_a_record"): 1}
    assert found[None, "^trackingId"] == {("rejected", "not_a_record"): 1, tuple(WITHOUT_EVENT): 1}


@pytest.mark.parametrize("census", [True, "verify"])
def test_a_byte_that_is_no_text_costs_the_account_one_request(tmp_path, census):
    """Of requests that run together on a line those that are text count, as they do where no keys are counted."""
    event = '{"eventType": "%s", "sentAt": 1553631760, "itemId": "i"}'
    line = '{"trackingId": "t", "sessionId": "s", "eventList": [%s]}'
    first, broken, last = (line % (event % name) for name in ("one", "two", "three"))
    broken = broken.encode().replace(b"two", b"t\xffo")
    content = first.encode() + broken + (line % "").encode() + last.encode() + b"\n" + first.encode() + b"\n"
    (tmp_path / "a.txt").write_bytes(content)
    without, counted = (
        translate.convert(tmp_path / "a.txt", from_="personalize/requests", to="clickstream", out=tmp_path / f"out-{keys}", census=keys)
        for keys in (False, census)
    )  # fmt: skip
    assert counted["events"] == without["events"]
    assert counted["events"]["written"] == 3
    told = {(row["event_type"], row["key"], row["fate"]): row["events"] for row in rows_of(tmp_path / f"out-{census}" / "keys.ndjson")}  # fmt: skip
    assert (told["one", "itemId", "renamed"], told["three", "itemId", "renamed"]) == (2, 1)
    assert sum(count for (_, key, _), count in told.items() if key == "^trackingId") == 4


def test_limit_ends_inside_of_a_request(tmp_path):
    """Events beyond a limit are not read, and not counted."""
    lines = [json.dumps([LEARNT] * 3) for _ in range(3)]
    found = told(tmp_path, "learning_context/requests", *lines, limit=4)
    assert found["e", "entities.k"].values()
    assert sum(found["e", "entities.k"].values()) == 4


def test_passes_and_recipes_over_requests(tmp_path):
    """Duplicates go by their rule, and copies and added events do not count as the source's."""
    event = {"event_type": "e", "event_id": "i", "timestamp": 1487973802507, "app_id": "a", "unique_id": "u"}
    line = json.dumps({"query": {"appId": "a"}, "body": [event, {**event, "event_id": "j"}, event]})
    found = told(
        tmp_path, "clickstream/requests", line, line, to="clickstream", dedupe=True, add=["first_open"]
    )
    assert found["e", "event_id"] == {("kept", ""): 2, ("dropped", "duplicate"): 4}
    assert sum(found["e", "^query.appId"].values()) == 6


@pytest.mark.parametrize("lost", ["an event", "a line", "a member"])
def test_a_reader_of_requests_that_loses_something_stops_the_run(tmp_path, monkeypatch, lost):
    """Events and members that stand in a request and reach the hub nowhere are found out."""
    if lost == "an event":
        read = RequestReader.events
        monkeypatch.setattr(RequestReader, "events", lambda self, raw, value: [*read(self, raw, value)][:-1])
    elif lost == "a line":
        read_line = CarefulReader.read
        monkeypatch.setattr(
            CarefulReader,
            "read",
            lambda self, line, *begin: [] if "lost" in line else read_line(self, line, *begin),
        )
    else:
        members = CarefulReader._unknown
        monkeypatch.setattr(
            CarefulReader,
            "_unknown",
            lambda self, *given, around: None if around else members(self, *given, around=around),
        )
    event = {"eventType": "e", "sentAt": 1553631760, "itemId": "i"}
    request = {"trackingId": "t", "sessionId": "s", "eventList": [event, event], "new": 1}
    with pytest.raises(translate.ConservationError, match="stands in the text of"):
        told(
            tmp_path,
            "personalize/requests",
            json.dumps(request),
            json.dumps({**request, "trackingId": "lost"}),
        )


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=5),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_cells_are_where_the_reader_sees_them(row):
    """Rows are split by the census' own way just as the reader splits them, quotes in quotes and all."""
    spelled = ["" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in row]
    assert cells(",".join(spelled)) == row == table.cells(",".join(spelled))


@given(st.text('a",\r', max_size=12))
def test_cells_of_any_line(line):
    """Lines that no writer of tables would write are split as the reader splits them, where it does."""
    assert table.cells(line) in (None, cells(line))


HEADER = "event_type,event_timestamp,application_app_id,client_id,a_note,m_score,new,device_make"


@pytest.mark.parametrize("line_break", [" ", "\n"], ids=["lines", "joined"])
def test_columns_of_tables(tmp_path, line_break):
    """A column is a key of the rows that have a cell in it, be it nothing but quotes; rows may reach over lines."""
    lines = [
        HEADER, f'e,2016-04-26 05:12:33,app,c,"one{line_break}two, ""three""",5,,', 'e,2016-04-26 05:12:34,app,c,"",,"n\\u",make',
        "short,2016-04-26 05:12:35,app", "late,1816-04-26 05:12:35,app,c,,1,,",
    ]  # fmt: skip
    found = told(tmp_path, "mobile_analytics/redshift", *lines)
    assert found["e", "a_note"] == {("renamed", "attributes.note"): 2}
    assert found["e", "m_score"] == {("renamed", "metrics.score"): 1}
    assert found["e", "new"] == {("renamed", "extra.new"): 1}
    assert found["e", "device_make"] == {("renamed", "device.make"): 1}
    assert found["short", "event_timestamp"] == {("rejected", "bad_row"): 1}
    assert found["late", "m_score"] == {("rejected", "time_implausible"): 1}
    assert {key for event_type, key in found if event_type == "e"} == {*HEADER.split(",")}


def test_parquet_has_the_same_keys_as_csv(tmp_path):
    """A table says the same of its keys in either form."""
    found = []
    for ending in ("csv", "parquet"):
        file = SAMPLES / "mobile_analytics" / f"redshift_full.{ending}"
        translate.convert(
            file, from_="mobile_analytics/redshift", to="hub", out=tmp_path / ending, census=True
        )
        found.append(
            {
                (row["event_type"], row["key"]): row["events"]
                for row in rows_of(tmp_path / ending / "keys.ndjson")
            }
        )
    assert found[0] == found[1]


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_a_reader_of_tables_that_loses_a_column_stops_the_run(tmp_path, monkeypatch, engine):
    """A cell that stands in the text and reaches the hub nowhere is found out."""
    monkeypatch.setattr(CarefulReader, "_unknown", lambda *_, **__: None)
    whole = Columns.as_object
    monkeypatch.setattr(
        Columns, "as_object",
        lambda self, cells: whole(self, [*cells[:-2], None, None]) if engine == "kernel" else None,
    )  # fmt: skip
    with pytest.raises(
        translate.ConservationError, match="the key new stands in the text of 1 events of type e, but 0"
    ):
        told(tmp_path, "mobile_analytics/redshift", HEADER, "e,2016-04-26 05:12:33,app,c,,,n,")


def test_keys_of_one_name_in_two_maps(tmp_path):
    """A value whose name another map has already taken is told as lost; a null beside it takes nobody's place."""
    maps = {"attributes": {"x": [1], "n": None}, "metrics": {"x": {"y": 2}, "n": [3]}}
    found = {
        key: fate for (_, key), fate in fates(tmp_path, json.dumps({**RECORD, **maps}), to="hub").items()
    }
    assert found["attributes.x"] == ("renamed", "other.x")
    assert found["metrics.x"] == ("no_place", "another map has a key of this name")
    assert found["attributes.n"] == ("null", "")
    assert found["metrics.n"] == ("renamed", "other.n")


# -- keys with columns of their own, of names that stand in other maps, too ------------------------------------------

OF_EACH_TYPE = ("b", "7", 5, True, [1], {"y": 2}, None, "")


def purchases(names):
    """Purchases that have each name in one map or both, in either order, with values of each type."""
    for name, one, other in itertools.product(names, OF_EACH_TYPE, OF_EACH_TYPE):
        maps = {"attributes": {name: one}, "metrics": {name: other}}
        for order in (
            maps,
            dict(reversed(maps.items())),
            {"attributes": {name: one}},
            {"metrics": {name: one}},
        ):
            yield {**RECORD, "event_type": "_monetization.purchase", **order}


def counts_of(source, folder, **options):
    """How many events have each key, by the account that both ways of counting give."""
    for way in (True, "verify"):
        translate.convert(source, out=folder / str(way), census=way, **options)
    assert (folder / "True" / "keys.ndjson").read_bytes() == (folder / "verify" / "keys.ndjson").read_bytes()
    counts = Counter()
    for row in rows_of(folder / "verify" / "keys.ndjson"):
        counts[row["key"]] += row["events"]
        assert row["how"] != NOT_TOLD
    return counts


@pytest.mark.parametrize("to", ["hub", "clickstream", "mobile_analytics", "learning_context/events"])
@pytest.mark.parametrize("from_", ["mobile_analytics/archive", "pinpoint/event_stream"])
def test_keys_with_a_column_beside_others_of_their_name(tmp_path, from_, to, engine):
    """What went to its key's own column takes no other map's value for it, whatever stands there."""
    names = ["_product_id", "_quantity", "_session.id", "_session.duration", "_session.startTime"]
    records = [*purchases(names)]
    (tmp_path / "a.json").write_text("".join(json.dumps(record) + "\n" for record in records))
    found = counts_of(tmp_path / "a.json", tmp_path, from_=from_, to=to)
    assert found == Counter(".".join(path) for record in records for path in paths(record))


def test_a_key_with_a_column_leaves_another_its_own(tmp_path):
    """Each of two keys of one name is told to be where it is."""
    maps = {"attributes": {"_product_id": "b"}, "metrics": {"_product_id": 5}}
    record = {**RECORD, "event_type": "_monetization.purchase", **maps}
    found = {key: fate for (_, key), fate in fates(tmp_path, json.dumps(record), to="hub").items()}
    assert found["attributes._product_id"] == ("renamed", "item_id")
    assert found["metrics._product_id"] == ("kept", "")


@pytest.mark.parametrize("to", ["hub", "mobile_analytics"])
def test_names_that_go_back_to_what_has_a_column(tmp_path, to, engine):
    """A key that gets back a name with a column of its own is not taken for what fills that column."""
    names = [
        "_session_id",
        "_session_start_timestamp",
        "_is_first_time",
        "cognito_id",
        "purchase_price",
        "translate_names",
        "x",
    ]
    around = {
        "client": {"client_id": "c", "cognito_id": "g"},
        "session": {"session_id": "s", "start_timestamp": 1487973802500},
    }
    records = [
        {**record, **around, "event_type": name}
        for name in ("_session.resume", "_monetization.purchase")
        for record in purchases(names)
    ]
    (tmp_path / "a.json").write_text("".join(json.dumps(record) + "\n" for record in records))
    translate.convert(
        tmp_path / "a.json", from_="mobile_analytics", to="clickstream/events", out=tmp_path / "between"
    )
    found = counts_of(tmp_path / "between" / "data", tmp_path, from_="clickstream/events", to=to)
    assert found["attributes._session_id"] == len(records)


def test_what_always_stands_there_may_differ(tmp_path):
    """A member that says something else than what always stands there is kept like an unknown one."""
    event = {"event_type": "e", "event_id": "i", "timestamp": 1487973802507, "app_id": "a"}
    around = {
        "appId": "a",
        "platform": "Web",
        "method": "GET",
        "path": "/collect",
        "data": json.dumps([event]),
    }
    found = told(tmp_path, "clickstream/raw", json.dumps(around))
    assert found["e", "^path"] == {("kept", "the same in every record"): 1}
    assert found["e", "^method"] == {("renamed", "extra.^method"): 1}


@pytest.mark.parametrize("query", [5, [["appId"]], None, "", []], ids=json.dumps)
def test_queries_of_any_shape(tmp_path, query):
    """A query that is none is not passed over in silence."""
    event = {"event_type": "e", "event_id": "i", "timestamp": 1487973802507, "app_id": "a"}
    found = told(tmp_path, "clickstream/requests", json.dumps({"query": query, "body": [event]}))
    event_type = "e" if not query else next(event_type for event_type, key in found if key == "^query")
    assert [fate for fate, _ in found[event_type, "^query"]] == ["rejected" if query else "null"]
