"""The five endpoints: what goes over the wire, and into which pile each answer puts each event."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import json
import socket
import ssl
import threading
import time
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from scripted import APP, MODELS, REQUESTS, SUCCESS, Say, Scripted, results, shipment

from translate.delivery.answers import Answer, Pile, retry_after
from translate.delivery.endpoints import Target, open_endpoint, refuse_plain_http
from translate.delivery.endpoints.learning_context import form_encoded, signature
from translate.delivery.endpoints.services import client_context
from translate.errors import UsageError
from translate.rehearsal import Rehearsal

AWS = ("personalize", "pinpoint")
SIGNED = (*AWS, "mobile_analytics")
AGAIN, NEVER, SENT = (Pile.AGAIN,) * 3, (Pile.NEVER,) * 3, (Pile.SENT,) * 3
STOPPING = (401, 403, 404, 405, 410)
WAITING = (408, 429, 500, 501, 502, 503, 504)
REFUSING = (400, 413)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Give the credentials of a test, and nobody's own."""
    for name in (
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_CA_BUNDLE",
        "TRANSLATE_COOKIE",
        "HTTP_PROXY",
        "http_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-real-key")
    monkeypatch.setenv("TRANSLATE_LEARNING_CONTEXT_SECRET", "not-a-real-secret")
    monkeypatch.setenv("TRANSLATE_LEARNING_CONTEXT_PASSWORD", "not-a-real-password")


def target(model: str, url: str, **rest: Any) -> Target:
    named = {"application_id": "1", "account": "ada"} if model == "learning_context" else {}
    region = "us-east-1" if model in AWS else None
    return Target(model, **{"endpoint": url, "region": region, "read_seconds": 5.0, **named, **rest})


def answered(model: str, *script: Say, **rest: Any) -> Answer:
    """Send three events of a model to a receiver that follows a script."""
    with Scripted(*script) as server:
        return ask(model, server.url, **rest)


def ask(model: str, url: str, request: Any = None, **rest: Any) -> Answer:
    endpoint = open_endpoint(target(model, url, **rest))
    try:
        return endpoint.send(shipment(model, request), 7)
    finally:
        endpoint.close()


def each_answer(model: str, *script: Say) -> list[Answer]:
    """Give the answers to a whole script, through one endpoint."""
    with Scripted(*script, Say(599)) as server:
        endpoint = open_endpoint(target(model, server.url))
        answers = [endpoint.send(shipment(model), number) for number in range(len(script))]
        endpoint.close()
        return answers


def piles(answer: Answer) -> tuple[Pile, ...]:
    return tuple(verdict.pile for verdict in answer.verdicts)


@pytest.mark.parametrize("model", MODELS)
def test_success_puts_every_event_into_sent(model: str) -> None:
    """The documented answer of success means sent, and nothing else."""
    answer = answered(model, SUCCESS[model])
    assert piles(answer) == SENT
    assert (answer.lost, answer.throttled, answer.stop, answer.refused_whole, answer.findings) == (
        False,
        False,
        None,
        False,
        (),
    )
    assert answer.request_id == ("rq-1" if model in SIGNED else None)


@pytest.mark.parametrize("model", MODELS)
def test_statuses_that_pass_by_themselves_mean_again(model: str) -> None:
    """A receiver in trouble, or asking for less, gets the events again."""
    says = [Say(status, {"message": "soon"}, (("Retry-After", "7"),)) for status in WAITING]
    for status, answer in zip(WAITING, each_answer(model, *says), strict=True):
        assert piles(answer) == AGAIN
        assert answer.throttled == (status in (429, 503))
        assert answer.lost == (status in (502, 504))
        assert (answer.status, answer.stop, answer.retry_after_seconds, answer.refused_whole) == (
            status,
            None,
            7.0,
            False,
        )


