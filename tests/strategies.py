"""Generated archives: records of every field, with whatever a wire has ever carried in the place of a value."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

TIME = 1_460_000_000_000

# Places of a Mobile Analytics archive record, and an ordinary value of each, as JSON text.
ORDINARY: dict[str, str] = {
    "event_type": '"_session.start"',
    "event_timestamp": "1487973802507",
    "arrival_timestamp": "1487973803515",
    "event_version": '"3.0"',
    "application.app_id": '"0123456789abcdef0123456789abcdef"',
    "application.cognito_identity_pool_id": '"us-east-1:11111111"',
    "application.package_name": '"com.example.game"',
    "application.sdk.name": '"aws-sdk-mobile-analytics-js"',
    "application.sdk.version": '"0.9.1:2.4.8"',
    "application.title": '"Example"',
    "application.version_name": '"1.0"',
    "application.version_code": '"1"',
    "client.client_id": '"aaaaaaaa-bbbb"',
    "client.cognito_id": '"us-east-1:66666666"',
    "device.locale.code": '"en_US"',
    "device.locale.country": '"US"',
    "device.locale.language": '"en"',
    "device.make": '"Samsung"',
    "device.model": '"SM-G900"',
    "device.platform.name": '"ANDROID"',
    "device.platform.version": '"5.1"',
    "session.session_id": '"dddddddd-eeee"',
    "session.start_timestamp": "1487973202531",
    "session.stop_timestamp": "1487973802507",
    "session.duration": "599976",
}
OBJECTS = [
    "application",
    "application.sdk",
    "client",
    "device",
    "device.locale",
    "device.platform",
    "session",
]
WHOLE_PLACES = [place for place, value in ORDINARY.items() if not value.startswith('"')]
NAMES = [
    '"_session.start"', '"_session.stop"', '"_session.pause"', '"_session.resume"', '"_monetization.purchase"',
    '"_userauth.sign_in"', '"ad.view"', '"Ad View"', '"purchase"', '"custom.purchase"', '"3D"', '"levelUp"', '""',
]  # fmt: skip

PLAIN_KEYS = [
    "a",
    "b",
    "level",
    "_product_id",
    "_quantity",
    "_item_price",
    "a b",
    "a.b",
    "é",
    "value",
    "x" * 51,
]
KEYS = [
    "a", "b", "level", "_product_id", "_currency", "_store", "_item_price", "_quantity", "duration", "metrics",
    "attributes", "event_timestamp", "#", "", "key", "a b", "a.b", "a-b", "a_b", "a_metric", "é", "3d", "_session_id",
    "a:b", ":", ",", "x" * 51, "x" * 52, "value", "null", "{", "}", '"', "\\", "a/b", "#2", "session_id",
]  # fmt: skip

TEXT_LITERALS = [
    '"x"', '""', '" "', '":"', '": "', '":x"', '": x"', '":null,"', '": null}"', '":1.5,"', '"null"', '"true"', '"1"',
    r'"\""', r'"\\"', r'"\/"', r'"a\"b"', r'"\":\""', r'"x\":"', r'"x\": "', r'"\":null,"', r'"{\"a\":1}"',
    r'"{\"a\": \"b\", \"c\" : null}"', r'"\\\":"', r'"a\\\"b"', r'"\\\\"', r'"C:\\dir\\"', r'"\u00e9"', '"é"',
    r'"\ud83d\ude00"', '"😀"', r'"\ud83d"', r'"\uDE00x"', r'"\u0000"', r'"\u001f"', r'"\n\r\t\b\f"', r'"\u0022"',
    r'"\u005c"', r'"\u006d"', '"\u2028"', '"\u2029"', '"\x7f"', '"\x85"', '"{}"', '"}"', '"},{"', '"[]"', '"]"',
    r'"\\u00e9"', '"' + "l" * 60 + '"', '"USD"', '"Gold"', '"Virtual"', '"#"', '"_"', '"\ufeff"', '"a,b"',
]  # fmt: skip
WHOLE_LITERALS = [
    "0", "1", "-1", "42", "-0", "1487973802507", "9007199254740993", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "12345678901234567890", "1" * 25, "1" * 38, "123456789012345",
    "1234567890123456", "12345678901234567", "-1234567890123456",
]  # fmt: skip
# Numbers in whose presence the engine's decoder gives up, with all the lines around them.
UNREADABLE_NUMBERS = ["9" * 45, "1" * 39, "1e400", "-1e400", "999999999999999.", "1.2.3", "01", "+1", ".5"]
FRACTION_LITERALS = [
    "1.0", "-0.0", "0.0", "0.00", "1e5", "1E+2", "1e-7", "1.5", "-1.5", "0.1", "0.30000000000000004", "9.99",
    "1234567890.12345", "123456789.1234567", "0.123456789012345", "0.1234567890123456", "12345678901234567890.5",
    "1e-400", "1e22", "1.7976931348623157e308", "5e-324", "0.0000001", "0.00001", "0.000000000012",
    "-0.5", "100.0", "1.50", "1487973802507.0", "1487973802507.5", "1.487973802507e12", "-0e0", "0e5",
    "0." + "0" * 330 + "1", "0." + "0" * 30 + "7", "99999999999999.9",
]  # fmt: skip
OTHER_LITERALS = [
    "true", "false", "null", "[]", "{}", "[1]", '["x"]', "[null]", '{"x":1}', '{"x":null}', '{"x":"y"}', '{"x":{"y":[]}}',
    '[{"key":"a","value":"b"}]', '{"key":"a","value":"b"}', "NaN", "Infinity", "[[]]", '[{"a":1},{"a":2}]',
]  # fmt: skip


@dataclass
class Record:
    """A record as a tree of members in order: key and value as JSON text, or members."""

    members: list[tuple[str, Any]] = field(default_factory=list)


def quoted(text: str) -> str:
    """Write a text as JSON."""
    return json.dumps(text, ensure_ascii=False)


def free_text() -> st.SearchStrategy[str]:
    """Give JSON texts, spelled with and without escapes."""
    drawn = st.text(st.characters(codec="utf-8"), max_size=12)
    return st.one_of(st.sampled_from(TEXT_LITERALS), drawn.map(quoted), drawn.map(json.dumps))


def whole() -> st.SearchStrategy[str]:
    """Give whole numbers."""
    return st.one_of(st.sampled_from(WHOLE_LITERALS), st.integers(-(10**20), 10**20).map(str))


def number() -> st.SearchStrategy[str]:
    """Give numbers in all their spellings."""
    doubles = st.floats(allow_nan=False, allow_infinity=False).map(repr)
    short = st.decimals(-(10**9), 10**9, places=4).map(str)
    long = st.from_regex(r"\A-?(?:0|[1-9][0-9]{0,18})\.[0-9]{1,18}\Z")
    return st.one_of(whole(), st.sampled_from(FRACTION_LITERALS), short, doubles, long)


def plain_number() -> st.SearchStrategy[str]:
    """Give numbers as an SDK writes them."""
    return st.one_of(st.integers(-(10**6), 10**9).map(str), st.decimals(0, 10**4, places=2).map(str))


def anything() -> st.SearchStrategy[str]:
    """Give any value at all, and a few that are none."""
    return st.one_of(free_text(), number(), st.sampled_from([*OTHER_LITERALS, *UNREADABLE_NUMBERS]))


def bearable(place: str) -> st.SearchStrategy[str]:
    """Give a value that does not make the engine's decoder give up where it stands, right or wrong."""
    flags = st.sampled_from(["true", "false", "null"])
    if place in (*OBJECTS, "attributes", "metrics"):
        return st.sampled_from(["{}", "null", '{"x":1}', '{"x":null}'])
    return (
        st.one_of(number(), flags)
        if place in WHOLE_PLACES
        else st.one_of(free_text(), free_text(), number(), flags)
    )


