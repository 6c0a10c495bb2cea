"""RFC 8259, case by case: what it allows is taken with its value, what it forbids is refused, what it leaves free is told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from held import HEAD, read_alike

import translate
from translate.engine.library import library

pytestmark = pytest.mark.skipif(library() is None, reason="no kernel here")

# Values that are their own canonical spelling.
PLAIN = [
    "true", "false", "[]", "{}", "[[]]", "[{}]", '{"a":{}}', '{"":0}', '{"a":[]}', "[null]", "[true,false,null]", '{"a":null}',
    "[[[[[[[[[[]]]]]]]]]]", '[1,"a",{"b":[2]}]', '{"a":1,"b":2}', '{"a":{"a":{"a":1}}}', '[{"a":1},{"a":2}]',
    '{"a":1,"a":2}', '{"a":1,"a":1}', '{"a b":1}', '{"a:b":1}', '{"a,b}":1}', '{"ключ":"値"}', "[[],[],{}]",
    "0", "1", "-1", "10", "1234567890", "9007199254740993", "-9223372036854775808", "18446744073709551616", "9" * 400, "-" + "8" * 400,
    "0.1", "-0.1", "1.5", "0.000001", "123456789.123456", "0.30000000000000004", "5.5", "1." + "2345" * 3,
    '""', '" "', '"a"', '"a b"', '"/"', '"\x7f"', '"é"', '"ß"', '"😀"', '"\u2028\u2029"', '"\ufeff"', '"\uffff"', '"\U0010ffff"', '"\u0085"',
    r'"\""', r'"\\"', r'"\b\f\n\r\t"', r'"\u0000"', r'"\u001f"', r'"a\\u0041"', r'"\\\\"', r'"\\\""', '"[]{},:"', '"null"', '"-1e5"',
    '"' + "x" * 12 + '"', '"' + "x" * 13 + '"', '"1234567"', '"12345678"', '"' + "y" * 5000 + '"', '"1234567é"', '"' + "é" * 4000 + '"',
    "[" + "0," * 500 + "0]", "[" * 99 + "]" * 99, '{"a":' * 99 + "1" + "}" * 99, '[{"a":' * 49 + "1" + "}]" * 49,
]  # fmt: skip

# Values with more than one spelling, and the canonical one.
RESPELLED = {
    " [ ] ": "[]", "\t{\r }": "{}", "[ 1 ,\t2\r]": "[1,2]", '{ "a" : 1 , "b" : [ ] }': '{"a":1,"b":[]}', "  true  ": "true", "\r\r 1": "1",
    "-0": "0", "1.0": "1", "-0.0": "0", "0.0": "0", "1.50": "1.5", "0e0": "0", "-0e5": "0", "0E+9": "0", "0.0e-5": "0", "1e0": "1", "1E0": "1",
    "1e5": "100000", "1E5": "100000", "1e+5": "100000", "1e-5": "0.00001", "1.5e3": "1500", "1.5E-3": "0.0015", "-1e2": "-100",
    "100e-2": "1", "1e00": "1", "1e-00": "1", "1e+005": "100000", "10.0e1": "100", "1e22": "1" + "0" * 22, "1e-7": "0.0000001",
    "1e000000000000000000000000000005": "100000", "1.25e-000000000000000000000000000001": "0.125", "12e000000000000000000000000000000000": "12",
    r'"\/"': '"/"', r'"\u0041"': '"A"', r'"\u00e9"': '"é"', r'"\u00E9"': '"é"', r'"\u0022"': r'"\""', r'"\u005c"': r'"\\"', r'"\u002F"': '"/"',
    r'"\u0008\u000c\u000a\u000D\u0009"': r'"\b\f\n\r\t"', r'"\u007f"': '"\x7f"', r'"\u07ff"': '"\u07ff"', r'"\u0800"': '"\u0800"', r'"\uffff"': '"\uffff"',
    r'"\ud83d\ude00"': '"😀"', r'"\uD83D\uDE00"': '"😀"', r'"\ud800\udc00"': '"\U00010000"', r'"\udbff\udfff"': '"\U0010ffff"',
    r'"\ud83d\ude00\ud83d\ude00"': '"😀😀"', r'"\ud7ff\ue000"': '"\ud7ff\ue000"', r'"x\u0041y"': '"xAy"', r'"1234567\n"': r'"1234567\n"',
    r'{"\u0061":1}': '{"a":1}', r'{"a\/b":[1.0]}': '{"a/b":[1]}', r'["\u00e9",1E2]': '["é",100]', r'{"\ud83d\ude00":null}': '{"😀":null}',
}  # fmt: skip

# What the grammar forbids.
REFUSED = [
    # structure
    "]", "[", "[1", "[1,", "[,", "[,1]", "[1,]", "[1,,2]", "[1 2]", "[1;2]", "[1:2]", "(1)", "[1}", "{1]", "[[1]", "[1]]", '["a"', '["a",', "[1,\n",
    "{", "{,", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{,"a":1}', '{"a" 1}', '{"a",1}', '{"a"::1}', '{"a":1 "b":2}', '{"a":1;"b":2}',
    "{a:1}", "{'a':1}", "{1:1}", "{null:1}", "{true:1}", '{["a"]:1}', "{{}:1}", '{"a":}', "{:1}", '{"a"}', '{"a":1]', '{"a":1,,"b":2}', "*", ":",
    "<null>", "[1]x", "{}x", "undefined", "// c", "/* c */1", "1 // c", "# c", "[1,/**/2]", "\\u005b]", "\\", "`a`", "@",
    # literals
    "nul", "nulll", "Null", "NULL", "tru", "truee", "True", "TRUE", "fals", "falsee", "False", "n", "t", "f", "nil", "None", "true1", "null0", "tr ue", "yes",
    # numbers
    "-", "+1", "++1", "--1", "01", "-01", "00", "-00", "1.", ".1", "-.1", "1.e5", "1.+1", "0.", "-0.", ".", "1e", "1e+", "1e-", "1E", "1e5.5", "1e1e1", "1..2",
    "1.2.3", "1e+-5", "0x1", "0b1", "0o7", "1_000", "1,5.", "1 000", "1a", "1f", "1L", "- 1", "1e 5", "1 .5", "NaN", "-NaN", "nan", "Infinity", "-Infinity",
    "inf", "-inf", "1e٣", "١", "１", "1\x00", "1.5٣", "−1", "012", "1e0x5", "-e5", "e5", "-Infinit", "Na",
    # strings
    '"', '"a', "'a'", 'a"', '"a\\"', '"a" "b"', '"a"b', "“a”", r'"\a"', r'"\v"', r'"\0"', r'"\x41"', r'"\U0041"', r'"\'"', '"\\\n"', '"\\ "', r'"\u"', r'"\u1"',
    r'"\u12"', r'"\u123"', r'"\u123g"', r'"\u-123"', r'"\u 123"', r'"\u+123"', r'"\u００41"', r'"\ud83d\u"', r'"\ud83d\ude0"', '"\\', '"\\u', '"\\u00', '"\\é"', '"\\\x00"',
    *(f'"a{chr(code)}b"' for code in range(0x20) if code != 0x0a), '"1234567\x1f"', '"12345678\x00"', '"\x00"', '["a\tb"]', '{"a\tb":1}', '{"a\x00":1}',
    # white space
    "\x0c1", "\x0b1", "\xa01", "1\xa0", "\u20281", "\u30001", "\x00", "1\x0c", "[\x0c]", "[\u2003]", "\ufeff1", "[\ufeff]", "\x1e1", "\x85[]", "\u200b1", "1\u180e",
]  # fmt: skip

# What it allows and we refuse, or take with a change, by intent: the code, or none. As a member; in the place of an attribute the same.
FREE = {
    r'"\ud800"': "bad_text", r'"\udc00"': "bad_text", r'"\udfff"': "bad_text", r'"\ud83dx"': "bad_text", r'"\ud83d\n"': "bad_text", r'"\ud83d\u0041"': "bad_text",
    r'"\ud83d\ud83d"': "bad_text", r'"\ude00\ud83d"': "bad_text", r'"\ud83d\ud83d\ude00"': "bad_text", r'["\ud83d"]': "bad_text", r'{"\ud83d":1}': "bad_text",
    r'"\ud83d\\ude00"': "bad_text", r'"\ud83d\/ude00"': "bad_text", r'"\ud83d😀"': "bad_text",
    "1e309": "bad_number", "-1e309": "bad_number", "1e400": "bad_number", "1e99999999999999999999": "bad_number", "9" * 400 + ".5": "bad_number", "[1e999]": "bad_number",
    "1e-400": None, "1e-99999999999999999999": None, "0e99999999999999999999": None, "123456789012345678.5": None, "0." + "0" * 2000 + "1": None,
    "[" * 101 + "]" * 101: None, "[" * 201 + "]" * 201: None, "[" * 202 + "]" * 202: "bad_json", "[" * 900 + "]" * 900: "bad_json", "[" * 100_000 + "]" * 100_000: "bad_json",
    '{"a":' * 150 + "1" + "}" * 150: None, '{"a":' * 5000 + "1" + "}" * 5000: "bad_json",
}  # fmt: skip


def of_member(case: str) -> str:
    return HEAD + f',"odd":{case}}}'


def of_attribute(case: str) -> str:
    return HEAD + f',"attributes":{{"a":{case}}}}}'


def test_there_are_enough_cases() -> None:
    """Every case is there once."""
    cases = [*PLAIN, *RESPELLED, *REFUSED, *FREE, "null"]
    assert len(cases) == len(set(cases)) > 350
    assert all("\n" not in case.replace("[1,\n", "").replace('"\\\n"', "") for case in cases)


def test_values_are_taken_by_the_kernel_itself() -> None:
    """As an unknown member and as an attribute each value arrives, in canonical spelling, and none is left to the reference."""
    expected = {**{case: case for case in PLAIN}, **RESPELLED}
    members = read_alike([of_member(case) for case in expected])
    attributes = read_alike([of_attribute(case) for case in expected])
    for found in (members, attributes):
        assert found["code"].null_count() == found.height == len(expected)
        assert [case for case, careful in zip(expected, found["careful"], strict=True) if careful] == []
    assert [dict(extra) for extra in members["extra"]] == [{"odd": text} for text in expected.values()]
    for row, text in zip(attributes.iter_rows(named=True), expected.values(), strict=True):
        home = "attributes" if text.startswith('"') else "metrics" if text[0] in "-0123456789" else "other"
        held = json.loads(text) if home == "attributes" else text
        assert {name: dict(row[name]) for name in ("attributes", "metrics", "other") if row[name]} == {
            home: {"a": held}
        }


def test_the_values_are_those_of_pythons_json() -> None:
    """The canonical spellings above, written by hand, say what Python's json reads in the cases."""

    def exact(text: str) -> object:
        return json.loads(
            text, parse_float=lambda literal: [float(literal)], parse_int=lambda literal: [int(literal)]
        )

    for case, text in {**{case: case for case in PLAIN}, **RESPELLED}.items():
        assert exact(case) == exact(text)


