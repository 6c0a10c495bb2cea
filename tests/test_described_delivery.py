"""A receiver that nobody here has heard of, as the manual describes it: replayed to, and rehearsed, by its sheet alone."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from replayed import archive

import translate
from translate.delivery.pace import Bounds
from translate.rehearsal import Rehearsal
from translate.rehearsal.messages import KEPT_BYTES_MAX

MANUAL = Path(__file__).parent.parent / "docs" / "mappings.md"
EVENTS = 240
TOKEN = "h4rbor-t0ken"
WAYS = {
    "header": 'kind = "header"\nname = "X-Harbor-Token"\nsecret = "TRANSLATE_HARBOR_TOKEN"',
    "bearer": 'kind = "header"\nbefore = "Bearer "\nsecret = "TRANSLATE_HARBOR_TOKEN"',
    "query": 'kind = "query"\nname = "token"\nsecret = "TRANSLATE_HARBOR_TOKEN"',
    "basic": 'kind = "basic"\nuser = "TRANSLATE_HARBOR_TOKEN"\nsecret = "TRANSLATE_HARBOR_PASSWORD"',
    "member": 'kind = "member"\nname = "token"\nsecret = "TRANSLATE_HARBOR_TOKEN"',
}
SAYS_WHICH = {
    "a list of objects": "faults.*.line",
    "a list of numbers": "wrong.lines.*",
    "lists by some name": "wrong.*.*",
    "a list that is the answer": "*.line",
    "ids in objects": "ids:faults.*.log",
    "a list of ids": "ids:wrong.logs.*",
    "ids by some name": "ids:wrong.*.*",
}


@pytest.fixture
def sheet(tmp_path):
    """The sheet of the manual, in a folder of its own."""
    (text,) = re.findall(
        r'^```toml\n(title  = "Harbor"\n.*?)^```$',
        MANUAL.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    file = tmp_path / "sheets" / "harbor.toml"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def _secrets(monkeypatch):
    monkeypatch.setenv("TRANSLATE_HARBOR_TOKEN", TOKEN)
    monkeypatch.setenv("TRANSLATE_HARBOR_PASSWORD", "p4ss")


def change(sheet, *changes):
    """Say something else in a sheet, each by a pattern and a text; the manual's own words have to be there."""
    text = sheet.read_text(encoding="utf-8")
    for pattern, other in changes:
        text, found = re.subn(pattern, lambda _, other=other: other, text, flags=re.DOTALL)
        assert found == 1
    sheet.write_text(text, encoding="utf-8")
    assert translate.check(sheet).complaints == []


def replayed(sheet, server, folder, **options):
    """Send the archive as the manual does, but for its pace."""
    source = folder / "archive.jsonl"
    source = source if source.exists() else archive(folder, EVENTS)
    call = {"set_": ["application_id=7"], "endpoint": server.addresses["harbor"], "rate": "100000"}
    call |= {"bounds": Bounds(error_share=1), **options}
    return translate.replay(
        source, to="harbor", journal=folder / "journal", mappings=sheet.parent, seed=1, **call
    )


def held(server):
    return Counter(kept["event"]["details"]["place"] for kept in server.accepted())


def test_the_sheet_of_the_manual_holds(sheet):
    """What a reader copies is complete."""
    assert translate.check(sheet).complaints == []


