"""Limits at and one past, and the answers of each endpoint: status, body, and what becomes of the events."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rehearsed import SIGNED, clickstream_event, collected, pinpoint_event, put, sent

from translate.rehearsal import Options, Rehearsal, learning_context
from translate.rehearsal.desk import Desk
from translate.rehearsal.messages import HttpRequest

REFUSED_BY_BALANCER = b"DefaultAction: Invalid request"
CONTEXT = {"client": {"client_id": "c"}, "services": {"mobile_analytics": {"app_id": "app"}}}
VECTOR = {
    "nonce": "abcdefghij0123456789abcdefghij0123456789abcdefghij01234",
    "aid": "1",
    "user": "ada",
    "data": '[{"action":"UPDATE","type":"POSITION","timestamp":1365772427,"session":"","entities":[{"key":"room","value":"a *~ ä"}]}]',
    "h": "2b671f9bc5da4aefd5661135bfe6701ba10b1435",
}
VECTOR_KEYS = {"applications": {"1": "not-a-real-secret"}, "accounts": {"ada": "not-a-real-password"}}


@pytest.fixture(scope="module")
def server():
    """Give one calm server to the tests that need no options."""
    with Rehearsal() as calm:
        yield calm


def reasons(server, target):
    """Give the codes of what was rejected."""
    return [row["code"] for row in server.rejected(target)]


# Clickstream


@pytest.mark.parametrize(
    "target",
    ["/collect", "/collect?appId=", "/collect?appId=other", "/other?appId=shop", "/?appId=shop", "/ping"],
)
def test_clickstream_balancer_turns_away(target):
    """An unknown path, and an app id that is unknown or missing, do not reach the server."""
    with Rehearsal(app_ids=("shop",)) as server:
        status, headers, body = sent(server, "POST", target, {}, [clickstream_event()])
        assert (status, body, headers["content-type"]) == (
            403,
            REFUSED_BY_BALANCER,
            "text/plain; charset=utf-8",
        )
        assert collected(server, [clickstream_event()])[::2] == (200, b"")


def test_clickstream_asks_for_its_cookie():
    """Without the cookie, or with another one, 403: the document has no other status for it."""
    with Rehearsal(cookie="auth=1") as server:
        events = [clickstream_event()]
        assert [
            collected(server, events, **cookie)[0]
            for cookie in ({}, {"Cookie": "auth=2"}, {"Cookie": "auth=1"})
        ] == [403, 403, 200]


def test_clickstream_takes_a_mebibyte_as_sent(server):
    """The limit is of the body as it goes over the wire, and inclusive."""
    body = json.dumps([clickstream_event(app_title="x" * (1 << 20))]).encode()
    cut = len(body) - (1 << 20)
    exact = json.dumps([clickstream_event(app_title="x" * ((1 << 20) - cut))]).encode()
    assert len(exact) == 1 << 20
    assert [collected(server, sized)[0] for sized in (exact, exact + b" ")] == [200, 413]
    packed = base64.b64encode(gzip.compress(body, mtime=0))
    assert collected(server, packed, "appId=shop&compression=gzip")[0] == 200


def test_clickstream_path_is_an_option():
    """The path of the endpoint is the project's to choose."""
    with Rehearsal(collect_path="/in") as server:
        assert server.addresses["clickstream"] == f"{server.url}/in"
        assert [sent(server, "POST", f"{path}?appId=a", {}, [])[0] for path in ("/in", "/collect")] == [
            200,
            403,
        ]


