"""The rehearsal as a server: HTTP, misbehaviour by seed, accounts and counts, the command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import rehearsed
from rehearsed import (
    SIGNED,
    answer_of,
    as_bytes,
    clickstream_event,
    collected,
    connected,
    pinpoint_event,
    put,
    sent,
)
from waiting import wait_for

from translate.errors import OutputError, UsageError
from translate.rehearsal import Options, Rehearsal, canonical, digest_of
from translate.rehearsal.ledger import Busiest, Gate

BODY = json.dumps([clickstream_event()]).encode()
POST = "/collect?appId=shop"


def statuses(server, count):
    """Post one event after the other; give the statuses, None for a reset."""
    answers = []
    for number in range(count):
        try:
            answers.append(collected(server, [clickstream_event(number)])[0])
        except ConnectionError:
            answers.append(None)
    return answers


# HTTP


def test_a_connection_stays_open():
    """Several requests go over one connection, and some may be sent before their predecessors are answered."""
    request = as_bytes("POST", POST, {"Host": "localhost", "Content-Length": len(BODY)}, BODY)
    with Rehearsal() as server, connected(server) as connection:
        for _ in range(2):
            connection.sendall(request)
            assert answer_of(connection)[0] == 200
        connection.sendall(
            request + as_bytes("POST", POST, {"Content-Length": len(BODY), "Connection": "close"}, BODY)
        )
        text = b"".join(iter(lambda: connection.recv(65536), b""))
        assert re.findall(rb"HTTP/1.1 (\d+)", text) == [b"200", b"200"]
        assert server.stats()["requests"] == 4


def test_chunks_are_put_together():
    """A body may come in chunks, with extensions and trailers, split anywhere."""
    chunks = b"%x;a=b\r\n%b\r\n%x\r\n%b\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n" % (
        5,
        BODY[:5],
        len(BODY) - 5,
        BODY[5:],
    )
    text = as_bytes("POST", POST, {"Host": "localhost", "Transfer-Encoding": "chunked"}, chunks)
    with Rehearsal() as server, connected(server) as connection:
        for position in range(len(text)):
            connection.sendall(text[position : position + 1])
        assert answer_of(connection)[0] == 200
        connection.sendall(text)
        assert answer_of(connection)[0] == 200
        assert server.stats()["accepted"] == 2


def test_a_client_that_waits_is_told_to_go_on():
    """Expect: 100-continue is answered before the body comes."""
    with Rehearsal() as server, connected(server) as connection:
        connection.sendall(
            as_bytes(
                "POST",
                POST,
                {"Host": "localhost", "Content-Length": len(BODY), "Expect": "100-continue"},
                b"",
            )
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert answer_of(connection)[0] == 200


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431),
    ],
)
def test_bad_http_is_refused(text, status):
    """A request that breaks the rules is answered, and its connection ends."""
    with Rehearsal() as server, connected(server) as connection:
        connection.sendall(text)
        assert answer_of(connection)[0] == status
        assert connection.recv(1) == b""
        assert server.stats()["requests"] == 0


def test_the_size_of_a_body_is_no_matter_of_memory():
    """What is far too large is read to its end and refused."""
    with Rehearsal() as server:
        assert collected(server, b"x" * (20 << 20))[0] == 413
        assert server.stats()["bytes"] == 20 << 20


def test_old_clients_and_heads():
    """HTTP/1.0 closes; HEAD has no body."""
    with Rehearsal() as server:
        with connected(server) as connection:
            connection.sendall(b"GET /_accepted HTTP/1.0\r\n\r\n")
            assert b"".join(iter(lambda: connection.recv(65536), b"")).endswith(b"\r\n\r\n")
        with connected(server) as connection:
            connection.sendall(b"HEAD /_stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: connection.recv(65536), b""))
            assert text.endswith(b"\r\n\r\n")
            assert b"Content-Length: 0" not in text


# Whose host names it answers to


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:{port}",
        "127.255.1.9:80",
        "localhost",
        "LOCALHOST:{port}",
        "[::1]",
        "[::1]:{port}",
    ],
)
def test_a_rehearsal_answers_to_loopback(host):
    """Whatever names this machine to itself may stand in Host, with any port or none."""
    with Rehearsal() as server:
        assert sent(server, "GET", "/_stats", {"Host": host.format(port=server.port)})[0] == 200


@pytest.mark.parametrize(
    "host", ["", "x", "attacker.example:{port}", "localhost.attacker.example", "127.0.0.1.attacker.example", "0.0.0.0:{port}", "10.0.0.1",
             "[::2]", "[::1", "127.0.0.1, attacker.example", "user@127.0.0.1", "127.0.0.1:80:80", "127.1"],
)  # fmt: skip
@pytest.mark.parametrize(("method", "target"), [("GET", "/_accepted"), ("POST", POST)])
def test_a_rehearsal_refuses_other_names(method, target, host):
    """A page whose name leads to this machine cannot read or write: 421, a sentence, and nothing is counted."""
    with Rehearsal() as server:
        collected(server, [clickstream_event()])
        status, _, body = sent(server, method, target, {"Host": host.format(port=server.port)}, BODY)
        assert status == 421
        assert "--expose" in json.loads(body)["message"]
        assert server.stats()["requests"] == 1


def test_a_name_in_the_target_counts_more_than_the_header():
    """The host of an absolute target is the one that is asked for (RFC 9112, 3.2.2)."""
    with Rehearsal() as server:
        assert sent(server, "GET", f"http://127.0.0.1:{server.port}/_stats", {"Host": "x"})[0] == 200
        assert sent(server, "GET", "http://attacker.example/_stats", {"Host": "127.0.0.1"})[0] == 421


def test_an_exposed_rehearsal_answers_to_any_name():
    """Nobody here knows what other machines call this one."""
    with Rehearsal(expose=True) as server:
        assert sent(server, "GET", "/_stats", {"Host": "rehearsal.example"})[0] == 200


# Misbehaviour


def test_misbehaviour_is_the_same_for_the_same_seed():
    """Two servers of one seed treat the same requests alike; another seed does not."""
    shares = {"throttle": 0.2, "errors": 0.2, "reset_before": 0.1, "reset_after": 0.1}
    seen = []
    for seed in (1, 1, 2):
        with Rehearsal(seed=seed, **shares) as server:
            seen.append(statuses(server, 60))
    assert seen[0] == seen[1] != seen[2]
    assert set(seen[0]) == {200, 503, 502, None}


def test_counts_add_up_and_accounts_agree():
    """Whatever was met: events = accepted + rejected + deferred, and each accepted one stands in the account."""
    with Rehearsal(seed=5, throttle=0.2, errors=0.2, reset_before=0.1, reset_after=0.2) as server:
        answers = statuses(server, 80)
        counts = server.stats()
        assert counts["events"] == counts["requests"] == 80 == counts["accepted"] + counts["deferred"]
        assert (
            counts["accepted"] == len(list(server.accepted())) == answers.count(200) + counts["answers_lost"]
        )
        assert counts["answers_lost"] == counts["misbehaviour"]["reset_after"] > 0
        assert counts["statuses"]["reset"] == answers.count(None)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_throttling_tells_when_to_come_back(form):
    """Retry-After comes in either form, and only when it is asked for."""
    with Rehearsal(throttle=1, retry_after_seconds=7, retry_after_form=form) as server:
        told = collected(server, [])[1]["retry-after"]
        seconds = int(told) if form == "seconds" else parsedate_to_datetime(told).timestamp() - time.time()
        assert 6.9 < seconds <= 8
        server.change(retry_after_seconds=None)
        assert "retry-after" not in collected(server, [])[1]


@pytest.mark.parametrize(
    ("method", "path", "throttled", "failed"),
    [
        ("POST", POST, 503, 502),
        ("POST", "/v1/apps/a/events", 429, 500),
        ("POST", "/events", 429, 500),
        ("POST", "/2014-06-05/events", 429, 500),
        ("POST", "/3/events/update", 503, 500),
    ],
)
def test_every_target_misbehaves_in_its_own_way(method, path, throttled, failed):
    """Each endpoint has its own status for too much and for broken."""
    with Rehearsal(throttle=1) as server:
        assert sent(server, method, path, SIGNED)[0] == throttled
        server.change(throttle=0, errors=1)
        assert sent(server, method, path, SIGNED)[0] == failed


def test_a_slow_answer_is_late_and_its_events_are_taken_at_once():
    """A client that does not wait has sent its events all the same, and its answer counts as lost."""
    with Rehearsal(slow=1, slow_seconds=0.3) as server:
        begun = time.monotonic()
        assert collected(server, [clickstream_event()])[0] == 200
        assert time.monotonic() - begun >= 0.3
        with connected(server) as connection:
            connection.sendall(
                as_bytes("POST", POST, {"Host": "localhost", "Content-Length": len(BODY)}, BODY)
            )
            wait_for(lambda: server.stats()["accepted"] == 2, "the second event is taken")
            assert server.stats()["answers_lost"] == 0
        wait_for(lambda: server.stats()["answers_lost"], "the answer to it counts as lost")
        assert server.stats()["answers_lost"] == 1


def test_others_are_served_while_one_waits():
    """A slow answer holds up its own connection only."""
    with Rehearsal(slow=1, slow_seconds=30) as server, connected(server) as waiting:
        waiting.sendall(as_bytes("POST", POST, {"Host": "localhost", "Content-Length": 2}, b"[]"))
        wait_for(lambda: server.stats()["requests"], "the request is read")
        server.change(slow=0)
        assert collected(server, [])[0] == 200


@pytest.mark.parametrize("codes", [(429, 500), (400,), (400, 429, 500)])
def test_items_of_pinpoint_fail_one_by_one(codes):
    """Some items of a request fail, with the codes that were asked for; the others are taken."""
    events = {str(number): pinpoint_event() for number in range(40)}
    with Rehearsal(partial=1, partial_codes=codes) as server:
        status, results = put(server, events)
        answers = {key: item["StatusCode"] for key, item in results["EventsItemResponse"].items()}
        assert (status, set(answers.values())) == (202, {202, *codes})
        assert [row["id"] for row in server.accepted()] == [key for key in events if answers[key] == 202]
        assert {row["id"] for row in server.rejected()} == {key for key in events if answers[key] == 400}
        counts = server.stats()
        assert counts["events"] == 40 == counts["accepted"] + counts["rejected"] + counts["deferred"]
        assert collected(server, [clickstream_event()])[0] == 200, "nobody else has parts"


def test_the_quota_is_kept_over_every_second():
    """No more requests than the quota pass in any second, however they come; each target has its own."""
    with Rehearsal(quota_per_second=5, retry_after_seconds=1) as server:
        answers = [collected(server, [clickstream_event()]) for _ in range(8)]
        assert [status for status, *_ in answers] == [200] * 5 + [503] * 3
        assert answers[-1][1]["retry-after"] == "1"
        assert put(server, {"x": pinpoint_event()})[0] == 202
        time.sleep(1.05)
        assert collected(server, [clickstream_event()])[0] == 200
        assert server.stats()["misbehaviour"] == {"over_quota": 3}


# Accounts and counts


def test_the_busiest_second_may_begin_anywhere():
    """The window slides: what falls between two full seconds is found as well."""
    busiest = Busiest()
    for at, events in ((0.0, 1), (0.9, 10), (1.0, 10), (1.8, 10), (1.95, 1), (5.0, 25)):
        busiest.add(at, events)
    assert (busiest.requests, busiest.events) == (3, 30)
    quota = Gate()
    assert [quota.lets(at, 2) for at in (0.0, 0.5, 0.9, 1.0, 1.4, 1.5)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]


def test_equal_events_have_one_digest():
    """However JSON spells them: the order of keys, 1.0 and 1, an exponent, escapes; but text stays text."""
    assert digest_of({"a": 1.0, "b": [1e3, -0.0]}) == digest_of({"b": [1000, 0], "a": 1})
    assert canonical({"b": "ü", "a": 0.5}) == '{"a":0.5,"b":"ü"}'.encode()
    assert digest_of({"a": "1.0]"}) != digest_of({"a": "1]"})
    assert digest_of({"a": 12345678901234567891}) != digest_of({"a": 12345678901234567892})
    assert canonical({"a": "\ud800"}) == b'{"a":"\\ud800"}'


def test_accounts_are_told_over_http():
    """NDJSON, of one target or of all, whole or only some members; counts and arrivals too."""
    tricky = clickstream_event(1, app_title=',"event":')
    with Rehearsal() as server:
        collected(server, [tricky, clickstream_event(2, zone_offset=None)])
        put(server, {'p,"event":': pinpoint_event()})
        status, headers, body = sent(server, "GET", "/_accepted")
        rows = [json.loads(line) for line in body.splitlines()]
        assert (status, headers["content-type"], rows) == (
            200,
            "application/x-ndjson",
            list(server.accepted()),
        )
        assert rows[0]["event"] == tricky
        assert rows[0]["digest"] == digest_of(tricky)
        assert [row["target"] for row in rows] == ["clickstream", "pinpoint"]
        light = sent(server, "GET", "/_accepted?target=pinpoint&fields=id,digest")[2]
        assert json.loads(light) == {"id": 'p,"event":', "digest": digest_of(pinpoint_event())}
        assert json.loads(sent(server, "GET", "/_rejected?fields=id,code,later")[2]) == {
            "id": "e2",
            "code": "no_zone_offset",
            "later": True,
        }
        arrivals = [json.loads(line) for line in sent(server, "GET", "/_arrivals")[2].splitlines()]
        assert [(row["target"], row["events"], row["status"]) for row in arrivals] == [
            ("clickstream", 2, 200),
            ("pinpoint", 1, 202),
        ]
        assert 0 <= arrivals[0]["at"] <= arrivals[1]["at"] < 60
        assert arrivals[0]["request"] == rows[0]["request"]
        stats = json.loads(sent(server, "GET", "/_stats")[2])
        assert set(stats["targets"]) == {"clickstream", "pinpoint"}
        assert stats["busiest_second"]["requests"] in (1, 2)
        assert [sent(server, "GET", path)[0] for path in ("/_nothing", "/_accepted?target=x")] == [404, 404]
        assert sent(server, "POST", "/_stats")[0] == 405


def test_a_long_account_is_streamed_while_others_are_served():
    """A reader that takes its time does not hold the endpoints up, and gets all that was there."""
    events = [clickstream_event(number, app_title="x" * 9000) for number in range(100)]
    with Rehearsal() as server:
        for _ in range(20):
            collected(server, events)
        with connected(server) as reader:
            reader.sendall(b"GET /_accepted HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(0.1)
            assert collected(server, events)[0] == 200
            assert answer_of(reader)[2].count(b"\n") == 2000


def test_accounts_are_kept_where_it_is_said(tmp_path):
    """A directory holds them beyond the server's life, for its owner alone; they are never mixed with others."""
    kept = tmp_path / "kept"
    with Rehearsal(keep=str(kept)) as server:
        collected(server, [clickstream_event()])
    assert json.loads((kept / "accepted.ndjson").read_text())["id"] == "e1"
    assert (kept / "accepted.ndjson").stat().st_mode & 0o77 == 0
    with pytest.raises(UsageError, match="is there already"), Rehearsal(keep=str(kept)):
        pass
    with Rehearsal() as server:
        folder = Path(server._desk.ledger.folder)
        assert folder.exists()
    assert not folder.exists()