def test_rehearsed_as_the_manual_says(sheet, tmp_path):
    """Through throttling and refusals, all that is not refused arrives once, and what is, is told with the reason of the service."""
    with Rehearsal(
        play=("harbor",), mappings=sheet.parent, partial=0.4, throttle=0.2, retry_after_seconds=0, seed=5
    ) as server:
        report = replayed(sheet, server, tmp_path)
        assert report["events"]["left"] == 0
        assert report["events"]["rejected"] == len([*server.rejected()]) > 0
        assert sum(held(server).values()) == report["events"]["sent"]
        assert set(held(server).values()) == {1}
        assert report["throttled"] > 0
    rejects = [
        json.loads(line)
        for line in (tmp_path / "journal" / "rejects.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    assert {(reject["code"], reject["message"]) for reject in rejects} == {("bad-logs", "Invalid event")}


def test_full(sheet, tmp_path):
    """An answer of 200 that keeps nothing stops the run, whose same call goes on once there is room."""
    with Rehearsal(play=("harbor",), mappings=sheet.parent, answers={"full": 1}) as server:
        report = replayed(sheet, server, tmp_path)
        assert "the space is full" in report["stopped"]
        assert (report["events"]["sent"], report["events"]["rejected"]) == (0, 0)
        server.change(answers={})
        assert replayed(sheet, server, tmp_path)["events"] == {
            "total": EVENTS,
            "sent": EVENTS,
            "rejected": 0,
            "left": 0,
        }


def test_a_setting_that_is_needed(sheet, tmp_path):
    """Without the setting that its address needs nothing is sent, and it is named."""
    with (
        Rehearsal(play=("harbor",), mappings=sheet.parent) as server,
        pytest.raises(translate.UsageError, match=r"needs application_id \(space\)"),
    ):
        replayed(sheet, server, tmp_path, set_=[])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body", ["json", "ndjson"])
def test_each_way_to_prove_who_sends(way, body, sheet, tmp_path, monkeypatch):
    """Every kind of authentication, in every form that takes it, lets in who knows the secret, and nobody else; none is kept."""
    if (way, body) == ("member", "ndjson"):
        pytest.skip("events alone have no member beside them")
    compressed = ('body      = "ndjson"', 'body      = "json"\ngzip      = true')
    change(
        sheet,
        (r'kind   = "header".*?(?=answer = )', f"{WAYS[way]}\n"),
        *([compressed] if body == "json" else []),
    )
    with Rehearsal(play=("harbor",), mappings=sheet.parent, keep=str(tmp_path / "kept")) as server:
        monkeypatch.setenv("TRANSLATE_HARBOR_TOKEN", "another")
        assert "the token is unknown" in replayed(sheet, server, tmp_path)["stopped"]
        monkeypatch.setenv("TRANSLATE_HARBOR_TOKEN", TOKEN)
        assert replayed(sheet, server, tmp_path)["events"] == {
            "total": EVENTS,
            "sent": EVENTS,
            "rejected": 0,
            "left": 0,
        }
        assert set(held(server).values()) == {1}
        assert server.stats()["statuses"]["200"] == 5
    said = b"".join(
        file.read_bytes()
        for name in ("journal", "kept")
        for file in (tmp_path / name).rglob("*")
        if file.is_file()
    )
    assert TOKEN.encode() not in said


@pytest.mark.parametrize("means", ["refused", "partly"])
@pytest.mark.parametrize("form", SAYS_WHICH)
def test_each_form_in_which_events_are_named(means, form, sheet, tmp_path):
    """However an answer says which events are bad, and whether it took the others: these alone are refused."""
    key, _, way = SAYS_WHICH[form].rpartition(":")
    said = f'means   = "{means}"\n{key or "indexes"} = "{way}"'
    change(sheet, (r'means   = "refused"\nindexes = "faults.\*.line"', said))
    with Rehearsal(play=("harbor",), mappings=sheet.parent, partial=0.6, seed=2) as server:
        report = replayed(sheet, server, tmp_path)
        assert report["events"]["left"] == 0
        assert report["events"]["rejected"] == len([*server.rejected()]) > 0
        assert sum(held(server).values()) == report["events"]["sent"]
        assert set(held(server).values()) == {1}


def test_named_by_position_and_by_id(sheet):
    """Where an answer has places for both, a rehearsal says of each bad event its position and its id, if it has one, in one object."""
    change(sheet, (r'indexes = "faults.\*.line"', 'indexes = "faults.*.line"\nids = "faults.*.log"'))
    good = b'{"kind": "a", "when": 1500000000000, "who": "c"}\n'
    with Rehearsal(play=("harbor",), mappings=sheet.parent) as server:
        status, told = posted(server.addresses["harbor"], good + b'{"ref": "r-1", "kind": "a"}\n[]\n')
        assert status == 422
        assert [(fault["line"], fault.get("log")) for fault in told["faults"]] == [(1, "r-1"), (2, None)]
        assert all(fault["message"] for fault in told["faults"])


def test_an_answer_to_others(sheet, tmp_path):
    """Who asks otherwise is answered otherwise: without the parameter of a strict answer, what is bad is lost after all was called well."""
    strict = 'query = { mode = "strict" }\n'
    change(
        sheet,
        (r"query     = \{ space", 'query     = { mode = "strict", space'),
        (r'means  = "done"\n', f'means  = "done"\n{strict}'),
        (
            r'means   = "refused"\n',
            f'means   = "refused"\n{strict}',
        ),
        (
            r"\[delivery.quota]",
            '[delivery.http.answers.well]\nstatus = 200\nmeans = "done"\nbody = "1"\nanswers_first = true\n\n[delivery.quota]',
        ),
    )
    lines = b'{"kind": "a", "when": 1500000000000, "who": "c"}\n{"kind": "a"}\n'
    with Rehearsal(play=("harbor",), mappings=sheet.parent, partial=0.4, seed=5) as server:
        address = server.addresses["harbor"]
        assert posted(f"{address}?mode=strict", lines)[0] == 422
        assert posted(address, lines) == (200, 1)
        assert server.stats()["lost_later"] == 1
        report = replayed(sheet, server, tmp_path)
        assert report["events"]["rejected"] > 0
        assert report["events"]["left"] == 0
        assert set(report["rejects"]) == {"bad-logs"}


def test_fewer_than_were_sent(sheet, tmp_path):
    """Where the service counts fewer events than it was sent, the report says so."""
    change(sheet, ('counts = "stored"', 'counts = "kept"'))
    other = tmp_path / "other" / "harbor.toml"
    other.parent.mkdir()
    other.write_text(
        sheet.read_text(encoding="utf-8").replace('counts = "kept"', "body   = { kept = 3 }"),
        encoding="utf-8",
    )
    with Rehearsal(play=("harbor",), mappings=other.parent) as server:
        report = replayed(sheet, server, tmp_path)
        assert report["events"]["sent"] == EVENTS
        (finding,) = [text for text in report["findings"] if "where 50 were sent" in text]
        assert "counted 3 events" in finding


def test_an_answer_that_the_sheet_does_not_know(sheet, tmp_path):
    """A success that the sheet does not name is none, nor is a partial one that names no event; the run stops, and says where to look."""
    other = tmp_path / "other" / "harbor.toml"
    other.parent.mkdir()
    text = sheet.read_text(encoding="utf-8")
    other.write_text(
        text.replace(
            "[delivery.http.answers.stored]\nstatus = 200", "[delivery.http.answers.stored]\nstatus = 202"
        ),
        encoding="utf-8",
    )
    with Rehearsal(play=("harbor",), mappings=other.parent) as server:
        report = replayed(sheet, server, tmp_path)
        assert "answered 202" in report["stopped"]
        assert (report["events"]["sent"], report["events"]["rejected"]) == (0, 0)


def test_some_failed_and_none_is_named(sheet, tmp_path):
    """An answer that says that some events failed, and names none, is tried again, and counted as lost: nothing is called sent."""
    change(sheet, (r'means   = "refused"\nindexes', 'means   = "partly"\nindexes'))
    other = tmp_path / "other" / "harbor.toml"
    other.parent.mkdir()
    other.write_text(
        sheet.read_text(encoding="utf-8").replace('"faults.*.line"', '"others.*.line"'), encoding="utf-8"
    )
    with Rehearsal(play=("harbor",), mappings=other.parent, partial=1, seed=1) as server:
        report = translate.replay(
            archive(tmp_path, 20), to="harbor", journal=tmp_path / "journal", mappings=sheet.parent, set_=["application_id=7"], rate="100000",
            endpoint=server.addresses["harbor"], bounds=Bounds(attempts=1),
        )  # fmt: skip
        assert report["events"]["sent"] == 0
        assert report["lost_answers"] > 0
        assert "was not taken in" in report["stopped"]


def test_no_secret_is_told_by_anybody(sheet, tmp_path):
    """A receiver that repeats the secret, and an error that shows the address with it: no file and no report has it."""
    change(sheet, (r'kind   = "header".*?(?=answer = )', f"{WAYS['query']}\n"))
    other = tmp_path / "other" / "harbor.toml"
    other.parent.mkdir()
    repeating = f'status  = 422\nmeans   = "refused"\nbody = "none for {TOKEN}"\n'
    text = re.sub(r'status  = 422\n.*?line"\n', repeating, sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    other.write_text(text, encoding="utf-8")
    with Rehearsal(play=("harbor",), mappings=other.parent, answers={"bad-logs": 1}) as server:
        report = replayed(sheet, server, tmp_path)
        assert report["events"]["rejected"] == EVENTS
        address = server.addresses["harbor"]
    unheard = []
    silent = translate.replay(
        tmp_path / "archive.jsonl", to="harbor", endpoint=address, journal=tmp_path / "silent", mappings=sheet.parent, set_=["application_id=7"],
        bounds=Bounds(attempts=1), unheard=unheard.append,
    )  # fmt: skip
    assert "was not taken in" in silent["stopped"]
    said = b"".join(
        file.read_bytes()
        for name in ("journal", "silent")
        for file in (tmp_path / name).rglob("*")
        if file.is_file()
    )
    assert b"none for ***" in said
    assert TOKEN.encode() not in said
    assert TOKEN not in f"{report}{silent}{unheard}"


def posted(url, body, **headers):
    call = urllib.request.Request(url, body, {"X-Harbor-Token": TOKEN, **headers}, method="PUT")
    try:
        with urllib.request.urlopen(call) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_what_is_no_event_and_what_is_too_large(sheet):
    """A rehearsal refuses what is no object, says where; more bytes than anybody sends, and more events than are taken, are too large."""
    good = b'{"kind": "a", "when": 1500000000000, "who": "c"}\n'
    with Rehearsal(play=("harbor",), mappings=sheet.parent) as server:
        url = server.addresses["harbor"]
        assert posted(url, good) == (200, {"stored": 1})
        status, told = posted(url, good + b"5\n[]\nnull\n" + good)
        assert (status, [fault["line"] for fault in told["faults"]]) == (422, [1, 2, 3])
        assert posted(url, good * 50)[0] == 200
        assert posted(url, good * 51)[0] == 413
        assert posted(url, b" " * (KEPT_BYTES_MAX + 1))[0] == 413
        assert posted(url, b"{")[0] == 400
        assert posted(url, good, **{"Content-Encoding": "br"})[0] == 400
        assert server.stats()["accepted"] == 51


def test_the_answer_that_is_asked_for(sheet, tmp_path):
    """Of two answers that name bad events, the one is given that a rehearsal is asked for."""
    change(
        sheet,
        (
            "\\[delivery.quota]",
            '[delivery.http.answers.some]\nstatus = 207\nmeans = "partly"\nindexes = "wrong.*"\n\n[delivery.quota]',
        ),
    )
    with Rehearsal(play=("harbor",), mappings=sheet.parent, answers={"bad-logs": 0.5}, seed=3) as server:
        report = replayed(sheet, server, tmp_path)
        assert [*report["rejects"]] == ["bad-logs"]
        assert set(server.stats()["statuses"]) == {"200", "422"}


def test_bad_events_that_are_named_are_progress(sheet, tmp_path):
    """What is left of a refused request begins its attempts anew: it is another request, without the bad events."""
    with Rehearsal(play=("harbor",), mappings=sheet.parent, partial=0.5, seed=2) as server:
        report = replayed(sheet, server, tmp_path, bounds=Bounds(error_share=1, attempts=1))
        assert report["stopped"] is None
        assert report["events"]["left"] == 0
        assert report["events"]["rejected"] > 0