def test_clickstream_ping_and_preflight(server):
    """The server tells its time to who knows an app id, and browsers whether they may post."""
    status, _, body = sent(server, "GET", "/ping?appId=shop")
    assert (status, abs(json.loads(body)["server_time"] / 1000 - time.time()) < 60) == (200, True)
    assert sent(server, "OPTIONS", "/collect?appId=shop", {"Origin": "https://shop.example.com"})[0] == 204


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"event_type": "t"}', "no_array"),
        (b"", "no_array"),
        (b"text", "no_array"),
        (
            base64.b64encode(gzip.compress(b"[" + b"x" * 90 + b"]", mtime=0)).replace(b"+", b"-") + b"\n_",
            "no_array",
        ),
        (b"[1,", "no_array"),
        (b"[1,]", "no_json"),
        (b"[7]", "no_object"),
        ([clickstream_event(event_id=None)], "missing_required"),
        ([clickstream_event(timestamp=1.5)], "wrong_type"),
        ([clickstream_event(timestamp="1")], "wrong_type"),
        ([clickstream_event(screen_width=True)], "wrong_type"),
        ([clickstream_event(zone_offset=None)], "no_zone_offset"),
        ([clickstream_event(attributes=None)], "no_attributes"),
        ([clickstream_event(event_type="")], "no_event_type"),
        ([clickstream_event(timestamp=9_999_999_999_999)], "in_the_future"),
        ([clickstream_event(items={})], "items_malformed"),
        ([clickstream_event(user={"_user_id": "u"})], "user_malformed"),
        (
            [clickstream_event(user={"_user_id": {"value": "u", "set_timestamp": 1, "more": 1}})],
            "user_malformed",
        ),
        ([clickstream_event(attributes={"_previous_timestamp": "x"})], "wrong_type"),
    ],
)
def test_clickstream_answers_200_to_what_it_will_lose(body, code):
    """The client hears that all is well; the accounts tell what the pipeline would do with it."""
    with Rehearsal() as server:
        assert collected(server, body)[::2] == (200, b"")
        assert reasons(server, "clickstream") == [code]
        assert all(row["later"] for row in server.rejected())
        assert server.stats()["lost_later"] == 1
        assert list(server.accepted()) == []


def test_clickstream_loses_only_the_bad_event(server):
    """One bad event in a batch is lost alone."""
    before = len(list(server.accepted("clickstream")))
    collected(server, [clickstream_event(1), clickstream_event(2, zone_offset=None), clickstream_event(3)])
    assert [row["id"] for row in server.accepted("clickstream")][before:] == ["e1", "e3"]


def test_clickstream_age_limit():
    """Older events are dropped without a word, but for those that have no age."""
    now = int(time.time() * 1000)
    young, old = now - 71 * 3_600_000, now - 73 * 3_600_000
    events = [
        clickstream_event(1, timestamp=young),
        clickstream_event(2, timestamp=old),
        clickstream_event(3, timestamp=old, event_type="_first_open"),
    ]
    with Rehearsal(age_limit_hours=72) as server:
        assert collected(server, events)[0] == 200
        assert [row["id"] for row in server.accepted()] == ["e1", "e3"]
        assert reasons(server, None) == ["age_limit"]


def test_clickstream_drops_other_apps_and_spiders():
    """The app id inside counts later, and some user agents are nobody's."""
    with Rehearsal(app_ids=("shop",)) as server:
        collected(server, [clickstream_event(app_id="other")])
        collected(server, [clickstream_event()], **{"User-Agent": "Python-urllib/3.11"})
        collected(server, [clickstream_event()], **{"User-Agent": "python-urllib3/2.8"})
        assert reasons(server, None) == ["unknown_app", "bot"]
        assert server.stats()["accepted"] == 1


def test_clickstream_opens_what_is_packed():
    """Base64 of gzip is found by looking, HTTP's own gzip by its header; other codings are refused."""
    text = json.dumps([clickstream_event()]).encode()
    packed = base64.b64encode(gzip.compress(text, mtime=0))
    with Rehearsal() as server:
        hashed = hashlib.sha256(packed).hexdigest()[:8]
        assert (
            collected(
                server, packed, f"appId=shop&compression=gzip&event_bundle_sequence_id=7&hashCode={hashed}"
            )[0]
            == 200
        )
        assert collected(server, gzip.compress(text, mtime=0), **{"Content-Encoding": "gzip"})[0] == 200
        assert collected(server, text, **{"Content-Encoding": "gzip"})[0] == 422
        assert collected(server, text, **{"Content-Encoding": "br"})[0] == 415
        rows = list(server.accepted())
        assert [row["id"] for row in rows] == ["e1", "e1"]
        assert rows[0]["context"] == {"event_bundle_sequence_id": "7"}
        assert server.stats()["notes"] == {}
        collected(server, text, "appId=shop&hashCode=00000000")
        assert len(server.stats()["notes"]) == 1


# Pinpoint

AT = "2023-10-07T12:00:00.000Z"


