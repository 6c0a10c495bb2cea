"""Erasing people from an archive: their events are left out, and all that was written is read again for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import stat

import pytest
from commands import run_here
from hypothesis import given
from hypothesis import strategies as st

import translate
from translate import UsageError
from translate.conversion import erased
from translate.recipe.erasure import LAYERS_MAX, WORD_BYTES, Traces
from translate.recipe.privacy import KEY

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
