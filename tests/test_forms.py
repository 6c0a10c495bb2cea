"""Forms of the Learning Context API: the notation of its page as it stands, what goes over the wire, and whose they are."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import pytest
from rows import rows_of

import translate
from translate.rehearsal import Rehearsal

SEED = json.loads((Path(__file__).parent / "seeds" / "learning_context_post_events_update.json").read_text())[
    "data"
]
# As the page prints it: indented by three blanks, and not encoded.
PRINTED = "data=" + json.dumps(SEED, indent=3, separators=(",", ":"))
ONE_LINE = "data=" + json.dumps(SEED)
LEARNT = {
    "action": "UPDATE",
    "type": "POSITION",
    "timestamp": 1365772427,
    "session": "abcdefgh1",
    "entities": [{"key": "k", "value": "a&b=c +%41"}],
}


def form(**fields):
    """Give a form post as it goes over the wire."""
    return urlencode({"nonce": "n", "aid": "7", **fields, "data": json.dumps([LEARNT]), "h": "cafe"})


def converted(tmp_path, text, to="hub", name="out", **options):
    """Convert a text; give the events, or the lines that were written, and the report."""
    source = tmp_path / f"{name}.txt"
    source.write_text(text)
    report = translate.convert(source, to=to, out=tmp_path / name, **options)
    data = tmp_path / name / "data"
    if to == "hub":
        return translate.scan(data).collect().to_dicts() if report["events"]["written"] else [], report
    return rows_of(tmp_path / name), report


NOTATIONS = {
    "pretty": PRINTED,
    "pretty, with the ends of lines of Windows": PRINTED.replace("\n", "\r\n"),
    "on one line": ONE_LINE,
    "a blank before the list": ONE_LINE.replace("=", "= ", 1),
    "encoded": f"data={quote_plus(json.dumps(SEED))}",
    "with the other parameters": f"user=ada&aid=7&{PRINTED}&nonce=n&h=cafe",
    "a text": json.dumps(PRINTED),
    "the body of a captured request": json.dumps(
        {"method": "POST", "path": "/3/events/update", "headers": {"Host": "h"}, "body": PRINTED}
    ),
    "the encoded body of a captured request": json.dumps(
        {"method": "POST", "body": f"user=ada&data={quote_plus(json.dumps(SEED))}"}
    ),
    "a list as the body of a captured request": json.dumps(
        {"method": "POST", "headers": {"Host": "h"}, "body": json.dumps(SEED)}
    ),
    "a member of an object": json.dumps({"user": "ada", "data": SEED}),
    "the list alone": json.dumps(SEED),
}


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("told", [True, False])
def test_the_page_s_own_text_is_read(notation, told, tmp_path):
    """However it stands there, twice in a file, recognised or not."""
    text = NOTATIONS[notation]
    found, report = converted(
        tmp_path, f"{text}\n{text}\n", from_="learning_context/requests" if told else None
    )
    assert report["events"] == {
        "read": 4,
        "added": 0,
        "written": 4,
        "rejected": 0,
        "filtered": 0,
        "duplicates": 0,
        "merged": 0,
    }
    assert [(event["name"], event["session.id"], event["app.title"], event["extra"]) for event in found] == [
        ("session.start", "8nc92io9q", "BigBrother", None), ("session.stop", "8nc92io9q", "BigBrother", None)] * 2  # fmt: skip
    assert {event["account"] for event in found} == ({"ada"} if "ada" in text else {None})
    assert {loss["field"] for loss in report["losses"]} <= {
        "nonce",
        "aid",
        "h",
        "method",
        "path",
        "headers",
        "body",
    }
    lines = text.count("\n") + 1
    scanned = translate.scan(tmp_path / "out.txt", model="learning_context/requests").collect()
    assert scanned["line"].to_list() == [1, 1, lines + 1, lines + 1]


def test_a_long_pretty_form_is_recognised(tmp_path):
    """Its end may lie beyond what recognition looks at."""
    found, _ = converted(tmp_path, "data=" + json.dumps(SEED * 40, indent=1))
    assert len(found) == 80


def test_what_is_printed_is_not_encoded(tmp_path):
    """In printed JSON a plus, a percent and an ampersand stand for themselves; in an encoded form they do not."""
    for number, text in enumerate([f"data={json.dumps([LEARNT])}&user=a+da", form(user="a da")]):
        (event,), _ = converted(tmp_path, text, name=str(number))
        assert (event["attributes"], event["account"]) == ({"k": "a&b=c +%41"}, "a da")


def test_a_form_that_is_cut_off_costs_itself(tmp_path):
    """The next one, and what comes before, are read."""
    cut = PRINTED[: len(PRINTED) // 2]
    found, report = converted(
        tmp_path,
        f"{ONE_LINE}\n{cut}\n{PRINTED}\n{ONE_LINE[:-9]}\n{ONE_LINE}\n",
        from_="learning_context/requests",
    )
    assert (len(found), report["rejects"]) == (6, {"incomplete": 2})
    rejects = [json.loads(line) for line in (tmp_path / "out" / "rejects.ndjson").read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == [2, 4 + cut.count("\n") + PRINTED.count("\n")]


def test_whose_a_form_is_travels(tmp_path):
    """Posts of one account are packed together and name it; what is nobody's is a bare list, as before."""
    lines = [form(user="ada"), form(user="bob"), form(user="ada"), json.dumps([LEARNT])]
    requests, report = converted(
        tmp_path, "\n".join(lines), to="learning_context/requests", from_="learning_context/requests"
    )
    assert [
        (request["user"], len(request["data"])) if isinstance(request, dict) else len(request)
        for request in requests
    ] == [("ada", 2), ("bob", 1), 1]
    assert {(loss["field"], loss["kind"]) for loss in report["losses"]} == {
        ("nonce", "on_purpose"),
        ("aid", "on_purpose"),
        ("h", "on_purpose"),
    }
    text = "".join(f"{json.dumps(request)}\n" for request in requests)
    again, _ = converted(tmp_path, text, to="learning_context/requests", name="again")
    assert again == requests
    _, report = converted(tmp_path, text, to="pinpoint/event_stream", name="other", set_=["app_id=a"])
    assert [
        (loss["field"], loss["kind"], loss["events"]) for loss in report["losses"] if loss["field"] == "user"
    ] == [("user", "not_mapped", 3)]