@pytest.mark.parametrize("model", MODELS)
def test_statuses_that_blame_the_content_refuse_the_whole(model: str) -> None:
    """A request refused for its content is one whose halves are to be tried."""
    for answer in each_answer(model, *(Say(status, {"message": "bad event"}) for status in REFUSING)):
        assert piles(answer) == NEVER, answer
        assert (answer.refused_whole, answer.stop, answer.lost) == (True, None, False)
        assert answer.verdicts[0].message == "bad event"


@pytest.mark.parametrize("model", MODELS)
def test_statuses_that_turn_everybody_away_stop(model: str) -> None:
    """What no repetition mends stops the run, loses nothing and says what to do."""
    for answer in each_answer(model, *(Say(status, {"message": "no"}) for status in STOPPING)):
        assert piles(answer) == AGAIN, answer
        assert answer.stop is not None and len(answer.stop) > 40
        assert not answer.lost


@pytest.mark.parametrize("model", MODELS)
def test_redirects_are_not_followed(model: str) -> None:
    """A redirected request stops, with the address in its sentence, and goes nowhere else."""
    with Scripted(SUCCESS[model]) as other:
        location = (("Location", f"{other.url}/there?x=1"),)
        answers = each_answer(model, *(Say(status, b"", location) for status in (301, 302, 307, 308)))
        assert other.seen == []
    for answer in answers:
        assert piles(answer) == AGAIN
        assert answer.stop is not None and f"{other.url}/there" in answer.stop and "x=1" not in answer.stop


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model not in ("learning_context", "pinpoint")]
)
def test_another_success_is_none(model: str) -> None:
    """A 2xx that the service does not give stops, and counts as lost: somebody may have taken the events."""
    answer = answered(model, Say(204))
    assert piles(answer) == AGAIN
    assert answer.lost and answer.stop is not None


@pytest.mark.parametrize("model", MODELS)
def test_reset_after_the_request_is_lost(model: str) -> None:
    """A connection reset under a request may have carried it."""
    answer = answered(model, Say(reset=True))
    assert piles(answer) == AGAIN
    assert (answer.lost, answer.status, answer.stop) == (True, None, None)


@pytest.mark.parametrize("model", MODELS)
def test_read_timeout_is_lost(model: str) -> None:
    """Silence after a request may hide that it was taken."""
    answer = answered(model, Say(silent_seconds=1.0), read_seconds=0.2)
    assert piles(answer) == AGAIN
    assert (answer.lost, answer.verdicts[0].code) == (True, "read_timeout")


@pytest.mark.parametrize("model", MODELS)
def test_cut_status_line_is_lost(model: str) -> None:
    """Rubbish instead of an answer tells nothing."""
    answer = answered(model, Say(raw=b"HTT"))
    assert piles(answer) == AGAIN and answer.lost and answer.stop is None


@pytest.mark.parametrize("model", MODELS)
def test_refused_connection_is_not_lost(model: str) -> None:
    """Where nobody listens nothing can have arrived."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = ask(model, f"http://127.0.0.1:{port}")
    assert piles(answer) == AGAIN
    assert (answer.lost, answer.stop, answer.verdicts[0].code) == (False, None, "connection_refused")


@pytest.mark.parametrize("model", MODELS)
def test_unknown_host_is_not_lost(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody knows takes no events."""

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    answer = ask(model, "https://nowhere.invalid")
    assert piles(answer) == AGAIN
    assert (answer.lost, answer.stop) == (False, None)


@pytest.mark.parametrize("model", MODELS)
def test_one_request_a_sending(model: str) -> None:
    """Neither urllib3 nor boto3 repeats anything by itself."""
    with Scripted(Say(500), Say(429), Say(reset=True)) as server:
        endpoint = open_endpoint(target(model, server.url))
        for number in range(1, 4):
            endpoint.send(shipment(model), number)
            assert len(server.seen) == number
        endpoint.close()