def session(**members):
    """Make an event with a session."""
    return pinpoint_event(Session={"Id": "s", "StartTimestamp": AT, **members})


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (pinpoint_event(Attributes={f"a{n}": "" for n in range(40)}), pinpoint_event(Attributes={f"a{n}": "" for n in range(41)}), "Number of attributes per event"),
        (pinpoint_event(Attributes={f"a{n}": "" for n in range(39)}, Metrics={"m": 1}), pinpoint_event(Attributes={f"a{n}": "" for n in range(39)}, Metrics={"m": 1, "n": 1}), "Number of attributes per event"),
        (pinpoint_event(Attributes={"k" * 50: ""}), pinpoint_event(Attributes={"k" * 51: ""}), "Event attribute key length"),
        (pinpoint_event(Metrics={"k" * 50: 1}), pinpoint_event(Metrics={"k" * 51: 1}), "Event metric key length"),
        (pinpoint_event(Attributes={"k": "ü" * 200}), pinpoint_event(Attributes={"k": "ü" * 201}), "Event attribute value length"),
        (pinpoint_event(), pinpoint_event(EventType=""), "EventType"),
        (pinpoint_event(Timestamp="2023-10-07T12:34:56"), pinpoint_event(Timestamp="7 October"), "Timestamp"),
        (session(StopTimestamp="2023-10-07T12:00:00.500Z", Duration=500), session(StopTimestamp="2023-10-07T12:00:00.500Z", Duration=501), "Session duration in milliseconds"),
        (session(Duration=0), session(StopTimestamp=AT, Duration=2**70), "Session duration in milliseconds"),
        (session(StopTimestamp=AT), session(Id=""), "Session Id"),
        (pinpoint_event(AppTitle="x" * 999_900), pinpoint_event(AppTitle="x" * 1_000_000), "Event size"),
    ],
)  # fmt: skip
def test_pinpoint_judges_each_event(server, good, bad, message):
    """Within one answer of 202 the good event is accepted and the bad one is not."""
    status, results = put(server, {"good": good, "bad": bad})
    answers = results["EventsItemResponse"]
    assert (status, answers["good"]) == (202, {"StatusCode": 202, "Message": "Accepted"})
    assert answers["bad"]["StatusCode"] == 400
    assert answers["bad"]["Message"].startswith(message)


def test_pinpoint_takes_a_hundred_events(server):
    """A hundred, over all endpoints; one more, and nothing is taken."""
    before = server.stats()["targets"].get("pinpoint", {"accepted": 0})["accepted"]
    halves = {
        f"ep{half}": {"Endpoint": {}, "Events": {str(n): pinpoint_event() for n in range(50)}}
        for half in (0, 1)
    }
    assert sent(server, "POST", "/v1/apps/a/events", SIGNED, {"BatchItem": halves})[0] == 202
    halves["ep1"]["Events"]["one more"] = pinpoint_event()
    assert sent(server, "POST", "/v1/apps/a/events", SIGNED, {"BatchItem": halves})[0] == 400
    assert server.stats()["targets"]["pinpoint"]["accepted"] - before == 100


def test_pinpoint_takes_four_megabytes(server):
    """The size of the body, to the byte."""
    events = {str(n): pinpoint_event(AppTitle="x" * 799_000) for n in range(5)}
    text = json.dumps({"BatchItem": {"ep": {"Endpoint": {}, "Events": events}}}).encode()
    exact = text + b" " * (4_000_000 - len(text))
    assert [sent(server, "POST", "/v1/apps/a/events", SIGNED, body)[0] for body in (exact, exact + b" ")] == [
        202,
        413,
    ]


