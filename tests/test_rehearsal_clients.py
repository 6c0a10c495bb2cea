"""Real clients against the rehearsal, unmodified: boto3, the AWS CLI, and what others sent when they were recorded."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys

import boto3
import pytest
import rehearsed
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ConnectionClosedError

from translate.rehearsal import Rehearsal
from translate.rehearsal.aws import denial_of
from translate.rehearsal.messages import HttpRequest

SERVICES = {"pinpoint": "mobiletargeting", "mobile_analytics": "mobileanalytics"}
RECORDINGS = {
    "pinpoint": rehearsed.pinpoint_recording,
    "mobile_analytics": rehearsed.mobile_analytics_recording,
}
EVENT = {"EventType": "t", "Timestamp": "2023-10-07T12:34:56.789Z", "Metrics": {"m": 1.0}}


def client(server, service, attempts=1, **keys):
    """Make a client of boto3."""
    return boto3.client(
        service, endpoint_url=server.url, region_name="us-east-1", config=Config(retries={"total_max_attempts": attempts}),
        aws_access_key_id=keys.get("access_key", "any"), aws_secret_access_key=keys.get("secret_key", "thing"),
    )  # fmt: skip


def put_events(pinpoint, events, app="app"):
    """Send events to Pinpoint by boto3, for one endpoint."""
    answer = pinpoint.put_events(
        ApplicationId=app, EventsRequest={"BatchItem": {"ep": {"Endpoint": {}, "Events": events}}}
    )
    return answer["EventsResponse"]["Results"]["ep"]["EventsItemResponse"]


def interaction(**members):
    """Make an event for Personalize."""
    return {"eventType": "View", "itemId": "b-1", "sentAt": 1696682096.789, **members}


def test_boto3_puts_events_into_pinpoint():
    """Events are accepted one by one, and stand in the account with their ids."""
    with Rehearsal() as server:
        assert put_events(client(server, "pinpoint"), {"x": EVENT, "y": EVENT}) == {
            "x": {"StatusCode": 202, "Message": "Accepted"},
            "y": {"StatusCode": 202, "Message": "Accepted"},
        }
        assert [(row["app"], row["id"], row["context"]) for row in server.accepted()] == [
            ("app", "x", {"endpoint": "ep"}),
            ("app", "y", {"endpoint": "ep"}),
        ]


def test_boto3_updates_an_endpoint():
    """UpdateEndpoint answers 202 with a message; what it cannot mean is a BadRequestException."""
    with Rehearsal() as server:
        pinpoint = client(server, "pinpoint")
        update = {"ApplicationId": "app", "EndpointId": "ep"}
        answer = pinpoint.update_endpoint(
            **update, EndpointRequest={"ChannelType": "EMAIL", "Address": "a@example.com"}
        )
        assert answer["MessageBody"]["Message"] == "Accepted"
        with pytest.raises(pinpoint.exceptions.BadRequestException):
            pinpoint.update_endpoint(**update, EndpointRequest={"Address": "a@example.com"})


def test_boto3_puts_events_into_personalize():
    """A call is answered with 200 and nothing, and its events stand in the account."""
    with Rehearsal() as server:
        answer = client(server, "personalize-events").put_events(
            trackingId="t",
            userId="u",
            sessionId="s",
            eventList=[interaction(eventId="1", properties='{"a":"b"}'), interaction()],
        )
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        rows = list(server.accepted("personalize"))
        assert [row["id"] for row in rows] == ["1", None]
        assert rows[0]["context"] == {"userId": "u", "sessionId": "s"}
        assert rows[0]["event"]["sentAt"] == 1696682096.789


@pytest.mark.parametrize(
    ("app", "count", "padding", "exception"),
    [
        ("app", 101, 0, "BadRequestException"),
        ("other", 1, 0, "NotFoundException"),
        ("app", 1, 4_000_000, "PayloadTooLargeException"),
    ],
)
def test_boto3_makes_exceptions_of_pinpoints_errors(app, count, padding, exception):
    """The codes are those that the model declares, so that callers can catch them by name."""
    events = {str(number): {**EVENT, "AppTitle": "x" * padding} for number in range(count)}
    with Rehearsal(app_ids=("app",)) as server, pytest.raises(ClientError) as caught:
        put_events(client(server, "pinpoint"), events, app)
    assert type(caught.value).__name__ == exception
    assert caught.value.response["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    ("options", "service", "code", "status"),
    [
        ({"throttle": 1}, "pinpoint", "TooManyRequestsException", 429),
        ({"throttle": 1}, "personalize-events", "ThrottlingException", 429),
        ({"errors": 1}, "pinpoint", "InternalServerErrorException", 500),
        ({"errors": 1}, "personalize-events", "InternalFailure", 500),
        ({"access_key": "AK", "secret_key": "right"}, "pinpoint", "UnrecognizedClientException", 403),
        (
            {"access_key": "any", "secret_key": "right"},
            "personalize-events",
            "InvalidSignatureException",
            403,
        ),
        ({"app_ids": ("known",)}, "personalize-events", "InvalidInputException", 400),
    ],
)
def test_boto3_sees_misbehaviour_and_locked_doors(options, service, code, status):
    """Throttling, failures, wrong credentials and unknown trackers come with the service's own codes."""
    with Rehearsal(**options) as server, pytest.raises(ClientError) as caught:
        if service == "pinpoint":
            put_events(client(server, service), {"x": EVENT})
        else:
            client(server, service).put_events(trackingId="t", sessionId="s", eventList=[interaction()])
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_boto3_is_let_in_by_its_own_signature():
    """A signature of the right credentials is verified, over paths that need encoding too."""
    with Rehearsal(**rehearsed.KEYS) as server:
        assert (
            put_events(client(server, "pinpoint", **rehearsed.KEYS), {"x": EVENT}, "app 1/é")["x"][
                "StatusCode"
            ]
            == 202
        )
        client(server, "personalize-events", **rehearsed.KEYS).put_events(
            trackingId="t", sessionId="s", eventList=[interaction()]
        )
        assert [row["app"] for row in server.accepted()] == ["app 1/é", "t"]


