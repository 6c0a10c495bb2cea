"""Erasing people from an archive: their events are left out, and all that was written is read again for them."""

from __future__ import annotations

import base64
import gc
import hashlib
import hmac
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, quote_plus

import pytest
from commands import run_here
from hypothesis import given
from hypothesis import strategies as st
from replayed import EVERYTHING, SETTINGS, call
from test_bucket_output import held
from test_interruptions import PARTS, await_moment, kept_tree, small_units, start, tree
from test_spark_crew import whole
from test_stores import store, written  # noqa: F401  a fixture is found by its name
from waiting import wait_for

import translate
import translate.spark
from translate import UsageError
from translate.conversion import erased
from translate.delivery.pace import Bounds
from translate.recipe.erasure import LAYERS_MAX, WORD_BYTES, Traces
from translate.recipe.privacy import KEY
from translate.rehearsal import Rehearsal
from translate.stores import transfers

SECRET = "a key of the tests, long enough"
ADA, BOB, EVE = "11111111-2222-3333-4444-555555555555", "us-east-1:bob", "eve@example.com"


def record(client, time=1460000000000, **members):
    """Give an event of Mobile Analytics."""
    about = {"event_type": "look", "event_timestamp": time, "application": {"app_id": "shop"}}
    return {**about, "client": {"client_id": client}, "attributes": {}, "metrics": {}, **members}


def archive_of(folder, *records, name="archive.jsonl"):
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in records]
    (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))
    return folder / name


def list_of(folder, *ids):
    (folder / "list.txt").write_text("".join(f"{text}\n" for text in ids), encoding="utf-8")
    return folder / "list.txt"


def hashed(text):
    """Work the hash out as RFC 2104 says, apart from the tool."""
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def rows(folder):
    return [
        json.loads(line)
        for file in sorted(folder.glob("data/**/*.ndjson"))
        for line in file.read_text().splitlines()
    ]


def rejects(folder):
    return [json.loads(line) for line in (folder / "rejects.ndjson").read_text().splitlines()]


def test_events_of_the_listed_are_left_out(tmp_path):
    """By any of their ids, and for a reason of its own; that nobody of them is left is in the report."""
    cognito = {**record("c-5"), "client": {"client_id": "c-5", "cognito_id": BOB}}
    source = archive_of(tmp_path, record(ADA), cognito, record("c-1"), record("c-2"), record(ADA))
    report = translate.convert(
        source,
        to="clickstream",
        out=tmp_path / "out",
        erase=list_of(tmp_path, BOB, "", f"  {ADA}\r", "nobody"),
    )
    assert report["events"]["written"] == 2
    assert report["filtered"] == {"--erase": 3}
    assert {row["unique_id"] for row in rows(tmp_path / "out")} == {"c-1", "c-2"}
    told = report["erasure"]
    assert (told["listed"], told["met"], told["events"], told["found"], told["places"]) == (3, 2, 3, 0, [])
    assert told["looked_through"]["files"] == 4
    assert report["selection"]["erase"]["ids"] == 3


def test_endpoints_are_known_by_their_address_and_user(tmp_path):
    """The places that a data sheet marks as personal tell who somebody is, where these say so."""
    stream = {"awsAccountId": "111122223333", "client_context": {"custom": {"legacy_identifier": "q"}}}
    endpoint = {
        "ChannelType": "EMAIL",
        "Address": EVE,
        "User": {"UserId": "bob"},
        "Location": {"City": "Turin"},
    }
    inside = {"custom": {"endpoint": json.dumps(endpoint), "legacy_identifier": "q"}}
    source = archive_of(
        tmp_path,
        record("e-1", **stream, endpoint=endpoint),
        record("e-2", **{**stream, "client_context": inside}),
        record("e-3", **stream, endpoint={**endpoint, "Address": "other@example.com"}),
        record("e-4", **stream),
    )
    by_address = translate.convert(source, to="hub", out=tmp_path / "address", erase=list_of(tmp_path, EVE))
    assert (by_address["from"], by_address["filtered"]) == ("pinpoint/event_stream", {"--erase": 2})
    by_user = translate.convert(source, to="hub", out=tmp_path / "user", erase=list_of(tmp_path, "bob"))
    assert by_user["filtered"] == {"--erase": 3}
    by_city = translate.convert(source, to="hub", out=tmp_path / "city", erase=list_of(tmp_path, "Turin"))
    assert by_city["filtered"] == {}
    assert by_city["erasure"]["found"] == 3


HIDDEN = [
    {"note": f"asked {ADA} again"},
    {"json": json.dumps({"deep": json.dumps({"friend": ADA})})},
    {f"seen by {ADA}": "yes"},
    {"page": f"https://example.com/?of=x{ADA}&at=1"},
]