@pytest.mark.parametrize("model", MODELS)
def test_untrusted_certificate_stops(model: str, certificate: ssl.SSLContext) -> None:
    """A receiver that cannot prove its name gets nothing, and the sentence says what to do."""
    with Scripted(SUCCESS[model], context=certificate) as server:
        answer = ask(model, server.url)
        assert server.seen == []
    assert piles(answer) == AGAIN and not answer.lost
    assert answer.stop is not None and "SSL_CERT_FILE" in answer.stop


@pytest.mark.parametrize("model", MODELS)
def test_https_to_a_plain_server_stops(model: str) -> None:
    """TLS spoken to a server without it stops."""
    with Scripted(SUCCESS[model]) as server, socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=_talk_plainly, args=(listener,), daemon=True).start()
        answer = ask(model, f"https://127.0.0.1:{port}")
        assert server.seen == []
    assert answer.stop is not None and piles(answer) == AGAIN


def _talk_plainly(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    time.sleep(0.5)
    connection.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Make a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize("model", SIGNED)
def test_codes_of_amazon_that_stop(model: str) -> None:
    """Who may not send, or has the wrong clock, is told what to mend, whatever the status."""
    words = {
        "InvalidSignatureException": (403, "clock"),
        "RequestTimeTooSkewed": (400, "clock"),
        "ExpiredTokenException": (400, "expired"),
        "UnrecognizedClientException": (400, "credentials"),
        "AccessDeniedException": (403, "PutEvents"),
    }
    says = [
        Say(status, {"message": "no"}, (("x-amzn-ErrorType", f"{code}:http://internal/"),))
        for code, (status, _) in words.items()
    ]
    for (_, word), answer in zip(words.values(), each_answer(model, *says), strict=True):
        assert piles(answer) == AGAIN
        assert answer.stop is not None and word in answer.stop


@pytest.mark.parametrize("model", SIGNED)
def test_throttling_by_code_is_no_refusal(model: str) -> None:
    """ThrottlingException means less, even with the status 400."""
    answer = answered(
        model, Say(400, {"message": "Rate exceeded"}, (("x-amzn-ErrorType", "ThrottlingException"),))
    )
    assert piles(answer) == AGAIN
    assert answer.throttled and not answer.refused_whole


@pytest.mark.parametrize("endpoint", ["https://a..b", "https://-x-.example"])
@pytest.mark.parametrize("model", AWS)
def test_an_endpoint_that_boto3_does_not_take_stops(model: str, endpoint: str) -> None:
    """No event is refused for good because its client could not be made."""
    answer = open_endpoint(Target(model, endpoint, region="us-east-1")).send(shipment(model), 1)
    assert tuple(verdict.pile for verdict in answer.verdicts) == AGAIN
    assert answer.stop is not None
    assert "endpoint" in answer.stop
    assert not answer.lost


@pytest.mark.parametrize("model", SIGNED)
def test_missing_credentials_stop(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is sent."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with Scripted(SUCCESS[model]) as server:
        answer = ask(model, server.url)
        assert server.seen == []
    assert piles(answer) == AGAIN
    assert answer.stop is not None and "AWS_ACCESS_KEY_ID" in answer.stop


@pytest.mark.parametrize("model", SIGNED)
def test_credentials_that_cannot_be_read_stop(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that should print credentials and prints something else is to be mended; no event is refused for it."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    (tmp_path / "config").write_text("[default]\ncredential_process = echo nonsense\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with Scripted(SUCCESS[model]) as server:
        answer = ask(model, server.url)
        assert server.seen == []
    assert piles(answer) == AGAIN
    assert answer.stop is not None and "AWS_ACCESS_KEY_ID" in answer.stop


@pytest.mark.parametrize("model", SIGNED)
def test_temporary_credentials_carry_their_token(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session's token goes along, signed."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-1")
    with Scripted(SUCCESS[model]) as server:
        assert piles(ask(model, server.url)) == SENT
        seen = server.seen[0]
    assert seen.headers["x-amz-security-token"] == "token-1"
    assert "x-amz-security-token" in seen.headers["authorization"]


def test_pinpoint_sorts_each_item() -> None:
    """Pinpoint's 202 hides refused items, items to be tried again and items that it says nothing about."""
    body = results(
        one_a={"StatusCode": 400, "Message": "bad"}, one_b={"StatusCode": 429, "Message": "slow"}, two_a=None
    )
    answer = answered("pinpoint", Say(202, body))
    assert piles(answer) == (Pile.NEVER, Pile.AGAIN, Pile.AGAIN)
    assert [verdict.code for verdict in answer.verdicts] == ["400", "429", "no_result"]
    assert answer.throttled and answer.lost and not answer.refused_whole


def test_pinpoint_item_statuses() -> None:
    """One item's status moves that item alone."""
    wanted = {
        202: Pile.SENT,
        400: Pile.NEVER,
        500: Pile.AGAIN,
        503: Pile.AGAIN,
        413: Pile.NEVER,
        200: Pile.AGAIN,
    }
    says = [Say(202, results(one_b={"StatusCode": status, "Message": "m"})) for status in wanted]
    for (status, pile), answer in zip(wanted.items(), each_answer("pinpoint", *says), strict=True):
        assert piles(answer) == (Pile.SENT, pile, Pile.SENT)
        assert answer.throttled == (status == 503)


def test_pinpoint_refused_endpoint_is_a_finding() -> None:
    """An endpoint that was not updated is told, and its events are sent all the same."""
    answer = answered(
        "pinpoint", Say(202, results(ep_2={"StatusCode": 400, "Message": "Missing ChannelType"}))
    )
    assert piles(answer) == SENT
    assert answer.findings == ("endpoint ep-2 was not updated: 400 Missing ChannelType",)


def test_pinpoint_rubbish_is_no_refusal() -> None:
    """An answer that cannot be understood rejects no event."""
    bodies = (b"<html>", {}, {"Results": []}, {"Results": {"ep-1": 5}}, b"{", [], {"Results": {"ep-1": None}})
    for body, answer in zip(
        bodies, each_answer("pinpoint", *(Say(202, body) for body in bodies)), strict=True
    ):
        assert piles(answer) == AGAIN and answer.lost, body


@pytest.mark.parametrize("message", ["Invalid trackingId: x", "The event tracker does not exist"])
def test_personalize_unknown_tracker_stops(message: str) -> None:
    """An unknown tracker is no fault of the events."""
    answer = answered(
        "personalize", Say(400, {"message": message}, (("x-amzn-ErrorType", "InvalidInputException"),))
    )
    assert piles(answer) == AGAIN and answer.stop is not None and "tracker" in answer.stop


BROKEN = {
    "pinpoint": [
        {
            "ApplicationId": APP,
            "EventsRequest": {
                "BatchItem": {"e": {"Endpoint": {}, "Events": {n: {"EventType": 5} for n in "abc"}}}
            },
        },
        {"ApplicationId": APP, "EventsRequest": {"BatchItem": 5}},
        {"ApplicationId": APP, "Wrong": 1},
    ],
    "personalize": [
        {**REQUESTS["personalize"], "eventList": [{"eventType": "", "sentAt": 1}]},
        {**REQUESTS["personalize"], "eventList": [{"eventType": "x", "sentAt": "1553631760987"}]},
        {**REQUESTS["personalize"], "eventList": [{"eventType": "x", "sentAt": 1553631760987}]},
        {**REQUESTS["personalize"], "extra": 1},
    ],
    "clickstream": [{"query": {}, "body": [{"a": float("nan")}]}],
    "mobile_analytics": [{"client_context": {}, "body": {"events": [float("inf")]}}],
    "learning_context": [{"data": [{"value": float("nan")}]}],
}


@pytest.mark.parametrize(
    ("model", "request_"), [(model, each) for model, all_ in BROKEN.items() for each in all_]
)
def test_what_cannot_be_written_is_refused_unsent(model: str, request_: Any) -> None:
    """A request that no client can write is refused here, raises nothing and reaches nobody."""
    with Scripted(SUCCESS[model]) as server:
        answer = ask(model, server.url, request_)
        assert server.seen == []
    assert piles(answer) == NEVER and answer.refused_whole
    assert answer.verdicts[0].message


def test_clickstream_on_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    """Query, headers and body are those of the SDKs: base64 of gzip on one line, the digest over the text sent."""
    monkeypatch.setenv("TRANSLATE_COOKIE", "AWSELB=abc; t=1")
    with Scripted(SUCCESS["clickstream"]) as server:
        before = time.time() * 1000
        ask("clickstream", server.url, forwarded_address="203.0.113.9", user_agent="agent/1")
        seen = server.seen[0]
    method, address, _ = seen.line.split(" ")
    query = dict(parse_qsl(urlsplit(address).query))
    assert (method, urlsplit(address).path) == ("POST", "/collect")
    assert query.pop("hashCode") == hashlib.sha256(seen.body).hexdigest()[:8]
    assert before - 1 <= int(query.pop("upload_timestamp")) <= time.time() * 1000
    assert query == {"platform": "Web", "appId": APP, "event_bundle_sequence_id": "7", "compression": "gzip"}
    assert b"\n" not in seen.body
    assert (
        json.loads(gzip.decompress(base64.b64decode(seen.body, validate=True)))
        == REQUESTS["clickstream"]["body"]
    )
    wanted = {"user-agent": "agent/1", "x-forwarded-for": "203.0.113.9", "cookie": "AWSELB=abc; t=1"}
    assert wanted.items() <= seen.headers.items()
    assert seen.headers["content-type"] == "application/json; charset=utf-8"


def test_clickstream_plain_body_is_the_text_that_was_packed() -> None:
    """Without gzip the very characters of the packed body go out; with other events than all, JSON made anew."""
    text = '[{"n":1.0,"big":12345678901234567890123,"u":"\\u00fc"}, {}, {}]'
    with Scripted(SUCCESS["clickstream"]) as server:
        endpoint = open_endpoint(target("clickstream", f"{server.url}/own/path", gzip=False))
        endpoint.send(
            shipment("clickstream", {"query": {"appId": "a b&c"}, "body": json.loads(text)}, text), 1
        )
        endpoint.send(shipment("clickstream"), 2)
        endpoint.close()
    assert server.seen[0].body == text.encode()
    assert (
        server.seen[1].body
        == json.dumps(REQUESTS["clickstream"]["body"], ensure_ascii=False, separators=(",", ":")).encode()
    )
    address = urlsplit(server.seen[0].line.split(" ")[1])
    assert address.path == "/own/path"
    assert parse_qs(address.query)["appId"] == ["a b&c"]
    assert "compression" not in address.query


def test_clickstream_without_an_app_stops() -> None:
    """The words of an unconfigured project are no refusal of events."""
    answer = answered("clickstream", Say(400, b"Configuration invalid!"))
    assert piles(answer) == AGAIN and answer.stop is not None and "register" in answer.stop


def test_learning_context_signature() -> None:
    """The formula gives the digest that the vendor's encoder gives: `*` bare, `~` encoded, a blank as plus."""
    data = '[{"action":"UPDATE","type":"POSITION","timestamp":1365772427,"session":"","entities":[{"key":"room","value":"a *~ ä"}]}]'
    fields = {
        "nonce": "abcdefghij0123456789abcdefghij0123456789abcdefghij01234",
        "aid": "1",
        "user": "ada",
        "data": data,
    }
    assert (
        signature(fields, "not-a-real-secret", "not-a-real-password")
        == "2b671f9bc5da4aefd5661135bfe6701ba10b1435"
    )
    assert form_encoded("a *~.-_ ä/") == "a+*%7E.-_+%C3%A4%2F"


def test_learning_context_on_the_wire() -> None:
    """The form holds the five fields in the client's order, a fresh nonce, and a signature that fits."""
    with Scripted(SUCCESS["learning_context"]) as server:
        endpoint = open_endpoint(target("learning_context", server.url))
        for _ in range(2):
            endpoint.send(shipment("learning_context"), 1)
        endpoint.close()
    forms = [dict(parse_qsl(seen.body.decode(), strict_parsing=True)) for seen in server.seen]
    assert list(forms[0]) == ["nonce", "aid", "user", "data", "h"]
    assert forms[0]["nonce"] != forms[1]["nonce"]
    assert json.loads(forms[0]["data"]) == REQUESTS["learning_context"]["data"]
    assert forms[0]["h"] == signature(forms[0], "not-a-real-secret", "not-a-real-password")
    assert server.seen[0].line.split(" ")[1] == "/3/events/update"
    assert b"*%7E" in server.seen[0].body


@pytest.mark.parametrize(
    ("body", "wanted", "stops"),
    [
        ({"result": 1}, SENT, False),
        ({"result": "1"}, SENT, False),
        ({"result": 0, "reason": "Wrong data: a hash is odd"}, NEVER, False),
        ({"result": "0", "reason": "too long"}, NEVER, False),
        ({"result": 0, "reason": "Authentication failed"}, AGAIN, True),
        ({"result": True}, AGAIN, True),
        ({"result": False}, AGAIN, True),
        ({}, AGAIN, True),
        ([], AGAIN, True),
        (b"<html>", AGAIN, True),
        (b"[" * 100_000, AGAIN, True),
    ],
)
def test_learning_context_results(body: Any, wanted: tuple[Pile, ...], stops: bool) -> None:
    """`result` 1 or "1" is success, 0 a refusal, unless its reason speaks of the sender; anything else is no answer."""
    answer = answered("learning_context", Say(200, body))
    assert piles(answer) == wanted
    assert (answer.stop is not None) == stops
    assert answer.refused_whole == (wanted == NEVER)


def test_learning_context_needs_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without secret or password nothing is sent, and the sentence names the variables."""
    monkeypatch.delenv("TRANSLATE_LEARNING_CONTEXT_PASSWORD")
    answer = answered("learning_context", SUCCESS["learning_context"])
    assert answer.stop is not None and "TRANSLATE_LEARNING_CONTEXT_PASSWORD" in answer.stop


def test_mobile_analytics_on_the_wire() -> None:
    """The events are the body, the context a header of plain JSON, and both are signed."""
    with Scripted(SUCCESS["mobile_analytics"]) as server:
        ask("mobile_analytics", server.url)
        seen = server.seen[0]
    request = REQUESTS["mobile_analytics"]
    assert seen.line.split(" ")[1] == "/2014-06-05/events"
    assert json.loads(seen.body) == request["body"]
    assert json.loads(seen.headers["x-amz-client-context"]) == request["client_context"]
    assert "/us-east-1/mobileanalytics/aws4_request" in seen.headers["authorization"]
    assert "x-amz-client-context" in seen.headers["authorization"]


def test_client_context_fits_a_header() -> None:
    """Plain JSON up to Latin-1 (in ASCII's letters), Base64 with its own header beyond."""
    plain = client_context({"client": {"app_title": "Exämple"}})
    assert json.loads(plain["x-amz-Client-Context"]) == {"client": {"app_title": "Exämple"}}
    assert plain["x-amz-Client-Context"].isascii() and len(plain) == 1
    encoded = client_context({"a": "ключ"})
    assert encoded["x-amz-Client-Context-Encoding"] == "base64"
    assert json.loads(base64.b64decode(encoded["x-amz-Client-Context"])) == {"a": "ключ"}


def test_personalize_keeps_the_fraction_of_a_second() -> None:
    """What boto3 writes is what the line says."""
    with Scripted(SUCCESS["personalize"]) as server:
        ask("personalize", server.url)
        seen = server.seen[0]
    assert json.loads(seen.body) == REQUESTS["personalize"]
    assert "translate/" in seen.headers["user-agent"]


def test_pinpoint_on_the_wire() -> None:
    """The body is the EventsRequest, the path holds the project."""
    with Scripted(SUCCESS["pinpoint"]) as server:
        ask("pinpoint", server.url)
        seen = server.seen[0]
    assert seen.line.split(" ")[1] == f"/v1/apps/{APP}/events"
    assert json.loads(seen.body) == REQUESTS["pinpoint"]["EventsRequest"]


@pytest.mark.parametrize("model", AWS)
def test_endpoint_of_the_environment_is_not_taken(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the target says where to: a variable of another tool does not."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1")
    shown = open_endpoint(Target(model, region="eu-west-1")).show(shipment(model), 1)
    assert (
        urlsplit(shown["url"]).hostname
        == f"{'personalize-events' if model == 'personalize' else model}.eu-west-1.amazonaws.com"
    )


@pytest.mark.parametrize("model", MODELS)
def test_show_is_what_is_sent(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run shows the request's own address and body, and needs neither network nor credentials."""
    with Scripted(SUCCESS[model]) as server:
        ask(model, server.url)
        seen = server.seen[0]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "TRANSLATE_LEARNING_CONTEXT_SECRET"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(socket, "create_connection", _no_network)
    monkeypatch.setattr(socket.socket, "connect", _no_network)
    shown = open_endpoint(target(model, server.url)).show(shipment(model), 7)
    assert set(shown) == {"method", "url", "headers", "body"}
    assert urlsplit(shown["url"]).path == urlsplit(seen.line.split(" ")[1]).path
    if model == "learning_context":
        assert dict(parse_qsl(shown["body"]))["data"] == dict(parse_qsl(seen.body.decode()))["data"]
    else:
        assert shown["body"] == seen.body.decode()
    json.dumps(shown)


def _no_network(*_: Any, **__: Any) -> Any:
    raise AssertionError("a dry run touched the network")


@pytest.mark.parametrize("model", MODELS)
def test_show_of_what_cannot_be_written(model: str) -> None:
    """A dry run shows even a request that boto3 would not write."""
    if model in AWS:
        shown = open_endpoint(target(model, "http://127.0.0.1:1")).show(shipment(model, BROKEN[model][0]), 1)
        assert json.loads(shown["body"]) == BROKEN[model][0]


@pytest.mark.parametrize("model", MODELS)
def test_eight_threads_send_at_once(model: str) -> None:
    """One endpoint serves many threads, with no more connections than allowed, and mixes up no answers."""
    script = [SUCCESS[model], Say(500), Say(429)] * 20
    answers: list[Answer] = []
    with Scripted(*script, SUCCESS[model]) as server:
        endpoint = open_endpoint(target(model, server.url, max_in_flight=8))

        def work() -> None:
            for number in range(10):
                answers.append(endpoint.send(shipment(model), number))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        endpoint.close()
        assert server.connections <= 8
    statuses = sorted(answer.status or 0 for answer in answers)
    assert statuses.count(500) == statuses.count(429) == 20
    assert len(statuses) == 80
    for answer in answers:
        assert piles(answer) == (AGAIN if answer.status in (429, 500) else SENT)


@pytest.mark.parametrize("model", ["clickstream", "learning_context", "mobile_analytics"])
def test_no_more_connections_than_allowed(model: str) -> None:
    """Threads beyond max_in_flight wait for a connection; none is opened for them and thrown away."""
    with Scripted(replace(SUCCESS[model], silent_seconds=0.02)) as server:
        endpoint = open_endpoint(target(model, server.url, max_in_flight=2))
        threads = [threading.Thread(target=endpoint.send, args=(shipment(model), 1)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        endpoint.close()
        assert len(server.seen) == 8
        assert server.connections <= 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Fri, 31 Dec 1999 23:59:29 GMT"}, 30.0),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0.0),
        ({"retry-after": "Friday, 31-Dec-99 23:59:59 GMT", "date": "rubbish"}, 0.0),
    ],
)
def test_retry_after_in_both_forms(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, or a date by the receiver's clock; what is neither says nothing."""
    assert retry_after(headers) == seconds


@pytest.mark.parametrize("model", MODELS)
def test_retry_after_date_reaches_the_answer(model: str) -> None:
    """The date form arrives as seconds, through urllib3 and boto3 alike."""
    then = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=40), usegmt=True)
    answer = answered(model, Say(503, b"", (("Retry-After", then),)))
    assert answer.retry_after_seconds is not None and 35 < answer.retry_after_seconds <= 40


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/x",
        "http://localhost",
        "http://[::1]:1",
        "https://a.example",
        "http://127.9.9.9",
    ],
)
def test_plain_http_to_this_machine_is_fine(url: str) -> None:
    """TLS goes anywhere, plain HTTP to this machine."""
    refuse_plain_http(url, allowed=False)


@pytest.mark.parametrize(
    "url",
    ["http://a.example", "http://10.0.0.1", "http://localhost.example", "HTTP://a.example", "http://0.0.0.0"],
)
def test_plain_http_elsewhere_needs_the_flag(url: str) -> None:
    """Plain HTTP to another machine is refused, and the message names the flag."""
    with pytest.raises(UsageError, match="allow_http="):
        refuse_plain_http(url, allowed=False)
    with pytest.raises(UsageError, match="allow_http="):
        Target("clickstream", url)
    refuse_plain_http(url, allowed=True)
    Target("clickstream", url, allow_http=True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"protocol": "clikstream"}, 'did you mean "clickstream"'),
        ({"protocol": "clickstream"}, "needs an endpoint"),
        ({"protocol": "pinpoint"}, "region"),
        ({"protocol": "pinpoint", "endpoint": "https://a.example"}, "region"),
        ({"protocol": "learning_context", "endpoint": "https://a.example", "account": "a"}, "application_id"),
        ({"protocol": "clickstream", "endpoint": "a.example/collect"}, "not a URL"),
        ({"protocol": "clickstream", "endpoint": "https://a.example:99999"}, "not a URL"),
        ({"protocol": "clickstream", "endpoint": "https://u:hidden@a.example"}, "environment"),
        ({"protocol": "clickstream", "endpoint": "https://a.example?key=hidden"}, "query"),
        (
            {"protocol": "clickstream", "endpoint": "https://a.example", "user_agent": "a\r\nb: c"},
            "user_agent",
        ),
        ({"protocol": "clickstream", "endpoint": "https://a.example", "max_in_flight": 0}, "max_in_flight"),
        ({"protocol": "clickstream", "endpoint": "https://a.example", "read_seconds": 0}, "read_seconds"),
    ],
)
def test_targets_that_cannot_be_right(fields: dict[str, Any], words: str) -> None:
    """What cannot be right is refused before anything is sent, with what to do and without the URL's secrets."""
    with pytest.raises(UsageError, match=words) as refused:
        Target(**fields)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("model", MODELS)
def test_rehearsal_takes_what_is_sent(model: str) -> None:
    """The local endpoints accept the events, with signatures verified."""
    options: dict[str, Any] = {
        "applications": {"1": "not-a-real-secret"},
        "accounts": {"ada": "not-a-real-password"},
    }
    options |= {"access_key": "AKIDEXAMPLE", "secret_key": "not-a-real-key"}
    with Rehearsal(**options) as server:
        answer = ask(model, server.url)
    assert piles(answer) == SENT, answer


@pytest.mark.parametrize("model", MODELS)
def test_rehearsal_turns_strangers_away(model: str) -> None:
    """Where the local endpoints know neither app nor signature, the answer stops."""
    options: dict[str, Any] = {"applications": {"1": "x"}, "accounts": {"ada": "y"}, "app_ids": ("another",)}
    with Rehearsal(access_key="AKIDEXAMPLE", secret_key="another", **options) as server:
        answer = ask(model, server.url)
    assert piles(answer) == AGAIN and answer.stop is not None, answer