def test_null_is_counted() -> None:
    """A null is no value, wherever it stands."""
    for line in (of_member("null"), of_attribute("null"), of_attribute(" null ")):
        (found,) = read_alike([line]).to_dicts()
        assert (found["code"], found["nulls"], found["extra"], found["attributes"] or []) == (
            None,
            1,
            None,
            [],
        )


@pytest.mark.parametrize("place", [of_member, of_attribute])
def test_what_is_no_json_is_refused(place) -> None:
    """Each refused value costs its record, and the kernel decides none of them."""
    found = read_alike([place(case) for case in REFUSED])
    taken = found.filter(pl.col("code").is_null() | ~pl.col("careful"))
    assert [REFUSED[row] for row in taken["row"]] == []
    assert found["row"].unique().len() == len(REFUSED)


def test_the_empty_text_is_no_value() -> None:
    """A member without a value is refused as well."""
    for case in ("", " ", "\t"):
        assert read_alike([of_member(case), of_attribute(case)])["code"].null_count() == 0


@pytest.mark.parametrize("place", [of_member, of_attribute])
def test_what_the_grammar_leaves_free(place) -> None:
    """Halves of surrogate pairs, numbers beyond doubles, deep nesting: both say the same, and it is what is written here."""
    found = read_alike([place(case) for case in FREE])
    assert dict(zip((case[:40] + str(len(case)) for case in FREE), found["code"], strict=True)) == {
        case[:40] + str(len(case)): code for case, code in FREE.items()
    }