@pytest.mark.parametrize(
    ("to", "options"),
    [
        ("clickstream", {}),
        ("clickstream", {"compression": "gzip"}),
        ("clickstream", {"compression": "zstd"}),
        ("clickstream/requests", {}),
        ("pinpoint", {}),
        ("hub", {}),
        ("hub", {"lake": True}),
    ],
    ids=str,
)
def test_who_is_hidden_in_events_of_others_is_found(tmp_path, to, options):
    """In whatever is written, with file and line, and the line of the list; the exit code is then 1."""
    events = [
        record("client-0"),
        *(record(f"client-{number}", attributes=hidden) for number, hidden in enumerate(HIDDEN, 1)),
    ]
    source, listed = archive_of(tmp_path, *events), list_of(tmp_path, "nobody", ADA)
    report = translate.convert(source, to=to, out=tmp_path / "out", erase=listed, **options)
    places = report["erasure"]["places"]
    assert {place["listed"] for place in places} == {2}
    (file,) = {place["file"] for place in places} - {
        "report.json"
    }  # which has the name of a key that was lost
    assert (tmp_path / "out" / file).is_file()
    lines = [place["line"] for place in places if place["file"] == file]
    assert lines == ([2, 3, 4, 5] if "requests" not in to else [1])
    assert report["erasure"]["found"] == len(places)
    assert [each["events"] for each in report["findings"] if each["code"] == "listed_id_stands"] == [
        len(places)
    ]
    words = (
        ["--compression", options["compression"]]
        if "compression" in options
        else ["--lake"]
        if options
        else []
    )
    command = [
        "translate",
        "convert",
        str(source),
        "--to",
        to,
        "--out",
        str(tmp_path / "again"),
        "--erase",
        str(listed),
    ]
    said, _, code = run_here([*command, *words])
    assert code == 1
    assert f"{file}:{lines[0]} holds the id in line 2 of the list" in said


def test_tables_are_read_again_too(tmp_path):
    """A cell of a table is text, whether or not it is quoted."""
    bought = {"_product_id": EVE, "_currency": "USD", "_item_price": "2"}
    source = archive_of(
        tmp_path,
        record("c-1", event_type="_monetization.purchase", attributes=bought, metrics={"_quantity": 1}),
    )
    report = translate.convert(source, to="personalize", out=tmp_path / "out", erase=list_of(tmp_path, EVE))
    assert [(place["file"], place["line"]) for place in report["erasure"]["places"]] == [
        ("data/part-00000.csv", 2)
    ]


def test_names_of_events_and_files_are_read_again(tmp_path):
    """The report and the list of files are as public as the rows; a place in the report is one of the report that lies there."""
    source = archive_of(tmp_path, record("c-1", attributes={EVE: "1"}), record(EVE), name=f"of {EVE}.jsonl")
    report = translate.convert(source, to="clickstream", out=tmp_path / "out", erase=list_of(tmp_path, EVE))
    found = {(place["file"], place["line"]) for place in report["erasure"]["places"]}
    assert {file for file, _ in found} == {"data/part-00000.ndjson", "files.ndjson", "report.json"}
    for file, line in found:
        assert EVE in (tmp_path / "out" / file).read_text().splitlines()[line - 1]


def test_rejects_that_tell_of_somebody_are_kept_without_their_text(tmp_path):
    """However it is spelled there; a reject of somebody else keeps its own."""
    spelled = json.dumps(record("c-9", time="no time")).replace("c-9", "\\u0065ve@example.com").encode()
    in_message = json.dumps(record("c-9", time=EVE)).encode()
    no_text = json.dumps(record(EVE)).encode().replace(b"shop", b"sh\xffop")
    other = json.dumps(record("c-1", time="no time")).encode()
    source = archive_of(tmp_path, spelled, in_message, no_text, b'{"eve@example.com', other)
    report = translate.convert(source, to="clickstream", out=tmp_path / "out", erase=list_of(tmp_path, EVE))
    told = rejects(tmp_path / "out")
    assert [reject["line"] for reject in told] == [1, 2, 3, 4, 5]
    assert [reject["raw"] for reject in told] == [None, None, None, None, other.decode()]
    assert "withheld" in told[1]["message"]
    assert [finding["events"] for finding in report["findings"] if finding["code"] == "rejects_withheld"] == [
        4
    ]
    assert report["erasure"]["found"] == 0


def test_a_list_may_hold_hashes(tmp_path, monkeypatch):
    """With the key, the ids that they stand for are looked for too; no reject keeps its text, for nobody can tell of whom it is."""
    monkeypatch.setenv(KEY, SECRET)
    hidden = record("c-1", attributes={"note": f"asked {EVE}"})
    source = archive_of(tmp_path, record(EVE), hidden, record("c-2", time="no time"))
    listed = list_of(tmp_path, hashed(EVE), hashed("nobody"))
    report = translate.convert(source, to="clickstream", out=tmp_path / "out", erase=listed)
    assert report["filtered"] == {"--erase": 1}
    assert (report["erasure"]["met"], report["erasure"]["found"]) == (1, 1)
    assert [reject["raw"] for reject in rejects(tmp_path / "out")] == [None]
    monkeypatch.delenv(KEY)
    without = translate.convert(source, to="clickstream", out=tmp_path / "without", erase=listed)
    assert without["filtered"] == {}
    assert [
        finding["events"] for finding in without["findings"] if finding["code"] == "hashes_without_key"
    ] == [2]