def test_pinpoint_refuses_an_endpoint_and_takes_its_events(server):
    """The endpoint has a result of its own."""
    for endpoint in (
        {"ChannelType": "FOO"},
        {"Address": "a@example.com"},
        {"Attributes": {"k": ["x" * 15_000]}},
    ):
        status, results = put(server, {"x": pinpoint_event()}, endpoint)
        assert (status, results["EndpointItemResponse"]["StatusCode"]) == (202, 400)
        assert results["EventsItemResponse"]["x"]["StatusCode"] == 202


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code"),
    [
        ("POST", "/v1/apps/a/events", {}, b"{}", 403, "MissingAuthenticationTokenException"),
        (
            "POST",
            "/v1/apps/a/events",
            {"Authorization": "Basic x"},
            b"{}",
            403,
            "IncompleteSignatureException",
        ),
        ("GET", "/v1/apps/a/events", SIGNED, b"", 405, "MethodNotAllowedException"),
        ("POST", "/v1/apps/a/other", SIGNED, b"{}", 404, "NotFoundException"),
        ("POST", "/v1/apps/a/events", SIGNED, b"{", 400, "BadRequestException"),
        ("POST", "/v1/apps/a/events", SIGNED, b"{}", 400, "BadRequestException"),
        ("POST", "/v1/apps/a/events", SIGNED, b'{"BatchItem": []}', 400, "BadRequestException"),
        (
            "POST",
            "/v1/apps/a/events",
            SIGNED,
            b'{"BatchItem": {"e": {"Events": {"x": {"Attributes": {"a": 1}}}}}}',
            400,
            "BadRequestException",
        ),
        (
            "POST",
            "/v1/apps/a/events",
            SIGNED,
            b'{"BatchItem": {"e": {"Events": {"x": {"Metrics": {"a": "NaN"}}}}}}',
            400,
            "BadRequestException",
        ),
        ("PUT", "/v1/apps/a/endpoints/e", SIGNED, b'{"User": 1}', 400, "BadRequestException"),
        ("POST", "/events", {}, b"{}", 403, "MissingAuthenticationTokenException"),
        ("GET", "/events", SIGNED, b"", 405, "UnknownOperationException"),
        ("POST", "/events", SIGNED, b"[", 400, "SerializationException"),
        ("POST", "/2014-06-05/events", {}, b"{}", 403, "MissingAuthenticationTokenException"),
    ],
)
def test_aws_tells_errors_as_its_clients_read_them(server, method, path, headers, body, status, code):
    """The status, the code in a header, a message and the id of the request."""
    answered, told, content = sent(server, method, path, headers, body)
    assert (answered, told["x-amzn-errortype"]) == (status, code)
    assert told["x-amzn-requestid"]
    assert {name.lower() for name in json.loads(content)} >= {"message"}


# Personalize


def personalized(server, events=None, **members):
    """Post events to Personalize; give the status and the error's code."""
    body = {
        "trackingId": "t",
        "sessionId": "s",
        "eventList": events or [{"eventType": "View", "sentAt": 1}],
        **members,
    }
    status, headers, _ = sent(server, "POST", "/events", SIGNED, body)
    return status, headers.get("x-amzn-errortype")


def view(**members):
    """Make an event for Personalize."""
    return {"eventType": "View", "sentAt": 1700000000, **members}


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ([view()] * 10, [view()] * 11),
        ([view(eventId="x" * 256)], [view(eventId="x" * 257)]),
        ([view(itemId="x" * 256)], [view(itemId="x" * 257)]),
        ([view(itemId="x")], [view(itemId="")]),
        ([view(eventType="x" * 256)], [view(eventType="x" * 257)]),
        ([view(recommendationId="x" * 40)], [view(recommendationId="x" * 41)]),
        ([view(impression=["x"] * 25)], [view(impression=["x"] * 26)]),
        ([view(properties=json.dumps({"a": "x" * 1015}))], [view(properties=json.dumps({"a": "x" * 1016}))]),
        ([view(properties='{"itemId":"x"}')], [view(properties='{"TimeStamp":"x"}')]),
        ([view(properties="{}")], [view(properties="[]")]),
        ([view(properties='{"a":1}')], [view(properties="{a:1}")]),
        (
            [view(metricAttribution={"eventAttributionSource": " x"})],
            [view(metricAttribution={"eventAttributionSource": "  "})],
        ),
        (
            [view(metricAttribution={"eventAttributionSource": "x"})],
            [view(metricAttribution={"eventAttributionSource": "ü"})],
        ),
        ([view(eventValue=1.5)], [{"eventType": "View"}]),
    ],
)
def test_personalize_keeps_to_the_model(server, good, bad):
    """What the model allows is taken; one past it, the whole call is refused."""
    assert personalized(server, good) == (200, None)
    assert personalized(server, bad) == (400, "InvalidInputException")


def test_personalize_limits_ids_and_types(server):
    """The call's own members have limits too, and types are told apart from limits."""
    for name in ("trackingId", "sessionId", "userId"):
        assert personalized(server, **{name: "x" * 256}) == (200, None)
        assert personalized(server, **{name: "x" * 257}) == (400, "InvalidInputException")
    assert personalized(server, [view(properties={"a": 1})]) == (400, "SerializationException")
    assert personalized(server, [view(eventValue="NaN")]) == (400, "SerializationException")
    assert personalized(server, [view(extra="x" * 10_300)]) == (400, "InvalidInputException")