def test_clients_at_once_lose_nothing():
    """Several clients at the same time: each event is in the account once."""
    with Rehearsal() as server:
        threads = [
            threading.Thread(
                target=lambda start=start: [
                    collected(server, [clickstream_event(n)]) for n in range(start, start + 25)
                ]
            )
            for start in (0, 100, 200, 300)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [row["id"] for row in server.accepted()]
        assert len(ids) == len(set(ids)) == 100 == server.stats()["accepted"]


# Options, and the command


@pytest.mark.parametrize(
    "options",
    [
        {"host": "0.0.0.0"}, {"throttle": 1.1}, {"slow": -0.1}, {"throttle": 0.6, "errors": 0.6}, {"retry_after_form": "hours"},
        {"retry_after_seconds": -1}, {"quota_per_second": 0}, {"access_key": "a"}, {"partial_codes": (404,)}, {"collect_path": "collect"},
        {"no_such": 1},
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(options):
    """A wrong option is told before anything listens."""
    with pytest.raises(UsageError):
        Rehearsal(**options)


def test_secrets_are_not_shown():
    """Options may be printed without giving away what opens doors."""
    text = repr(
        Options(
            cookie="canary",
            access_key="a",
            secret_key="canary",
            applications={"1": "canary"},
            accounts={"u": "canary"},
        )
    )
    assert "canary" not in text


def test_a_port_that_is_none_is_refused():
    """It does not wait for a server that never comes."""
    for port in (-1, 65_536):
        with pytest.raises(UsageError, match="port= is from 0 to 65535"):
            Options(port=port)


def test_a_port_that_is_taken_is_told():
    """Two servers on one port: the second one says so."""
    with (
        Rehearsal() as server,
        pytest.raises(OutputError, match=str(server.port)),
        Rehearsal(port=server.port),
    ):
        pass


def command(*arguments):
    """Start the command as a program of its own."""
    code = "import typer; from translate.cli.rehearsal import rehearse; app = typer.Typer(); app.command()(rehearse); raise SystemExit(app(standalone_mode=False))"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_tells_its_addresses_and_ends_when_told(ending):
    """One JSON line at the start, one at the end, nothing on standard error, exit code 0."""
    with command("--json", "--app-id", "shop", "--application", "1=s=x", "--account", "u=p") as process:
        addresses = json.loads(process.stdout.readline())
        assert set(addresses["addresses"]) == {
            "clickstream",
            "pinpoint",
            "personalize",
            "mobile_analytics",
            "learning_context",
        }
        with Rehearsal() as other:
            other.port = addresses["port"]
            assert collected(other, [clickstream_event()])[0] == 200
            assert collected(other, [clickstream_event()], "appId=other")[0] == 403
        process.send_signal(ending)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out)["stats"]["accepted"] == 1


def test_the_command_in_words():
    """Without --json: an address a line, and one line at the end."""
    with command("--slow", "0.5", "--slow-seconds", "0") as process:
        lines = [process.stdout.readline() for _ in range(6)]
        assert [line.split()[0] for line in lines] == [
            "clickstream",
            "pinpoint",
            "personalize",
            "mobile_analytics",
            "learning_context",
            "counts",
        ]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert out == "0 requests, 0 events: 0 accepted, 0 rejected, 0 deferred\n"


def test_recordings_are_complete():
    """The recordings that the tests replay hold what they are said to."""
    assert len(list(rehearsed.pinpoint_recording())) == 4
    assert len(list(rehearsed.mobile_analytics_recording())) == 6
    assert len(list(rehearsed.clickstream_recording())) == 11