def test_whole_lines() -> None:
    """A line that is no JSON is refused, one that is JSON but no object is no record, an object is one."""
    accepted = [*PLAIN, *RESPELLED, "null"]
    for case in accepted:
        found = read_alike([case])
        is_object = case.strip(" \t\r").startswith("{")
        assert set(found["code"]) == {None if is_object else "not_a_record"}, case
    for case in REFUSED:
        found = read_alike([case])
        is_marked = case.startswith("\ufeff")  # a mark that texts may begin with: what follows it counts
        assert found["code"].drop_nulls().len() > 0, case
        assert is_marked or "not_a_record" not in set(found["code"][-1:]) or is_number_run(case), case


def is_number_run(case: str) -> bool:
    """Values that stand one behind the other are several records, none of which is one."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(case):
        try:
            _, at = decoder.raw_decode(case, at)
        except ValueError:
            return False
        at += len(case[at:]) - len(case[at:].lstrip(" \t\r\n"))
    return True


def test_records_and_what_stands_around_them() -> None:
    """A mark before the first record of a line is passed over; anything else around a record is told."""
    good = HEAD + "}"
    for line, codes in {
        "\ufeff" + good: [None], f" \t{good}\r ": [None], good * 3: [None] * 3, f"{good} {good}": [None] * 2, "": [], " \t\r": [], "\ufeff": [],
        good + ",": [None, "bad_json"], good + "\x00": [None, "bad_json"], "\x00" + good: ["bad_json"], good + "\ufeff": [None, "bad_json"],
        "\ufeff\ufeff" + good: ["bad_json"], f"[{good}]": ["not_a_record"], good + "}": [None, "bad_json"], good[:-1]: ["incomplete"], "\xa0" + good: ["bad_json", None],
        good + "null": [None, "not_a_record"],
    }.items():  # fmt: skip
        assert read_alike([line])["code"].to_list() == codes, line


INVALID_UTF8 = [
    b"\x80", b"\xbf", b"\xff", b"\xfe", b"\xc0\x80", b"\xc1\xbf", b"\xc2", b"\xc2\x20", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe2\x82", b"\xed\xa0\x80", b"\xed\xbf\xbf",
    b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80",
    b"\xef\xbf", b"\xc3\xa9\xa9", b"\xed\xa0\xbd\xed\xb8\x80", b"1234567\xc3",
]  # fmt: skip


@pytest.mark.parametrize("careful", [False, True])
def test_bytes_that_are_no_utf8(careful: bool, tmp_path: Path) -> None:
    """Lines of overlong, cut, surrogate and boundless forms are refused one by one, plain and packed, by whichever engine."""
    rows = [of_member('"@"'), of_attribute('"@"'), of_attribute('1,"@":2')]
    content = b"".join(
        row.encode().replace(b"@", bad) + b"\n" + (HEAD + "}\n").encode()
        for bad in INVALID_UTF8
        for row in rows
    )
    for name, stored in {"a.json": content, "a.gz": gzip.compress(content)}.items():
        (tmp_path / name).write_bytes(stored)
        out = tmp_path / f"{name}-out"
        report = translate.convert(
            tmp_path / name, to="hub", from_="mobile_analytics/archive", out=out, careful=careful
        )
        count = len(INVALID_UTF8) * len(rows)
        assert (report["events"]["written"], report["rejects"]) == (count, {"bad_encoding": count})
        lines = [json.loads(line)["line"] for line in (out / "rejects.ndjson").read_text().splitlines()]
        assert lines == list(range(1, 2 * count, 2))


def test_a_line_that_is_given_up_leaves_nothing_behind() -> None:
    """Where the last record of a line is odd, what the ones before it had put into maps is forgotten, row by row."""
    bare, full = HEAD + "}", HEAD + ',"attributes":{"a":"x"},"metrics":{"m":1},"event_version":3,"odd":1}'
    odd = HEAD + ',"client":7}'
    lines = [
        bare * 3 + full + odd,
        full,
        bare * 2 + full * 2 + odd,
        full + bare * 5 + full + odd,
        bare,
        full,
        bare,
    ]
    found = read_alike([*lines, full, *lines[::-1], full])
    assert (set(found["careful"]), found["code"].drop_nulls().to_list()) == (
        {True, False},
        ["wrong_type"] * 6,
    )


def test_what_only_a_given_up_line_had_is_in_no_other_row() -> None:
    """A column that was set and forgotten is as empty as one that never was, however many rows follow."""
    lines = [HEAD + "}", HEAD + ',"event_version":"a text of some length","attributes":{"a":"x"},"client":7}']
    found = read_alike(lines + [HEAD + "}"] * 5000)
    rows = found["$event_version"].append(found["$event_version"].str.to_uppercase())
    assert (rows.null_count(), rows.str.len_bytes().sum()) == (2 * len(found), 0)


@pytest.mark.parametrize(
    "parts", ['"query":"app 1/é"', '"headers":{"A":"b"}', '"path":"/v1/apps/x?a=b"', '"raw_path":"/v1"']
)
def test_parts_of_a_captured_request(parts: str) -> None:
    """A query or headers beside a request's own members are taken apart, whoever reads them."""
    for address, body in {
        "pinpoint/requests": '"ApplicationId":"a","EventsRequest":{"BatchItem":{"e":{"Endpoint":{},"Events":{"v":{"EventType":"a","Timestamp":"2018-02-02T02:15:25Z"}}}}}',
        "clickstream/requests": '"appId":"a","body":[{"event_type":"a","event_id":"b","timestamp":1675321526000}]',
        "learning_context/requests": '"data":[{"action":"UPDATE","type":"a","timestamp":1365772480,"session":"x","entities":[]}]',
    }.items():
        assert read_alike([f"{{{parts},{body}}}", f"{{{body},{parts}}}"], address).height == 2