def test_personalize_takes_all_or_nothing():
    """One bad event, and all of its call are rejected, each with the reason."""
    with Rehearsal() as server:
        personalized(server, [view(eventId="good"), view(eventId="bad", itemId="")])
        assert [(row["id"], row["code"], row["later"]) for row in server.rejected()] == [
            ("good", "InvalidInputException", False),
            ("bad", "InvalidInputException", False),
        ]
        assert list(server.accepted()) == []


# Mobile Analytics


def recorded(server, events, context=CONTEXT, body=None, **headers):
    """Post events to Mobile Analytics; give the status and the error's code."""
    told = {**SIGNED, **({"x-amz-Client-Context": json.dumps(context)} if context else {}), **headers}
    text = json.dumps({"events": events}).encode() if body is None else body
    status, answered, _ = sent(server, "POST", "/2014-06-05/events", told, text)
    assert answered["x-amzn-requestid"]
    return status, answered.get("x-amzn-errortype")


def tick(**members):
    """Make an event for Mobile Analytics."""
    return {"eventType": "tick", "timestamp": "2016-03-14T09:26:53.589Z", "version": "v2.0", **members}


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (
            tick(attributes={f"a{n}": "" for n in range(40)}),
            tick(attributes={f"a{n}": "" for n in range(40)}, metrics={"m": 1}),
        ),
        (tick(attributes={"k" * 50: ""}), tick(attributes={"k" * 51: ""})),
        (tick(attributes={"k": "v" * 200}), tick(attributes={"k": "v" * 201})),
        (tick(attributes={}), tick(attributes={"k": 1})),
        (tick(metrics={"k" * 50: 1.5, "null": None}), tick(metrics={"k" * 51: 1})),
        (tick(metrics={"k": 0}), tick(metrics={"k": "1"})),
        (tick(eventType="e" * 50), tick(eventType="e" * 51)),
        (tick(timestamp="2016-03-14T09:26:53Z"), tick(timestamp="yesterday")),
        ({"eventType": "tick", "timestamp": "2016-03-14T09:26:53.589Z"}, tick(version="v1.0")),
        (tick(session={}), tick(session={"id": "s" * 51})),
        (tick(session={"id": "s", "duration": None}), tick(session={"id": "s", "duration": "1"})),
    ],
)
def test_mobile_analytics_judges_events(server, good, bad):
    """What its document and its clients allow is taken; one past it, the whole call is refused."""
    assert recorded(server, [good]) == (202, None)
    assert recorded(server, [good, bad]) == (400, "BadRequestException")


def test_mobile_analytics_judges_requests(server):
    """The context plain or in base64, the body plain or gzipped; what is missing or invalid is refused."""
    packed = gzip.compress(json.dumps({"events": [tick()]}).encode())
    encoded = {
        "x-amz-Client-Context": base64.b64encode(json.dumps(CONTEXT).encode()).decode(),
        "x-amz-Client-Context-Encoding": "base64",
    }
    assert recorded(server, [], None, packed, **encoded, **{"Content-Encoding": "gzip"}) == (202, None)
    for context in (None, [], {}, {"client": {"client_id": "c"}}, {**CONTEXT, "client": {}}):
        assert recorded(server, [tick()], context) == (400, "BadRequestException")
    for body in (b"", b"{}", b'{"events": []}', b'{"events": [1]}', b"[", packed[:-4]):
        assert recorded(server, [], body=body) == (400, "BadRequestException")
    assert recorded(server, [tick()], **{"x-amz-Client-Context-Encoding": "base64"}) == (
        400,
        "BadRequestException",
    )
    text = json.dumps({"events": [tick()]}).encode()
    assert recorded(server, [], body=text + b" " * ((1 << 20) - len(text))) == (202, None)
    assert recorded(server, [], body=text + b" " * ((1 << 20) - len(text) + 1)) == (
        413,
        "RequestEntityTooLargeException",
    )


def test_mobile_analytics_knows_its_apps():
    """Another application is not authorized; its events are not held against it."""
    with Rehearsal(app_ids=("other",)) as server:
        assert recorded(server, [tick()]) == (403, "AccessDeniedException")
        assert (server.stats()["deferred"], server.stats()["rejected"]) == (1, 0)


# Learning Context


def learned(server, data=None, path="/3/events/update", **fields):
    """Post a form to Learning Context; give the status, the result and the reason."""
    form = {
        **VECTOR,
        **({} if data is None else {"data": data if isinstance(data, str) else json.dumps(data)}),
        **fields,
    }
    status, _, body = sent(
        server, "POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()
    )
    content = json.loads(body)
    assert content["APIVersion"] == 3
    return status, content["result"], content.get("reason")