def test_an_archive_may_hold_hashes(tmp_path, monkeypatch):
    """What a recipe hashed is known by the id, with the same key, and looked for as the hash that a recipe makes now."""
    monkeypatch.setenv(KEY, SECRET)
    source = archive_of(tmp_path, record(hashed(EVE)), record("c-1", attributes={"mail": EVE}))
    (tmp_path / "r.toml").write_text('to = "clickstream"\n[personal]\n"attributes.mail" = "hash"\n')
    report = translate.convert(
        source,
        to="clickstream",
        out=tmp_path / "out",
        recipe=tmp_path / "r.toml",
        erase=list_of(tmp_path, EVE),
    )
    assert report["filtered"] == {"--erase": 1}
    assert [place["line"] for place in report["erasure"]["places"]] == [1]


def test_short_ids_are_words_and_few_digits_no_numbers(tmp_path):
    """Otherwise an id such as 42 would be found in every time and count."""
    hidden = [{"level": "42"}, {"note": "of 42, again"}, {"code": "a42b 142 42x"}, {"in": json.dumps(["42"])}]
    events = [record(f"c-{number}", attributes=each, metrics={"n": 42}) for number, each in enumerate(hidden)]
    source = archive_of(tmp_path, *events, *[record("42")] * 42)
    report = translate.convert(source, to="clickstream", out=tmp_path / "out", erase=list_of(tmp_path, "42"))
    assert report["filtered"] == {"--erase": 42}
    assert [place["line"] for place in report["erasure"]["places"]] == [1, 2, 4]


def test_passes_over_the_archive_leave_them_out(tmp_path):
    """What is found over the whole of it is not found of them."""
    source = archive_of(tmp_path, record(ADA), record(ADA), record("c-1"), record("c-1"))
    report = translate.convert(
        source,
        to="clickstream",
        out=tmp_path / "out",
        erase=list_of(tmp_path, ADA),
        add=["first_open"],
        dedupe=True,
    )
    assert report["erasure"]["found"] == 0
    assert {row["unique_id"] for row in rows(tmp_path / "out")} == {"c-1"}