def test_boto3_retries_what_it_would_retry():
    """Its own retries mend a throttled request: the rehearsal's misbehaviour is the kind that it knows."""
    with Rehearsal(seed=3, throttle=0.5) as server:
        for _ in range(3):
            put_events(client(server, "pinpoint", attempts=6), {"x": EVENT})
        counts = server.stats()
        assert counts["accepted"] == 3
        assert counts["deferred"] == counts["statuses"]["429"] > 0


@pytest.mark.parametrize(("options", "kept"), [({"reset_before": 1}, 0), ({"reset_after": 1}, 1)])
def test_boto3_loses_its_answer(options, kept):
    """A reset looks the same to a client, whether the events were taken or not."""
    with Rehearsal(**options) as server:
        with pytest.raises(ConnectionClosedError):
            put_events(client(server, "pinpoint"), {"x": EVENT})
        assert len(list(server.accepted())) == kept
        assert server.stats()["answers_lost"] == kept


@pytest.mark.parametrize(
    ("service", "request_of"),
    [
        (
            "pinpoint",
            {
                "ApplicationId": "app",
                "EventsRequest": {"BatchItem": {"ep": {"Endpoint": {}, "Events": {"x": EVENT}}}},
            },
        ),
        (
            "personalize-events",
            {"trackingId": "t", "sessionId": "s", "eventList": [interaction(eventId="x")]},
        ),
    ],
)
def test_the_aws_command_line_puts_events(service, request_of, tmp_path):
    """The AWS CLI sends a request from a file, signed, and is answered."""
    pytest.importorskip("awscli")
    (tmp_path / "request.json").write_text(json.dumps(request_of))
    call = [sys.executable, "-m", "awscli", service, "put-events", "--cli-input-json", "file://request.json"]
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    with Rehearsal(**rehearsed.KEYS) as server:
        place = ["--endpoint-url", server.url, "--region", "us-east-1"]
        done = subprocess.run(
            [*call, *place],
            check=False,
            cwd=tmp_path,
            env={**os.environ, **keys},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert [row["id"] for row in server.accepted()] == ["x"]
    if service == "pinpoint":
        assert (
            json.loads(done.stdout)["EventsResponse"]["Results"]["ep"]["EventsItemResponse"]["x"][
                "StatusCode"
            ]
            == 202
        )


def test_recorded_requests_to_pinpoint():
    """What boto3 sent, byte for byte: taken; empty; of an unknown channel; with one event too many."""
    with Rehearsal() as server:
        assert rehearsed.replayed(server, rehearsed.pinpoint_recording()) == [202, 202, 202, 400]
        assert [(row["app"], row["id"]) for row in server.accepted()] == [("app 1/é", "e-1")]
        assert {row["message"] for row in server.rejected()} == {
            "Timestamp is not in ISO 8601 format.",
            "Number of events per request should be at most 100, and there are 101.",
        }


def test_recorded_requests_to_mobile_analytics():
    """What the JavaScript SDK sent, contexts plain and in base64, null durations among it, is all taken."""
    with Rehearsal() as server:
        assert rehearsed.replayed(server, rehearsed.mobile_analytics_recording()) == [202] * 6
        bodies = [json.loads(body)["events"] for *_, body in rehearsed.mobile_analytics_recording()]
        assert [row["event"] for row in server.accepted()] == [event for events in bodies for event in events]


def test_recorded_requests_to_clickstream():
    """What the web SDK sent is received, and nothing of it would be lost."""
    recording = list(rehearsed.clickstream_recording())
    with Rehearsal(app_ids=("shop_node",)) as server:
        assert rehearsed.replayed(server, recording) == [200] * len(recording)
        assert [row["id"] for row in server.accepted()] == [
            event["event_id"] for *_, body in recording for event in json.loads(body)
        ]
        assert server.stats()["notes"] == {}, "each hashCode is that of its body"


@pytest.mark.parametrize("target", SERVICES)
def test_recorded_signatures_are_those_of_their_credentials(target):
    """What boto3 and the JavaScript SDK signed is found right at its time, and wrong later or with another key."""
    for method, path, headers, body in RECORDINGS[target]():
        request = HttpRequest(
            method, path, "", {name.lower(): value for name, value in headers.items()}, body, len(body), 0.0
        )
        now = dt.datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        asked = (request, SERVICES[target], "AKIDEXAMPLE")
        assert denial_of(*asked, "secret", now) is None
        assert denial_of(*asked, "another", now).code == "InvalidSignatureException"
        assert "expired" in denial_of(*asked, "secret", now + dt.timedelta(minutes=6)).message
        assert "not yet current" in denial_of(*asked, "secret", now - dt.timedelta(minutes=6)).message
        request.body += b" "
        assert denial_of(*asked, "secret", now).code == "InvalidSignatureException"


def test_a_beacon_with_its_signature_in_the_address():
    """Older browser libraries sent the last events by a beacon, signed in the query, to a path of its own."""

    class BeaconAuth(SigV4QueryAuth):
        """Hashes the body, as the library did."""

        def _modify_request_before_signing(self, request):
            body, request.data = request.data, b""
            super()._modify_request_before_signing(request)
            request.data = body

    body = json.dumps({"BatchItem": {"ep": {"Endpoint": {}, "Events": {"x": EVENT}}}}).encode()
    with Rehearsal(**rehearsed.KEYS) as server:
        request = AWSRequest("POST", f"{server.url}/v1/apps/app/events/legacy", data=body)
        BeaconAuth(Credentials("AKIDEXAMPLE", "secret"), "mobiletargeting", "us-east-1").add_auth(request)
        target = request.url.removeprefix(server.url)
        headers = {"Host": server.url.removeprefix("http://"), "Content-Type": "text/plain;charset=UTF-8"}
        assert rehearsed.sent(server, "POST", target, headers, body)[0] == 202
        assert rehearsed.sent(server, "POST", target, headers, body + b" ")[0] == 403
        assert rehearsed.sent(server, "POST", "/v1/apps/app/events/legacy", headers, body)[0] == 403