def test_learning_context_verifies_its_signature():
    """The vector of the formula is let in, at doubled slashes too; with another secret, user or data it is not."""
    assert learning_context.signature(VECTOR, "not-a-real-secret", "not-a-real-password") == VECTOR["h"]
    with Rehearsal(**VECTOR_KEYS) as server:
        for path in ("/3/events/update", "/3//events/update"):
            assert learned(server, path=path) == (200, 1, None)
        for change in ({"h": "0" * 40}, {"user": "bob"}, {"aid": "2"}, {"nonce": "other"}, {"data": "[]"}):
            assert learned(server, **change) == (403, 0, "Authentication failed")
        assert [row["event"]["entities"] for row in server.accepted()] == [
            [{"key": "room", "value": "a *~ ä"}]
        ] * 2
        assert server.stats()["rejected"] == 0


def lesson(**members):
    """Make an event for Learning Context."""
    return {
        "action": "START",
        "type": "APPSTART",
        "timestamp": 1365772427,
        "session": "8nc92io9q",
        "entities": [],
        **members,
    }


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (lesson(session="s" * 8), lesson(session="s" * 7)),
        (lesson(session="s" * 20), lesson(session="s" * 21)),
        (lesson(session=""), lesson(action="END", session="")),
        (lesson(action="END"), lesson(action="STOP")),
        (lesson(timestamp=1), lesson(timestamp=1.5)),
        (lesson(entities=[{"key": "k"}]), lesson(entities=[{"value": "v"}])),
        (lesson(type="CUSTOM"), lesson(type="")),
    ],
)
def test_learning_context_judges_events(server, good, bad):
    """A bad event gives result 0 with its reason, and nothing of the call is taken."""
    assert learned(server, [good]) == (200, 1, None)
    before = server.stats()["accepted"]
    status, result, reason = learned(server, [good, bad])
    assert (status, result) == (200, 0)
    assert reason.startswith("Wrong data: event 1")
    assert server.stats()["accepted"] == before


def test_learning_context_judges_forms(server):
    """Data is an array of JSON, and all five fields are there."""
    assert learned(server, "{}")[:2] == (200, 0)
    assert learned(server, "[")[:2] == (200, 0)
    assert sent(server, "POST", "/3/events/update", {}, b"data=[]&aid=1")[0] == 403
    assert sent(server, "GET", "/3/events/update")[0] == 405


# Whatever comes

PATHS = [
    "/collect?appId=a",
    "/v1/apps/a/events",
    "/v1/apps/a/endpoints/e",
    "/events",
    "/2014-06-05/events",
    "/3/events/update",
]
WORDS = st.sampled_from(
    "BatchItem Events Endpoint Session Attributes Duration StartTimestamp eventList properties events trackingId sessionId x".split()
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def desk():
    """Give a desk without a server before it."""
    alone = Desk(Options())
    yield alone
    alone.ledger.close()


def handed(desk, target, body):
    """Hand a body to the desk, as if it had come over the wire; give the status."""
    path, _, query = target.partition("?")
    headers = {"authorization": SIGNED["Authorization"], "x-amz-client-context": json.dumps(CONTEXT)}
    method = "PUT" if "/endpoints/" in path else "POST"
    return desk.answer(HttpRequest(method, path, query, headers, body, len(body), 0.0)).reply.status


@given(target=st.sampled_from(PATHS), value=VALUES, tail=st.binary(max_size=20))
def test_no_body_breaks_the_desk(desk, target, value, tail):
    """Whatever a body holds is answered, what it brought can be written down, and the counts add up."""
    text = json.dumps(value)
    for body in (
        text.encode(),
        text.encode() + tail,
        f'{{"events": {text}}}'.encode(),
        urlencode({**VECTOR, "data": text}).encode(),
    ):
        assert handed(desk, target, body) in (200, 202, 400, 403)
    counts = desk.stats()
    assert counts["events"] == counts["accepted"] + counts["rejected"] + counts["deferred"]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_no_depth_breaks_the_desk(desk, opening):
    """Bodies nested ever deeper are taken, written down, or refused, and nothing between."""
    closing = b"]" if opening == b"[" else b"}"
    for depth in (10, 800, *range(880, 1010), 100_000):
        assert handed(desk, "/collect?appId=a", b"[" + opening * depth + b"1" + closing * depth + b"]") == 200