def test_the_account_is_no_content(tmp_path):
    """An event's id is the same whoever posted it."""
    found, _ = converted(
        tmp_path,
        "\n".join([form(user="ada"), form(user="bob"), json.dumps([LEARNT])]),
        from_="learning_context/requests",
    )
    assert len({event["event_id"] for event in found}) == 1


# -- a replay ---------------------------------------------------------------------------------------------------------

ACCOUNTS = {"ada": "lovelace", "collector": "sesame"}


def replayed(tmp_path, server, monkeypatch, passwords, name="j", **options):
    """Replay posts of two accounts, and one of nobody."""
    monkeypatch.setenv("TRANSLATE_LEARNING_CONTEXT_SECRET", "hush")
    monkeypatch.setenv("TRANSLATE_LEARNING_CONTEXT_PASSWORD", "sesame")
    monkeypatch.setenv("TRANSLATE_LEARNING_CONTEXT_PASSWORDS", passwords)
    source = tmp_path / f"{name}.txt"
    if not source.exists():
        source.write_text("\n".join([form(user="ada"), json.dumps([LEARNT]), form(user="ada")]))
    return translate.replay(source, to="learning_context", endpoint=server.addresses["learning_context"], journal=tmp_path / name,
                            from_="learning_context/requests", set_=["application_id=7", "account=collector"], **options)  # fmt: skip


def test_each_post_goes_out_under_its_own_account(tmp_path, monkeypatch):
    """Signed with that account's password; the setting's account is for those that are nobody's."""
    with Rehearsal(applications={"7": "hush"}, accounts=ACCOUNTS) as server:
        report = replayed(tmp_path, server, monkeypatch, json.dumps({"ada": "lovelace"}))
        assert (report["events"]["sent"], report["requests"]) == (3, 2)
        assert sorted(event["context"]["user"] for event in server.accepted()) == ["ada", "ada", "collector"]
    written = "".join(file.read_text() for file in (tmp_path / "j").glob("*.*json"))
    assert "lovelace" not in written


def test_a_post_of_an_account_without_a_password_stops(tmp_path, monkeypatch):
    """Nothing is sent under another's name, and the sentence says what to do; then the same call goes on."""
    with Rehearsal(applications={"7": "hush"}, accounts=ACCOUNTS) as server:
        report = replayed(tmp_path, server, monkeypatch, "", max_in_flight=1)
        assert report["failed"]
        assert "TRANSLATE_LEARNING_CONTEXT_PASSWORDS" in report["stopped"]
        assert "set.account" in report["stopped"]
        assert not [event for event in server.accepted() if event["context"]["user"] == "ada"]
        report = replayed(tmp_path, server, monkeypatch, json.dumps({"ada": "lovelace"}))
        assert (report["events"]["sent"], report["events"]["left"]) == (3, 0)


def test_one_account_may_stand_for_all(tmp_path, monkeypatch):
    """A recipe says so."""
    recipe = tmp_path / "one.toml"
    recipe.write_text(
        'to = "learning_context"\n\n[[rule]]\nwhen = "account IS NOT NULL"\nset.account = "\'collector\'"\n'
    )
    with Rehearsal(applications={"7": "hush"}, accounts=ACCOUNTS) as server:
        report = replayed(tmp_path, server, monkeypatch, "", recipe=recipe)
        assert report["events"]["sent"] == 3
        assert {event["context"]["user"] for event in server.accepted()} == {"collector"}


@pytest.mark.parametrize("passwords", ["lovelace", '["lovelace"]', '{"ada": 5}'])
def test_passwords_that_are_none_are_refused_unsaid(tmp_path, monkeypatch, passwords):
    """Before anything is sent, and without repeating them."""
    with (
        Rehearsal() as server,
        pytest.raises(translate.errors.UsageError, match="JSON object of accounts and passwords") as caught,
    ):
        replayed(tmp_path, server, monkeypatch, passwords)
    assert "lovelace" not in str(caught.value)