def keys() -> st.SearchStrategy[str]:
    """Give keys as JSON text."""
    return st.one_of(st.sampled_from(KEYS), st.text(st.characters(codec="utf-8"), max_size=6)).map(quoted)


def plain_text() -> st.SearchStrategy[str]:
    """Give texts as an app writes them."""
    return st.text("abcxyz é😀-_./\"'{}", max_size=10).map(quoted)


@dataclass(frozen=True)
class Mutation:
    """Something strange that befalls a record."""

    kind: str
    place: str
    key: str
    value: str


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """Give one strange thing; one in ten spoils the lines around it too."""
    kind = draw(
        st.sampled_from(
            [
                "replace",
                "replace",
                "replace",
                "attribute",
                "attribute",
                "metric",
                "metric",
                "unknown",
                "double",
                "null",
                "escape",
            ]
        )
    )
    place = draw(st.sampled_from([*ORDINARY, *OBJECTS, "attributes", "metrics", "monetization"]))
    key = draw(keys())
    spoils = draw(st.sampled_from([False] * 9 + [True]))
    value = draw(
        anything()
        if spoils or kind == "unknown"
        else bearable(place if kind in ("replace", "double", "escape") else "")
    )
    return Mutation(kind, place, key, value)


@st.composite
def records(draw: st.DrawFn, *, strange: bool = True) -> Record:
    """Give a record: an ordinary one, to which at most three strange things happen."""
    values: dict[str, Any] = dict(ORDINARY)
    for place in draw(st.sets(st.sampled_from([*ORDINARY][2:]), max_size=12)):
        del values[place]
    values["event_type"] = draw(st.sampled_from(NAMES))
    values["event_timestamp"] = str(TIME + draw(st.integers(0, 10**10)))
    names = keys() if strange else st.sampled_from(PLAIN_KEYS).map(quoted)
    maps = {
        "attributes": draw(st.dictionaries(names, plain_text(), max_size=4)),
        "metrics": draw(st.dictionaries(names, plain_number(), max_size=3)),
    }
    members = tree(values)
    for name in draw(
        st.sampled_from([("attributes", "metrics"), ("attributes",), ("metrics", "attributes"), ()])
    ):
        members.append((quoted(name), list(maps[name].items())))
    if strange:
        for mutation in draw(st.one_of(st.just([]), st.lists(mutations(), min_size=1, max_size=2))):
            _befall(members, mutation)
    if draw(st.integers(0, 3)) == 0:
        members = draw(st.permutations(members))
    return Record(members)