def test_requests_inside_of_requests() -> None:
    """A member that may hold the request itself, by any of its names, is looked into by the reference."""
    events = '"BatchItem":{"e":{"Endpoint":{},"Events":{"v":{"EventType":"a","Timestamp":"2018-02-02T02:15:25Z"}}}}'
    for inner in ('"body":[]', '"body":{}', f'"EventsRequest":{{{events}}}', f'"body":{{{events}}}'):
        for members in (f"{inner},{events}", f"{events},{inner}"):
            assert read_alike(
                [f'{{"ApplicationId":"a","EventsRequest":{{{members}}}}}'], "pinpoint/requests"
            ).height


def test_a_query_by_names_is_the_kernels() -> None:
    """What the collector keeps of a request's address needs no reference."""
    event = '{"event_type":"a","event_id":"b","timestamp":1675321526000}'
    found = read_alike(
        [f'{{"query":{{"platform":"Web","appId":"a"}},"body":[{event},{event}]}}'], "clickstream/requests"
    )
    assert found["careful"].to_list() == [False, False]
    raw = f'{{"appId":"a","path":"/collect","data":{json.dumps(f"[{event}]")}}}'
    assert read_alike([raw], "clickstream/raw")["careful"].to_list() == [False]


@pytest.mark.parametrize("events", ["[{}]", "{}", "[ ]", '[{\\"eventType\\":\\"a\\"}]'])
def test_events_in_a_text_that_holds_no_json(events: str) -> None:
    """A text that a layout does not open is no list and no object, whatever it looks like."""
    read_alike(
        [f'{{"trackingId":"a","userId":"u","sessionId":"s","eventList":"{events}"}}'], "personalize/requests"
    )
    read_alike([f'{{"EventsRequest":{{"BatchItem":"{events}"}}}}'], "pinpoint/requests")
    read_alike([f'{{"EventsRequest":{{"BatchItem":{{"e":{{"Events":"{events}"}}}}}}}}'], "pinpoint/requests")