def test_an_interrupted_run_proves_the_same(tmp_path, monkeypatch):
    """What earlier units met is kept for the proof, for its owner only, and gone afterwards; another list is another job."""
    monkeypatch.setenv(KEY, SECRET)
    folder = tmp_path / "archive"
    folder.mkdir()
    archive_of(folder, record(EVE), record("c-1", attributes={"note": EVE}), name="a.jsonl")
    listed, out = list_of(tmp_path, hashed(EVE)), tmp_path / "out"
    whole = translate.convert(folder, to="clickstream", out=tmp_path / "whole", erase=listed)
    with monkeypatch.context() as patch:
        patch.setattr(erased.Proof, "told", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            translate.convert(folder, to="clickstream", out=out, erase=listed)
    (note,) = (out / ".translate").glob("erased-*")
    assert stat.S_IMODE(os.stat(note).st_mode) == 0o600
    with pytest.raises(UsageError, match="different: selection"):
        translate.convert(folder, to="clickstream", out=out, erase=list_of(tmp_path, EVE, "c-1"))
    listed = list_of(tmp_path, hashed(EVE))
    report = translate.convert(folder, to="clickstream", out=out, erase=listed)
    assert dict(report) == dict(whole)
    assert report["erasure"]["found"] == 1
    assert not (out / ".translate").exists()
    assert translate.convert(folder, to="clickstream", out=out, erase=listed).finished_already


@pytest.mark.parametrize(
    ("listed", "unit", "moment", "workers"),
    [
        (EVE, 4, "between", 1),
        (EVE, 99, "at the end", 1),
        (hashed(EVE), 0, "after", 1),
        (hashed(EVE), PARTS - 1, "before", 1),
        (hashed(EVE), 99, "at the end", 2),
        (hashed(EVE), 99, "after the report", 1),
    ],
)
def test_a_killed_run_leaves_what_an_unbroken_one_does(tmp_path, monkeypatch, listed, unit, moment, workers):
    """After kill -9 the same list finishes the same bytes and the same proof; another list is refused and changes nothing."""
    monkeypatch.setenv(KEY, SECRET)
    folder, out = tmp_path / "archive", tmp_path / "out"
    folder.mkdir()
    for number in range(PARTS):
        others = record(f"c-{number}", attributes={"note": f"asked {EVE}"} if number % 4 == 3 else {})
        own = [record(EVE)] * 5 + [record(EVE, "no time")] if number == 0 else []
        archive_of(folder, *own, others, name=f"{number}.jsonl")
    people = list_of(tmp_path, "nobody", listed)
    with small_units():
        whole = translate.convert(folder, to="clickstream", out=tmp_path / "whole", erase=people)
    process = start(folder, out, unit, moment, "--erase", str(people), "--workers", str(workers))
    await_moment(process)
    process.kill()
    process.communicate()
    before = kept_tree(out)
    for other in [[listed], ["nobody", listed, "c-1"], None]:
        with pytest.raises(UsageError, match=r"different: selection|is not empty"):
            translate.convert(folder, to="clickstream", out=out, erase=other)
    assert kept_tree(out) == before
    with small_units():
        report = translate.convert(folder, to="clickstream", out=out, erase=people)
    assert dict(report) == dict(whole)
    assert [report["erasure"][name] for name in ("listed", "met", "events", "found")] == [2, 1, 5, 2]
    assert tree(out) == tree(tmp_path / "whole")


def test_examples_are_of_nobody_listed(tmp_path):
    """What a condition should have meant is told by the values of those who stay."""
    source = archive_of(tmp_path, record(EVE), record("someone-else"))
    report = translate.convert(
        source,
        to="clickstream",
        out=tmp_path / "out",
        where="client_id = 'nobody'",
        examples=True,
        erase=list_of(tmp_path, EVE),
    )
    assert "someone-else" in report["verdict"]
    assert EVE not in json.dumps(report)
    assert report["erasure"]["found"] == 0


def test_no_report_tells_who_was_listed(tmp_path):
    """Not even by a digest that could be tried out in a moment."""
    source = archive_of(tmp_path, record(EVE), record("c-1"))
    translate.convert(source, to="clickstream", out=tmp_path / "out", erase=list_of(tmp_path, EVE))
    told = (tmp_path / "out" / "report.json").read_text()
    quick = [hashlib.new(name, EVE.encode()).hexdigest()[:16] for name in ("md5", "sha1", "sha256")]
    assert not any(text in told for text in (EVE, *quick))


# -- texts ------------------------------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=20).map(str.strip).filter(str.isprintable).filter(bool), st.data())
def test_an_id_is_found_however_json_spells_it(listed, data):
    """Characters escaped or not, in JSON inside of JSON, after what an escape's letter would make another word."""
    value = listed
    for _ in range(data.draw(st.integers(1, LAYERS_MAX - 4))):
        value = (
            '{"a":"\\n'
            + "".join(spelled(character, data.draw(st.booleans())) for character in value)
            + '\\t"}'
        )
    lines = [line for line, _ in Traces({listed: 7}).places(f"0\n{value}\n".encode())]
    assert 1 in lines


def spelled(character, is_escaped):
    """Spell a character of JSON text, by its UTF-16 units or as it is usual."""
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    if is_escaped:
        return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    return json.dumps(character, ensure_ascii=False)[1:-1]


IDS = [
    "日本語",
    "é",
    'a"b\\c',
    "user+tag@x.de",
    "a b c",
    "tab\there",
    "two\nlines",
    "\\u00e9",
    "%41bc",
    '{"x":1}',
    "100%",
]


@pytest.mark.parametrize("listed", IDS)
@pytest.mark.parametrize("is_ascii", [True, False])
def test_an_id_is_found_however_an_address_quotes_it(listed, is_ascii):
    """With small or capital digits, all or some of it, more than once, with a plus for a space; in JSON of JSON, and in a table."""
    whole = quote(listed, safe="")
    small = re.sub("%..", lambda found: found[0].lower(), whole)
    for address in (whole, small, quote(listed, safe="@:+,{}"), quote_plus(listed), quote(quote(listed))):
        deep = json.dumps({"d": json.dumps({"u": f"/?u={address}"})})
        text = f"{{}}\n{json.dumps({'k': deep}, ensure_ascii=is_ascii)}\n{{}}\n"
        assert list(Traces({listed: 7}).places(text.encode())) == [(1, 7)]
    cell = listed.replace("\n", " ").replace('"', '""')
    assert list(Traces({listed: 7}).places(f'a,b\n"{cell}",2\n'.encode(), is_json=False)) == [(1, 7)]
    assert list(Traces({"42": 1}).places(b'{"n":"%22","m":42}\n{"n":"of%2042"}\n')) == [(1, 1)]
    assert list(Traces({"ada": 1}).places(b'{"n":"uid%3Dada"}\n')) == [(0, 1)]


def test_bytes_that_are_no_text_are_looked_through():
    held = base64.b64decode(base64.b64encode(b"\xff" + EVE.encode() + b"\xfe"))
    assert list(Traces({EVE: 1}).places(held)) == [(0, 1)]
    assert len(EVE) < WORD_BYTES


def test_workers_prove_the_same(tmp_path, monkeypatch):
    """Processes that make the parts know the list and its key, and what they met comes home."""
    monkeypatch.setenv(KEY, SECRET)
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(3):
        hidden = {"note": EVE} if number == 2 else {}
        mine = [record(EVE, 1460000000000 + number), record(f"c-{number}", attributes=hidden)] * 50
        archive_of(folder, *mine, record(EVE, "no time"), name=f"{number}.jsonl")
    options = {
        "to": "clickstream",
        "erase": list_of(tmp_path, hashed(EVE)),
        "part_size": 1000,
        "dedupe": True,
    }
    one = translate.convert(folder, out=tmp_path / "one", **options)
    two = translate.convert(folder, out=tmp_path / "two", workers=2, **options)
    assert dict(one) == dict(two)
    assert (one["erasure"]["met"], one["erasure"]["found"]) == (1, 1)


# -- a stream ---------------------------------------------------------------------------------------------------------


def streamed(given, *arguments, to="clickstream"):
    """Convert what is piped; give rows, account and exit code."""
    command = [
        sys.executable,
        "-m",
        "translate",
        "convert",
        "-",
        "--out",
        "-",
        "--to",
        to,
        "--json",
        *map(str, arguments),
    ]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    return done.stdout, json.loads(done.stderr[done.stderr.index(b"{") :]), done.returncode


@pytest.mark.parametrize("to", ["clickstream", "clickstream/requests", "clickstream/raw", "pinpoint"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_rows_are_looked_through_while_they_go_by(tmp_path, to, compression):
    """What a pipe takes is what a directory would hold, and so is the proof, but for the names of files."""
    events = [record(f"c-{number}", attributes=hidden) for number, hidden in enumerate(HIDDEN)] + [
        record(ADA)
    ]
    source, listed = (
        archive_of(tmp_path, *events * 50, b"{broken", record(ADA, "no time")),
        list_of(tmp_path, "nobody", ADA),
    )
    day = ["--set", "day=2016-05-01"]
    here = translate.convert(
        source, to=to, out=tmp_path / "out", erase=listed, set_=day[1:], compression=compression
    )
    out, there, code = streamed(
        source.read_bytes(),
        "--erase",
        listed,
        "--rejects",
        tmp_path / "rejects",
        "--compression",
        compression,
        *day,
        to=to,
    )
    (part,) = (file for file in (tmp_path / "out" / "data").rglob("*") if file.is_file())
    assert out == part.read_bytes()
    assert code == 1
    named = {"-": part.relative_to(tmp_path / "out").as_posix(), "report": "report.json"}
    places = [{**place, "file": named[place["file"]]} for place in there["erasure"]["places"]]
    mine = [place for place in here["erasure"]["places"] if place["file"] in named.values()]
    assert [place for place in places if place["file"] != "report.json"] == [
        place for place in mine if place["file"] != "report.json"
    ]
    assert {name: there["erasure"][name] for name in ("listed", "met", "events", "found")} == {
        name: here["erasure"][name] for name in ("listed", "met", "events", "found")
    }
    assert there["erasure"]["looked_through"]["files"] == 3
    assert there["filtered"] == {"--erase": 50}
    told = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert [reject["raw"] for reject in told] == ["{broken", None]
    text = json.dumps(there, indent=2, ensure_ascii=False).splitlines()
    assert all(
        ADA in text[place["line"] - 1] for place in there["erasure"]["places"] if place["file"] == "report"
    )


def test_a_table_that_goes_by_is_looked_through(tmp_path):
    """A cell is text; files that stream are looked through one after the other, as the lines of one."""
    bought = {"_product_id": EVE, "_currency": "USD", "_item_price": "2"}
    event = record("c-1", event_type="_monetization.purchase", attributes=bought, metrics={"_quantity": 1})
    (tmp_path / "in").mkdir()
    for number in range(2):
        archive_of(tmp_path / "in", event, name=f"{number}.jsonl")
    with (tmp_path / "rows").open("wb") as output:
        report = translate.stream(tmp_path / "in", to="personalize", output=output, erase=[EVE])
    assert report["erasure"]["places"] == [{"file": "-", "line": line, "listed": 1} for line in (2, 3)]


def test_few_digits_in_a_table_that_goes_by(tmp_path):
    """Each cell is text, whatever it looks like; in JSON a number is none."""
    bought = {"_product_id": "42", "_currency": "USD", "_item_price": "42"}
    event = record("c-1", event_type="_monetization.purchase", attributes=bought, metrics={"_quantity": 1})
    _, report, _ = streamed(
        json.dumps(event).encode() + b"\n", "--erase", list_of(tmp_path, "42"), to="personalize"
    )
    assert [place["line"] for place in report["erasure"]["places"]] == [2]


def test_hashes_need_more_than_a_stream(tmp_path, monkeypatch):
    """A row is gone before the event comes that tells for whom a hash stands; without a key nobody asks."""
    source = archive_of(tmp_path, record("c-1", attributes={"note": EVE}), record(EVE))
    with (tmp_path / "rows").open("wb") as output:
        report = translate.stream(source, to="clickstream", output=output, erase=[hashed(EVE)])
        assert [each["code"] for each in report["findings"] if "hash" in each["code"]] == [
            "hashes_without_key"
        ]
        monkeypatch.setenv(KEY, SECRET)
        with pytest.raises(UsageError, match=r'keyed hashes: .* in place of out="-"'):
            translate.stream(source, to="clickstream", output=output, erase=[hashed(EVE)])
        assert translate.stream(source, to="clickstream", output=output, erase=[EVE])["erasure"]["found"] == 1


# -- a bucket ---------------------------------------------------------------------------------------------------------


def several(folder, names=5, unreadable=True):
    """Give an archive of several parts, in one of which somebody stands in an event of another one's."""
    for number in range(names):
        hidden = {"note": f"asked {EVE}"} if number == 3 else {}
        mine = [record(EVE, 1460000000000 + number), record(f"c-{number}", attributes=hidden)] * 40
        archive_of(folder, *mine, *[record(EVE, "no time")] * unreadable, name=f"{number}.jsonl")
    return folder


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "archive").mkdir()
    return several(tmp_path / "archive")


@pytest.mark.parametrize("state", [None, "s3://empty/books", "folder"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_bucket_is_read_again(store, archive, tmp_path, state, compression, monkeypatch):  # noqa: F811
    """Parts and books as they lie there: the proof is that of a directory; nothing of it stays on this machine."""
    monkeypatch.setattr(transfers, "PIECE_BYTES", 1_000)
    call = {
        "to": "clickstream",
        "erase": list_of(tmp_path, EVE),
        "part_size": 20_000,
        "compression": compression,
    }
    here = translate.convert(archive, out=tmp_path / "here", **call)
    folder = str(tmp_path / "folder") if state == "folder" else state
    store.asked.clear()
    there = translate.convert(archive, out="s3://empty/rows", state=folder, **call)
    assert dict(there) == dict(here)
    assert there["erasure"]["found"] == 40
    assert {place["file"].partition(".")[0] for place in there["erasure"]["places"]} == {"data/part-00003"}
    parts = held(store, "rows/")
    assert len(parts) == 5
    assert all(any(key.startswith(f"GET empty/rows/{name}") for key in store.asked) for name in parts)
    assert not [key for key in store.buckets["empty"] if ".translate" in key]


def test_a_part_that_was_changed_in_the_bucket_is_seen(store, archive, tmp_path, monkeypatch):  # noqa: F811
    """The proof is of what stands there, not of what was sent there."""
    listed = list_of(tmp_path, EVE)
    look = erased.Proof.of_run

    def changed(proof, run, *given):
        store.buckets["empty"]["rows/data/part-00000.ndjson"] = f'{{"a":"{EVE}"}}\n'.encode()
        return look(proof, run, *given)

    monkeypatch.setattr(erased.Proof, "of_run", changed)
    report = translate.convert(
        archive, to="clickstream", out="s3://empty/rows", part_size=20_000, erase=listed
    )
    assert report["erasure"]["places"][0] == {"file": "data/part-00000.ndjson", "line": 1, "listed": 1}


def test_a_bucket_that_may_not_be_read_proves_nothing(store, archive, tmp_path):  # noqa: F811
    """The run ends before its report; who may read calls again, and the parts are not made anew."""
    call = {
        "to": "clickstream",
        "out": "s3://empty/rows",
        "part_size": 20_000,
        "erase": list_of(tmp_path, EVE),
    }
    store.faults = [{"verb": "GET", "key": "part-00001", "do": {"status": 403, "code": "AccessDenied"}}]
    with pytest.raises(
        translate.OutputError, match=r"may not s3:GetObject on arn:aws:s3:::empty/rows/data/part-00001"
    ):
        translate.convert(archive, **call)
    notes = [key for key in store.buckets["empty"] if "erased-" in key]
    assert len(notes) == 5
    assert {store.headers[f"empty/{note}"]["x-amz-acl"] for note in notes} == {"private"}
    assert not [note for note in notes if EVE.encode() in store.buckets["empty"][note]]
    store.faults = []
    store.asked.clear()
    with pytest.raises(UsageError, match="different: selection"):
        translate.convert(archive, **{**call, "erase": [EVE, "c-1"]})
    assert translate.convert(archive, **call)["erasure"]["found"] == 40
    assert not [asked for asked in store.asked if asked.startswith("PUT empty/rows/data/")]


def test_a_list_of_hashes_and_a_bucket(store, archive, tmp_path, monkeypatch):  # noqa: F811
    """What events had for a hash is looked for in parts that were there before."""
    monkeypatch.setenv(KEY, SECRET)
    call = {"to": "hub", "part_size": 20_000, "erase": list_of(tmp_path, hashed(EVE))}
    here = translate.convert(archive, out=tmp_path / "here", **call)
    there = translate.convert(archive, out="s3://empty/rows", **call)
    assert dict(there) == dict(here)
    assert there["erasure"]["found"] == 40


@pytest.mark.parametrize(
    ("stopped", "do", "workers", "workers_again"),
    [
        ("PUT rows-translate/.translate/erased-00002", "mute", 2, 1),
        ("PUT rows/data/part-00003", "mute", 1, 2),
        ("GET rows/data/part-00002", "hold", 1, 1),
        ("DELETE rows-translate/.translate/unit-00001", "hold", 1, 1),
    ],
)
def test_a_run_into_a_bucket_that_is_killed_proves_the_same(
    store,  # noqa: F811
    archive,
    tmp_path,
    monkeypatch,
    stopped,
    do,
    workers,
    workers_again,
):
    """Wherever kill -9 meets it: the same bytes and proof, and for whom hashes stand is left nowhere, of this machine neither."""
    monkeypatch.setenv(KEY, SECRET)
    monkeypatch.setenv("TMPDIR", str(temporary := tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    temporary.mkdir()
    people = list_of(tmp_path, "nobody", hashed(EVE))
    call = {"to": "clickstream", "part_size": 20_000, "erase": people}
    here = translate.convert(archive, out=tmp_path / "here", **call)
    verb, key = stopped.split()
    store.faults = [{"verb": verb, "key": key, "do": do}]
    words = [
        "--to",
        "clickstream",
        "--out",
        "s3://empty/rows",
        "--part-size",
        "20000",
        "--erase",
        str(people),
    ]
    command = [sys.executable, "-m", "translate", "convert", str(archive), *words, "--workers", str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:

        def met():
            assert store.told["faults"] or process.poll() is None, process.communicate()
            return store.told["faults"]

        try:
            wait_for(met, f"the store is asked to {stopped}")
        finally:
            process.kill()
        process.communicate()
    store.faults = []
    report = translate.convert(archive, out="s3://empty/rows", workers=workers_again, **call)
    assert dict(report) == dict(here)
    assert (report["erasure"]["met"], report["erasure"]["found"]) == (1, 40)
    kept = {f"rows/{name}": body for name, body in written(tmp_path / "here").items()}
    books = ("report.json", "files.ndjson", "rejects.ndjson")
    kept |= {f"rows-translate/{name}": (tmp_path / "here" / name).read_bytes() for name in books}
    assert store.buckets["empty"] == kept
    del report
    gc.collect()
    assert [*temporary.iterdir()] == []


# -- a cluster --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["there", "s3://empty/rows"])
@pytest.mark.parametrize("listed", [EVE, hashed(EVE)], ids=["id", "hash"])
def test_executors_erase_and_read_again(store, archive, tmp_path, monkeypatch, place, listed):  # noqa: F811
    """Each makes and reads its share; all of it is what one machine makes, and says."""
    session = pytest.importorskip("in_one_process").Session()
    monkeypatch.setenv(KEY, SECRET)
    call = {"to": "clickstream", "part_size": 20_000, "erase": list_of(tmp_path, listed)}
    here = translate.convert(archive, out=tmp_path / "here", **call)
    out = place if "//" in place else tmp_path / place
    there = translate.spark.convert(session, archive, out=out, **call)
    assert dict(there) == dict(here)
    assert there["erasure"]["found"] == 40
    assert session.sparkContext.described[-1] == "translate looks for who was erased"
    if place == "there":
        assert sorted(whole(tmp_path / "there")) == sorted(whole(tmp_path / "here"))


def test_an_executor_with_another_key_erases_nobody(archive, tmp_path, monkeypatch):
    """It would know others, or nobody, by the hashes of the list."""
    session = pytest.importorskip("in_one_process").Session()
    monkeypatch.setenv(KEY, SECRET)
    session.sparkContext.before_each = lambda: monkeypatch.setenv(KEY, "k" * 40)
    with pytest.raises(UsageError, match=f"{KEY} is another one on .* than on the driver"):
        translate.spark.convert(session, archive, to="clickstream", out=tmp_path / "out", erase=[hashed(EVE)])


# -- a replay ---------------------------------------------------------------------------------------------------------


QUOTES = "who was that, eve@example.com?"


def replayed(source, journal, server, *, accept=(), **options):
    """Replay to a rehearsal of Clickstream, or to an address."""
    plain, accepted = [*SETTINGS, "plain_bodies=true"], [*EVERYTHING["clickstream"], *accept]
    return call("clickstream", source, journal, server, **{"set_": plain, **options}, accept=accepted)


@pytest.fixture
def quoting():
    """A receiver that refuses whatever comes, and tells of somebody when it does."""

    class Quoting(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps({"__type": "BadRequestException", "message": QUOTES}).encode()
            self.send_response(400)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quoting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_replay_leaves_them_out_and_reads_its_journal_again(tmp_path):
    """What was never sent stands nowhere below the journal; another list is another replay."""
    source = archive_of(tmp_path, *[record(EVE), record("c-1"), record("c-2")] * 4, record(EVE, "no time"))
    with Rehearsal() as server:
        report = replayed(source, tmp_path / "j", server, erase=list_of(tmp_path, EVE))
        told = report["erasure"]
        assert (report["events"]["sent"], told["events"], told["met"], told["found"]) == (8, 4, 1, 0)
        assert told["looked_through"]["files"] >= 4 + 4
        texts = [file.read_bytes() for file in (tmp_path / "j").rglob("*") if file.is_file()]
        assert not any(EVE.encode() in text for text in texts)
        assert json.loads((tmp_path / "j" / "report.json").read_text())["erasure"] == told
        for other in [list_of(tmp_path, EVE, "c-1"), None]:
            with pytest.raises(UsageError, match=r"of another replay .*selection"):
                replayed(source, tmp_path / "j", server, erase=other)
        again = replayed(source, tmp_path / "j", server, erase=list_of(tmp_path, EVE))
        assert (again["events"]["sent"], again["erasure"]["found"]) == (8, 0)
        assert server.stats()["accepted"] == 8


def test_who_stands_in_what_would_be_sent_stops_a_replay(tmp_path):
    """Nothing is sent until somebody accepts it; a request for a look is looked through as well."""
    source = archive_of(tmp_path, record(EVE), record("c-1", attributes={"note": f"asked {EVE}"}))
    with Rehearsal() as server:
        with pytest.raises(translate.PreflightError, match='accept="listed-id-stands"'):
            replayed(source, tmp_path / "j", server, erase=[EVE])
        assert server.stats()["accepted"] == 0
        shown = replayed(source, tmp_path / "j", server, erase=[EVE], dry_run=True)
        files = {place["file"].rpartition("/")[0] for place in shown["erasure"]["places"]}
        assert files == {"converted/data", "dry-run", ""}
        report = replayed(source, tmp_path / "j", server, erase=[EVE], accept=["listed-id-stands"])
        assert report["events"]["sent"] == 1
        for place in report["erasure"]["places"]:
            text = (tmp_path / "j" / place["file"]).read_text().splitlines()[place["line"] - 1]
            assert EVE in text


def test_answers_that_tell_of_somebody_are_found(quoting, tmp_path):
    """In the journal, and in the reasons of what was refused; the exit code says so."""
    source, listed = archive_of(tmp_path, record("c-1"), record("c-2")), list_of(tmp_path, "nobody", EVE)
    words = [
        "--to",
        "clickstream",
        "--endpoint",
        quoting,
        "--journal",
        str(tmp_path / "j"),
        "--accept",
        ",".join(EVERYTHING["clickstream"]),
    ]
    said, _, code = run_here(["translate", "replay", str(source), *words, "--erase", str(listed)])
    report = json.loads((tmp_path / "j" / "report.json").read_text())
    assert code != 0
    places = [(place["file"], place["line"]) for place in report["erasure"]["places"]]
    assert {file for file, _ in places} == {"journal.ndjson", "rejects.ndjson"}
    for file, line in places:
        assert EVE in (tmp_path / "j" / file).read_text().splitlines()[line - 1]
    assert f"journal.ndjson:{places[0][1]} holds the id in line 2 of the list" in said


def test_a_replay_by_hashes_goes_on(tmp_path, monkeypatch):
    """For whom hashes stand is kept for its owner only, until all is sent; then nobody knows any more."""
    monkeypatch.setenv(KEY, SECRET)
    hidden = record("c-0", attributes={"note": EVE})
    source = archive_of(tmp_path, hidden, record(EVE), *(record(f"c-{number}") for number in range(300)))
    call = {"erase": [hashed(EVE)], "accept": ["listed-id-stands"]}
    kept = tmp_path / "j" / "erased.json"
    with Rehearsal() as server:
        first = replayed(source, tmp_path / "j", server, bounds=Bounds(requests=1), **call)
        assert first["events"]["left"] > 0
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert json.loads(kept.read_text()) == {EVE: 1}
        whole = replayed(source, tmp_path / "j", server, **call)
        assert whole["events"]["left"] == 0
        assert not kept.exists()
        assert first["erasure"]["found"] == whole["erasure"]["found"] == 1
        assert replayed(source, tmp_path / "j", server, **call)["erasure"] == whole["erasure"]


def test_what_was_converted_with_a_list_is_replayed_with_it(tmp_path, monkeypatch):
    """The same list is looked for in the journal; another one comes too late, and hashes stand for nobody any more."""
    monkeypatch.setenv(KEY, SECRET)
    source = archive_of(tmp_path, record(EVE), record("c-1"))
    with Rehearsal() as server:
        for number, listed in enumerate([EVE, hashed(EVE)]):
            out = tmp_path / f"out-{number}"
            translate.convert(source, to="clickstream/requests", set_=SETTINGS, out=out, erase=[listed])
            with pytest.raises(UsageError, match="not with this list, so erase= comes too late"):
                replayed(out, tmp_path / f"j-{number}", server, erase=["c-1"])
        report = replayed(tmp_path / "out-0", tmp_path / "j-0", server, erase=[EVE])
        assert (report["erasure"]["events"], report["erasure"]["found"], report["events"]["sent"]) == (
            1,
            0,
            1,
        )
        with pytest.raises(UsageError, match="only its conversion knew"):
            replayed(tmp_path / "out-1", tmp_path / "j-1", server, erase=[hashed(EVE)])
        assert "erasure" not in replayed(tmp_path / "out-1", tmp_path / "j-1", server)