def tree(values: dict[str, Any]) -> list[tuple[str, Any]]:
    members: list[tuple[str, Any]] = []
    for place, value in values.items():
        here = members
        *objects, last = place.split(".")
        for name in objects:
            inner = next((inner for key, inner in here if key == quoted(name)), None)
            if inner is None:
                inner = []
                here.append((quoted(name), inner))
            here = inner
        here.append((quoted(last), value))
    return members


def _members_at(tree: list[tuple[str, Any]], place: str) -> list[tuple[str, Any]]:
    for name in place.split(".") if place else []:
        inner = next((inner for key, inner in tree if key == quoted(name)), None)
        if not isinstance(inner, list):
            inner = []
            tree.append((quoted(name), inner))
        tree = inner
    return tree


def _befall(tree: list[tuple[str, Any]], mutation: Mutation) -> None:
    head, _, last = mutation.place.rpartition(".")
    members = _members_at(tree, head)
    name = quoted(last)
    spelled = f'"\\u{ord(last[0]):04x}{last[1:]}"'
    if mutation.kind == "attribute":
        _members_at(tree, "attributes").append((mutation.key, mutation.value))
    elif mutation.kind == "metric":
        _members_at(tree, "metrics").append((mutation.key, mutation.value))
    elif mutation.kind == "unknown":
        _members_at(tree, mutation.place if mutation.place in OBJECTS else "").append(
            (mutation.key, mutation.value)
        )
    elif mutation.kind == "double":
        members.append((name, mutation.value))
    else:
        key = spelled if mutation.kind == "escape" else name
        value = "null" if mutation.kind == "null" else mutation.value
        changed = [(key, value) if old == name else (old, inner) for old, inner in members]
        members[:] = changed if changed != members else [*members, (key, value)]


STYLES = [
    ("", "", ""), ("", "", ""), ("", " ", ""), ("", " ", " "), (" ", " ", ""), (" ", "", ""), ("", "  ", ""), ("", "\t", ""),
    ("\t", "", " "), ("", "", " "), ("  ", "", ""), ("", "\r", ""), ("\r", "", ""),
]  # fmt: skip


def render(
    members: Any, style: tuple[str, str, str], odd: tuple[str, str, str] | None = None, turn: int = 0
) -> str:
    """Write members as JSON; where an odd style is given, every `turn`-th separator is of that one."""
    count = 0

    def text(node: Any) -> str:
        nonlocal count
        if isinstance(node, str):
            return node
        parts = []
        for key, value in node:
            count += 1
            before, after, _ = odd if odd and turn and count % turn == 0 else style
            parts.append(f"{key}{before}:{after}{text(value)}")
        return "{" + f",{style[2]}".join(parts) + "}"

    return text(members)


@st.composite
def lines(draw: st.DrawFn, *, strange: bool = True) -> str:
    """Give a line: usually one record, sometimes several, cut ones or junk."""
    record = draw(records(strange=strange))
    if not strange:
        return render(record.members, draw(st.sampled_from([STYLES[0], STYLES[2], STYLES[3]])))
    usual = st.sampled_from(STYLES[:4])
    style = draw(st.one_of(usual, usual, usual, st.sampled_from(STYLES)))
    odd = draw(st.one_of(st.none(), st.none(), st.none(), st.sampled_from(STYLES)))
    line = render(record.members, style, odd, draw(st.integers(1, 30)))
    kind = draw(st.sampled_from(["whole"] * 18 + ["followed", "junk"]))
    if kind == "whole":
        return line
    more = [
        "",
        " ",
        ",",
        "}",
        "{}",
        ",{}",
        ", { }",
        "\r",
        " ,",
        ',{"x" :1}',
        "]}",
        '{"q":1}]}',
        line,
        f",{line}",
    ]
    whole = [
        "", " ", "null", "{}", "[]", "junk", '"x"', "1", f"\ufeff{line}", f" {line}", line[:-1], line[: len(line) // 2],
        line[1:], '{"zz":[{}', '{"q":1}]}', '{"attributes":[{}', '{"zz" :[{}', f"[{line}]", '{"a":{"b":1}', '{"' + "}",
        '{"event_type":"x"},{}',
    ]  # fmt: skip
    return line + draw(st.sampled_from(more)) if kind == "followed" else draw(st.sampled_from(whole))


def batches(*, strange: bool = True, max_size: int = 12) -> st.SearchStrategy[list[str]]:
    """Give the lines of a file."""
    return st.lists(
        lines(strange=strange).filter(lambda line: "\n" not in line), min_size=1, max_size=max_size
    )