@pytest.mark.parametrize("depth", [95, 99, 100, 101, 105, 195, 199, 200, 201, 205])
def test_nesting_in_requests(depth: int) -> None:
    """How deep a value lies is counted from its request, or from the text that holds it."""
    nested = "[" * depth + "]" * depth
    event = f'{{"event_type":"a","event_id":"b","timestamp":1675321526000,"odd":{nested}}}'
    for body in (f"[{event}]", json.dumps(f"[{event}]"), f"[{event},{event}]"):
        read_alike(
            [f'{{"query":{{"appId":"a","odd":1}},"body":{body}}}', f"[{event}]"], "clickstream/requests"
        )
    read_alike([f'{{"query":{{"appId":"a"}},"odd":{nested},"body":[{event}]}}'], "clickstream/requests")
    event = f'{{"EventType":"a","Timestamp":"2018-02-02T02:15:25Z","odd":{nested}}}'
    item = f'{{"Endpoint":{{"odd":{nested}}},"Events":{{"v":{event}}}}}'
    read_alike(
        [f'{{"ApplicationId":"a","EventsRequest":{{"BatchItem":{{"e":{item}}}}}}}'], "pinpoint/requests"
    )


def test_the_text_of_an_event_in_a_request() -> None:
    """An event stands in the rejects as compact JSON, its numbers as they were spelled and its texts in one spelling."""
    event = '{ "event_type" : "a\\/\\u00e9\\n" ,\t"timestamp": 1675321526000, "a b" :[ 1.0e0 , { "\\u0041" : -0.0 } , [ ] , " x " ] }'
    compact = '{"event_type":"a/é\\n","timestamp":1675321526000,"a b":[1.0e0,{"A":-0.0},[]," x "]}'
    found = read_alike([f'{{"body":[{event} , {event}]}}', f"[ {event}]"], "clickstream/requests")
    assert (set(found["text"]), found["careful"].any()) == ({compact}, False)
