"""`validate` judges what is read: at a limit nothing is said, one past it the limit is named, and no byte changes."""

import base64
import copy
import csv
import gzip
import hashlib
import json

import polars as pl
import pytest

import translate
from translate import mapping
from translate.judging.judges import JUDGES, TOGETHER
from translate.mapping.checks import ARCHIVE_LIMITS, WORDS

TIME = 1_500_000_000_000

CLICKSTREAM = {
    "event_type": "level_up", "event_id": "e-1", "timestamp": TIME, "app_id": "shop", "unique_id": "u-1", "zone_offset": 0,
    "attributes": {"color": "red", "count": 3, "_session_id": "s-1"},
}  # fmt: skip
PINPOINT = {
    "EventType": "level_up", "Timestamp": "2017-07-14T02:40:00.000Z", "Attributes": {"color": "red"}, "Metrics": {"count": 3},
    "Session": {"Id": "s-1", "StartTimestamp": "2017-07-14T02:39:00.000Z", "StopTimestamp": "2017-07-14T02:40:00.001Z", "Duration": 60_001},
}  # fmt: skip
MOBILE = {
    "eventType": "level_up", "timestamp": "2017-07-14T02:40:00.000Z", "version": "v2.0", "attributes": {"color": "red"},
    "metrics": {"count": 3}, "session": {"id": "s-1", "startTimestamp": "2017-07-14T02:39:00.000Z"},
}  # fmt: skip
CONTEXT = {
    "client": {"client_id": "c-1", "app_title": "Shop"}, "env": {"platform": "ANDROID"}, "custom": {},
    "services": {"mobile_analytics": {"app_id": "a-1"}},
}  # fmt: skip
LEARNING = {
    "action": "UPDATE", "type": "POSITION", "timestamp": TIME // 1000, "session": "8nc92io9q",
    "entities": [{"key": "lat", "value": 50.7}],
}  # fmt: skip
PERSONALIZE = {
    "eventId": "e-1", "eventType": "View", "sentAt": TIME // 1000, "itemId": "i-1", "eventValue": 1.5, "recommendationId": "r-1",
    "impression": ["i-1"], "properties": '{"numRatings":"12"}', "metricAttribution": {"eventAttributionSource": "mail"},
}  # fmt: skip
INTERACTION = {"USER_ID": "u-1", "ITEM_ID": "i-1", "TIMESTAMP": TIME // 1000, "EVENT_TYPE": "View"}


def clickstream_request(*events):
    body = base64.b64encode(gzip.compress(json.dumps(events).encode())).decode()
    return {"query": {"appId": "shop", "platform": "Android", "compression": "gzip"}, "body": body}


def clickstream_row(*events):
    return {
        "appId": "shop",
        "ingest_time": TIME,
        "data": json.dumps(events),
        "uri": "/collect",
        "method": "POST",
    }


def pinpoint_request(*events):
    batch = {"Endpoint": {}, "Events": {f"ev-{number}": event for number, event in enumerate(events)}}
    return {"ApplicationId": "a-1", "EventsRequest": {"BatchItem": {"ep-1": batch}}}


def mobile_request(*events):
    return {"client_context": CONTEXT, "body": {"events": list(events)}}


def personalize_call(*events):
    return {"trackingId": "t-1", "userId": "u-1", "sessionId": "s-1", "eventList": list(events)}


def learning_post(*events):
    return list(events)


BASES = {
    "clickstream/events": (CLICKSTREAM, lambda event: event),
    "clickstream/requests": (CLICKSTREAM, clickstream_request),
    "clickstream/raw": (CLICKSTREAM, clickstream_row),
    "pinpoint/requests": (PINPOINT, pinpoint_request),
    "mobile_analytics/requests": (MOBILE, mobile_request),
    "learning_context/events": (LEARNING, lambda event: event),
    "learning_context/requests": (LEARNING, learning_post),
    "personalize/requests": (PERSONALIZE, personalize_call),
}


def judged(tmp_path, address, *lines, **options):
    """Write lines to a file and judge it; its bytes must stay."""
    file = tmp_path / "rows.txt"
    file.write_text(
        "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines),
        encoding="utf-8",
    )
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    result = translate.validate(file, as_=address, **options)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    assert [path.name for path in tmp_path.iterdir()] == ["rows.txt"]
    return result


def said(result):
    """Give what is said of the events, by limit: is it hard?"""
    return {breach["limit"]: breach["hard"] for breach in result["breaches"]}


def changed(event, place, value):
    """Give an event with another value in a place; None takes the place away."""
    event = copy.deepcopy(event)
    *path, last = place
    inner = event
    for segment in path:
        inner = inner.setdefault(segment, {})
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value
    return event


@pytest.mark.parametrize("address", BASES)
def test_a_sound_row_is_left_alone(address, tmp_path):
    """What a layout's clients send breaks nothing."""
    event, wrap = BASES[address]
    result = judged(tmp_path, address, wrap(event), wrap(event))
    assert result["breaches"] == result["archive"] == []
    assert result["events"] == {"read": 2, "filtered": 0, "breached": 0, "refused": 0}


def keys(count, width=3):
    return {f"k{number:0{width}}": "v" for number in range(count)}


HARD, ADVICE = True, False
# A layout, a place in its event, a value at the limit, one past it, the limit, is it hard?
EDGES = [
    ("clickstream/events", ["items"], [{"id": "i"}] * 100, [{"id": "i"}] * 101, "items_max", HARD),
    ("clickstream/requests", ["attributes"], keys(500), keys(501), "attributes_max", HARD),
    ("clickstream/events", ["user"], {key: {"value": 1, "set_timestamp": TIME} for key in keys(100)},
     {key: {"value": 1, "set_timestamp": TIME} for key in keys(101)}, "user_attributes_max", HARD),
    ("clickstream/events", ["attributes", "color"], "r" * 1024, "r" * 1025, "value_characters_max", ADVICE),
    ("clickstream/events", ["event_type"], "n" * 50, "n" * 51, "names_characters_max", ADVICE),
    ("clickstream/events", ["event_type"], "n_1", "n.1", "names_pattern", ADVICE),
    ("clickstream/events", ["attributes"], {"a_1": 1}, {"1_a": 1}, "names_pattern", ADVICE),
    ("clickstream/events", ["attributes"], {"_screen_name": "x"}, {"_color": "x"}, "names_reserved", ADVICE),
    ("clickstream/events", ["user"], {"mail": {"value": "v" * 256}}, {"mail": {"value": "v" * 257}}, "user_value_characters_max", ADVICE),
    ("clickstream/events", ["items"], [{"id": "i" * 256}], [{"id": "i" * 257}], "item_value_characters_max", ADVICE),
    ("clickstream/events", ["app_id"], "a" * 127, "a" * 128, "values_pattern", ADVICE),
    ("clickstream/events", ["timestamp"], TIME, float(TIME), "whole_numbers", HARD),
    ("clickstream/events", ["timestamp"], TIME, str(TIME), "bad_time", HARD),
    ("clickstream/events", ["timestamp"], 946_684_800_000, 946_684_799_999, "time_implausible", HARD),
    ("clickstream/events", ["event_id"], "", None, "places_required", HARD),
    ("clickstream/events", ["event_type"], "a", None, "places_required", HARD),
    ("clickstream/raw", ["event_type"], "a", "", "names_filled", HARD),
    ("clickstream/events", ["zone_offset"], 3_600_000, None, "places_advised", ADVICE),
    ("clickstream/requests", ["zone_offset"], 0, None, "places_required", HARD),
    ("clickstream/requests", ["attributes"], {}, None, "places_required", HARD),
    ("clickstream/raw", ["zone_offset"], 0, None, "places_required", HARD),
    ("clickstream/raw", ["unique_id"], "u", None, "places_advised", ADVICE),
    ("clickstream/events", ["unique_id"], "u", None, "places_advised", ADVICE),
    ("clickstream/events", ["user"], {"_user_id": {"value": "u", "set_timestamp": TIME}}, {"_user_id": "u"}, "user_values_whole", HARD),
    ("clickstream/raw", ["user"], {"name": "u"}, {"_user_age": {"value": 7, "set_timestamp": TIME, "more": 1}}, "user_values_whole", HARD),
    ("clickstream/events", ["attributes"], {"_previous_timestamp": str(TIME)}, {"_previous_timestamp": "yesterday"}, "keys_numeric", HARD),
    ("clickstream/events", ["attributes"], {"_previous_timestamp": 1.5}, {"_previous_timestamp": True}, "keys_numeric", HARD),
    ("clickstream/events", ["items"], [{"item_id": "i"}], [{"name": "i"}], "items_need", ADVICE),
    ("clickstream/events", ["items"], [{"id": "i", "price": 1, **keys(10)}], [{"id": "i", **keys(11)}], "item_custom_max", ADVICE),
    ("clickstream/events", ["items"], [{"id": "i", "price": 1, **keys(10)}], [{"id": "i", "category": "c", **keys(11)}], "item_custom_max", ADVICE),
    ("pinpoint/requests", ["Attributes"], keys(39), keys(40), "names_and_values_max", HARD),
    ("pinpoint/requests", ["Attributes"], {"k" * 50: "v"}, {"k" * 51: "v"}, "key_characters_max", HARD),
    ("pinpoint/requests", ["Attributes", "color"], "r" * 200, "r" * 201, "text_characters_max", HARD),
    ("pinpoint/requests", ["Attributes", "color"], "5", 5, "exact_types", HARD),
    ("pinpoint/requests", ["Metrics", "count"], 5, True, "exact_types", HARD),
    ("pinpoint/requests", ["EventType"], "n" * 50, "n" * 51, "name_characters_max", ADVICE),
    ("pinpoint/requests", ["Session", "Duration"], 60_001, 60_000, "exact_duration", HARD),
    ("pinpoint/requests", ["Session", "StopTimestamp"], None, "2017-07-14T02:40:00.000Z", "exact_duration", HARD),
    ("pinpoint/requests", ["Session", "Id"], "s", None, "objects_whole", HARD),
    ("pinpoint/requests", ["Timestamp"], "2017-07-14T02:40:00Z", "yesterday", "bad_time", HARD),
    ("mobile_analytics/requests", ["metrics"], dict.fromkeys(keys(39), 1), dict.fromkeys(keys(40), 1), "names_and_values_max", HARD),
    ("mobile_analytics/requests", ["attributes"], {"k" * 50: "v"}, {"k" * 51: "v"}, "key_characters_max", HARD),
    ("mobile_analytics/requests", ["attributes", "color"], "r" * 200, "r" * 201, "text_characters_max", HARD),
    ("mobile_analytics/requests", ["eventType"], "n" * 50, "n" * 51, "name_characters_max", HARD),
    ("mobile_analytics/requests", ["session", "id"], "s" * 50, "s" * 51, "session_characters_max", HARD),
    ("mobile_analytics/requests", ["session", "id"], "s", "", "session_characters_max", HARD),
    ("mobile_analytics/requests", ["session"], {}, {"id": "s-1"}, "objects_whole", ADVICE),
    ("mobile_analytics/requests", ["attributes"], {"k": "v"}, {"": "v"}, "key_characters_min", HARD),
    ("mobile_analytics/requests", ["metrics"], {"k": 1}, {"": 1}, "key_characters_min", HARD),
    ("mobile_analytics/requests", ["version"], "v2.0", "v1.0", "version_usual", ADVICE),
    ("mobile_analytics/requests", ["version"], "v2.0", None, "places_advised", ADVICE),
    ("learning_context/events", ["session"], "s" * 8, "s" * 7, "characters_between", HARD),
    ("learning_context/requests", ["session"], "s" * 20, "s" * 21, "characters_between", HARD),
    ("learning_context/events", ["action"], "START", "BEGIN", "values_only", HARD),
    ("learning_context/events", ["type"], "PICTURE", "GAME", "values_usual", ADVICE),
    ("learning_context/events", ["entities"], [{"key": "a"}], [{"value": "a"}], "wrong_type", HARD),
    ("learning_context/events", ["timestamp"], TIME // 1000, TIME, "time_implausible", HARD),
    ("learning_context/requests", ["timestamp"], 2**31 - 1, 2**31, "timestamp_max", ADVICE),
    ("learning_context/events", ["entities"], [], None, "places_required", HARD),
    ("personalize/requests", ["metricAttribution"], None, {}, "members_needed", HARD),
    ("personalize/requests", ["properties"], "{}", {"a": "b"}, "texts_only", HARD),
    ("personalize/requests", ["itemId"], "5", 5, "texts_only", HARD),
    ("personalize/requests", ["impression"], ["i" * 256], ["i" * 257], "impression_items_max", HARD),
    ("personalize/requests", ["eventValue"], 3.4028234663852886e38, 3.5e38, "value_bits_max", ADVICE),
    ("personalize/requests", ["itemId"], "i" * 256, "i" * 257, "id_characters_max", HARD),
    ("personalize/requests", ["properties"], json.dumps({"a": "v" * 1015}), json.dumps({"a": "v" * 1016}), "properties_characters_max", HARD),
    ("personalize/requests", ["properties"], '{"itemId":"i"}', '{"TimeStamp":"1"}', "keys_reserved", HARD),
    ("personalize/requests", ["impression"], ["i"] * 25, ["i"] * 26, "impression_items_max", HARD),
    ("personalize/requests", ["recommendationId"], "r" * 40, "r" * 41, "recommendation_id_characters_max", HARD),
    ("personalize/requests", ["metricAttribution", "eventAttributionSource"], "m" * 1024, "m" * 1025, "attribution_source_characters_max", HARD),
    ("personalize/requests", ["eventType"], "View", None, "places_required", HARD),
    ("personalize/requests", ["sentAt"], TIME // 1000, TIME, "time_implausible", HARD),
]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "place", "at", "past", "limit", "hard"),
    EDGES,
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_at_the_limit_and_one_past_it(address, place, at, past, limit, hard, tmp_path):
    """A row at a limit keeps it; one past it does not, and is refused if the limit is hard."""
    event, wrap = BASES[address]
    if limit == "names_and_values_max":  # the other map is to be empty but for one
        event = changed(changed(event, ["Attributes"], None), ["attributes"], None)
        event = changed(event, ["attributes"], {"color": "red"}) if "metrics" in event else event
    if limit == "exact_duration" and at is None:
        at_event = changed(changed(event, place, None), ["Session", "Duration"], 5)
    else:
        at_event = changed(event, place, at)
    result = judged(tmp_path, address, wrap(at_event), wrap(changed(event, place, past)))
    assert said(result) == {limit: hard}
    breach = result["breaches"][0]
    assert (breach["events"], breach["examples"]) == (1, [{"file": "rows.txt", "line": 2}])
    assert len(breach["source"]) > 10
    assert result["events"] == {"read": 2, "filtered": 0, "breached": 1, "refused": int(hard)}


def test_an_end_needs_its_session(tmp_path):
    """A lone START or UPDATE does without a session, an END does not; an empty text is none."""
    rows = [
        changed(changed(LEARNING, ["action"], action), ["session"], "")
        for action in ("START", "UPDATE", "END")
    ]
    result = judged(tmp_path, "learning_context/events", *rows)
    assert [(breach["limit"], breach["message"], breach["events"]) for breach in result["breaches"]] == [
        ("places_required", "session is missing, in an event of action END", 1)
    ]


@pytest.mark.parametrize(
    ("address", "line", "message"),
    [
        ("clickstream/requests", {"query": {}, "body": [CLICKSTREAM]}, "query.appId is missing"),
        ("clickstream/raw", {"appId": "shop", "data": json.dumps([CLICKSTREAM])}, "ingest_time is missing"),
        ("personalize/requests", {"trackingId": "t", "eventList": [PERSONALIZE]}, "sessionId is missing"),
        (
            "mobile_analytics/requests",
            {"client_context": {**CONTEXT, "env": {}}, "body": {"events": [MOBILE]}},
            "client_context.env.platform is missing",
        ),
        (
            "pinpoint/requests",
            {"EventsRequest": pinpoint_request(PINPOINT)["EventsRequest"]},
            "ApplicationId is missing",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_what_a_request_has_to_say(address, line, message, tmp_path):
    """What is required around the events is required of each of them."""
    result = judged(tmp_path, address, line)
    assert [(breach["message"], breach["hard"]) for breach in result["breaches"] if breach["hard"]] == [
        (message, True)
    ]


def test_an_application_named_by_the_settings(tmp_path):
    """A body without the request around it does not say whose it is: the settings may."""
    told = [
        breach["message"] for breach in judged(tmp_path, "clickstream/requests", [CLICKSTREAM])["breaches"]
    ]
    assert told == ["query.appId is missing"]
    assert judged(tmp_path, "clickstream/requests", [CLICKSTREAM], set_=["app_id=shop"])["breaches"] == []


def test_a_platform_that_the_document_does_not_list(tmp_path):
    """Platforms are compared whatever their case."""
    context = {**CONTEXT, "env": {"platform": "Symbian"}}
    result = judged(
        tmp_path, "mobile_analytics/requests", {"client_context": context, "body": {"events": [MOBILE]}}
    )
    assert said(result) == {"values_usual": False}


@pytest.mark.parametrize(
    ("address", "most"),
    [("personalize/requests", 10), ("pinpoint/requests", 100)],
    ids=["personalize", "pinpoint"],
)
def test_events_in_a_request(address, most, tmp_path):
    """A request at the number of events is taken, one past it refused with all its events."""
    event, wrap = BASES[address]
    result = judged(tmp_path, address, wrap(*[event] * most), wrap(*[event] * (most + 1)))
    assert said(result) == {"request_events_max": True}
    assert (result["breaches"][0]["events"], result["breaches"][0]["requests"]) == (most + 1, 1)
    assert result["events"]["refused"] == most + 1
    assert result["breaches"][0]["examples"] == [{"file": "rows.txt", "line": 2}]


def test_a_request_without_events(tmp_path):
    """A call needs an event at least: an empty list is told with its line, though it holds no event to be refused."""
    result = judged(tmp_path, "personalize/requests", personalize_call(PERSONALIZE), personalize_call())
    assert said(result) == {"request_events_min": True}
    breach = result["breaches"][0]
    assert (breach["events"], breach["requests"], breach["examples"]) == (
        0,
        1,
        [{"file": "rows.txt", "line": 2}],
    )
    assert result["events"] == {"read": 1, "filtered": 0, "breached": 0, "refused": 0}


def test_a_screen_without_a_name(tmp_path):
    """A screen view that does not name its screen is one that SDKs report as an error."""
    named = changed(CLICKSTREAM, ["event_type"], "_screen_view")
    named["attributes"]["_screen_name"] = "home"
    result = judged(
        tmp_path, "clickstream/events", named, changed(named, ["attributes", "_screen_name"], None)
    )
    assert (said(result), result["breaches"][0]["events"]) == ({"keys_of_events": False}, 1)


def test_attributes_of_a_user(tmp_path):
    """The attributes of an endpoint's user are lists of texts; anything else is refused by the client."""
    sound, *wrong = (pinpoint_request(PINPOINT) for _ in range(3))
    for line, value in ((sound, ["free"]), (wrong[0], "free"), (wrong[1], [1])):
        line["EventsRequest"]["BatchItem"]["ep-1"]["Endpoint"] = {"User": {"UserAttributes": {"plan": value}}}
    result = judged(tmp_path, "pinpoint/requests", sound, *wrong)
    assert (said(result), result["breaches"][0]["events"]) == ({"maps_of_lists": True}, 2)


def test_texts_of_an_installation(tmp_path):
    """What the client context says of an installation is text to text."""
    sound, wrong = (
        mobile_request(MOBILE) | {"client_context": CONTEXT | {"custom": {"a": value}}} for value in ("5", 5)
    )
    result = judged(tmp_path, "mobile_analytics/requests", sound, wrong)
    assert (said(result), result["breaches"][0]["events"]) == ({"maps_of_texts": True}, 1)


@pytest.mark.parametrize(
    ("address", "most"),
    [("mobile_analytics/requests", 1_048_576), ("clickstream/requests", 1_000_000)],
    ids=["mobile", "clickstream"],
)
def test_bytes_in_a_request(address, most, tmp_path):
    """The length of a body is that of what is sent, compressed or not, without what lies around it."""
    line = (
        mobile_request(MOBILE)
        if address.startswith("mobile")
        else {"query": {"appId": "shop"}, "body": [CLICKSTREAM]}
    )
    whole = json.dumps(line["body"], separators=(",", ":"), ensure_ascii=False)
    texts = [whole[:-1] + " " * (most - len(whole.encode()) + more) + whole[-1] for more in (0, 1)]
    result = judged(tmp_path, address, *({**line, "body": text} for text in texts))
    assert said(result) == {"request_bytes_max": True}
    assert (result["breaches"][0]["events"], result["breaches"][0]["requests"]) == (1, 1)
    assert result["breaches"][0]["examples"] == [{"file": "rows.txt", "line": 2}]


# -- CSV ----------------------------------------------------------------------------------------------------------


def interactions(tmp_path, rows, **options):
    """Write interactions as CSV and judge them."""
    file = tmp_path / "rows.csv"
    with file.open("w", newline="", encoding="utf-8") as output:
        writer = csv.DictWriter(
            output, fieldnames=list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(rows)
    before = file.read_bytes()
    result = translate.validate(file, as_="personalize/interactions", **options)
    assert file.read_bytes() == before
    return result


@pytest.mark.parametrize(
    ("column", "at", "past", "limit"),
    [
        ("USER_ID", "u" * 256, "u" * 257, "id_characters_max"),
        ("IMPRESSION", "i" * 1000, "i" * 1001, "impression_characters_max"),
        ("COLOR", "red or blue", "red\nblue", "line_breaks_max"),
        ("TIMESTAMP", TIME // 1000, TIME, "time_implausible"),
        ("EVENT_TYPE", "View", "", "places_required"),
        ("ITEM_ID", "i", "", "places_required"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_interactions(column, at, past, limit, tmp_path):
    """A row of the bulk import at a limit keeps it, one past it fails the import."""
    result = interactions(tmp_path, [{**INTERACTION, column: at}, {**INTERACTION, column: past}])
    assert said(result) == {limit: True}
    assert result["events"] == {"read": 2, "filtered": 0, "breached": 1, "refused": 1}
    assert result["breaches"][0]["examples"][0]["line"] == 3


# -- over a whole archive -----------------------------------------------------------------------------------------


def found(result):
    return {finding["limit"]: finding["found"] for finding in result["archive"]}


def many(users, each=2, types=("View",), **columns):
    return [
        {
            "USER_ID": f"u{user}",
            "ITEM_ID": "i",
            "TIMESTAMP": TIME // 1000 + number,
            "EVENT_TYPE": types[(user + number) % len(types)],
            **columns,
        }
        for user in range(users)
        for number in range(each)
    ]


def test_enough_interactions_of_enough_users(tmp_path):
    """1,000 interactions, 25 users with two, ten event types and columns, five columns: all at their limits."""
    columns = {f"C{number}": "x" for number in range(5)}
    rows = many(25, 40, types=("View", "Click", "Buy", "Like"), **columns)
    assert len(rows) == 1000
    assert found(interactions(tmp_path, [{**row, "EVENT_VALUE": 1} for row in rows])) == {
        "event_types_and_columns_max": 11
    }
    assert interactions(tmp_path, rows)["archive"] == []


def test_too_little_to_learn_from(tmp_path):
    """One interaction, user, column or type beyond is a finding, and no row is refused for it."""
    rows = [*many(24, 2), *many(940, 1)[24:], INTERACTION]
    result = interactions(tmp_path, rows)
    assert found(result) == {"interactions_min": len(rows), "users_with_two_min": 24}
    assert len(rows) < 1000
    assert result["events"]["refused"] == 0
    rows = many(30, 40, types=("View", "Click", "Buy", "Like"), **{f"C{number}": "x" for number in range(6)})
    assert found(interactions(tmp_path, rows)) == {"event_types_and_columns_max": 11, "columns_max": 6}
    rows = [{**row, "TIMESTAMP": TIME // 1000} for row in many(30, 40)]
    assert found(interactions(tmp_path, rows)) == {"distinct_times_min": 1}


def archive_line(name, **more):
    return {
        "event_type": name,
        "event_timestamp": TIME,
        "application": {"app_id": "a-1"},
        "attributes": {},
        "metrics": {},
        **more,
    }


def test_event_types_of_an_application(tmp_path):
    """1,500 event types of its own are an application's; the reserved ones and those of others do not count."""
    lines = [archive_line(f"custom {number}") for number in range(1500)]
    lines += [archive_line("_session.start"), archive_line("another", application={"app_id": "a-2"})]
    assert judged(tmp_path, "mobile_analytics/archive", *lines)["archive"] == []
    result = judged(tmp_path, "mobile_analytics/archive", *lines, archive_line("one more"))
    assert found(result) == {"event_types_max": 1501}
    assert "a-1" not in json.dumps(result["archive"])


def test_keys_of_an_application(tmp_path):
    """500 attribute names and 500 metric names are a Pinpoint application's."""
    lines = [
        archive_line("e", awsAccountId="1", attributes={f"k{n}": "v"}, metrics={f"m{n}": n})
        for n in range(500)
    ]
    assert judged(tmp_path, "pinpoint/event_stream", *lines)["archive"] == []
    more = archive_line("e", awsAccountId="1", attributes={"more": "v"}, metrics={"more": 1})
    assert found(judged(tmp_path, "pinpoint/event_stream", *lines, more)) == {
        "attribute_keys_max": 501,
        "metric_keys_max": 501,
    }


def test_buckets_give_the_same_counts(tmp_path, monkeypatch):
    """However few keys fit in memory at a time, the counts are the same."""
    rows = many(40, 30, types=tuple(f"T{number}" for number in range(12)))
    whole = interactions(tmp_path, rows)
    monkeypatch.setattr("translate.judging.archive_limits.BUCKET_SIGHTINGS", 7)
    assert interactions(tmp_path, rows) == whole
    assert found(whole) == {"event_types_and_columns_max": 13}


# -- the choice of events, privacy, what cannot be read --------------------------------------------------------------


def test_only_chosen_events_are_judged(tmp_path):
    """What --where, --since, --until and --limit leave out breaks no limit."""
    bad = changed(CLICKSTREAM, ["event_id"], None)
    late = changed(bad, ["timestamp"], TIME + 86_400_000)
    lines = [CLICKSTREAM, bad, late]
    as_ = "clickstream/events"
    assert judged(tmp_path, as_, *lines)["events"]["refused"] == 2
    assert judged(tmp_path, as_, *lines, until="2017-07-15T00:00:00Z")["events"] == {
        "read": 3,
        "filtered": 1,
        "breached": 1,
        "refused": 1,
    }
    assert judged(tmp_path, as_, *lines, where="event_id IS NOT NULL")["events"]["refused"] == 0
    assert judged(tmp_path, as_, *lines, limit=1)["events"] == {
        "read": 1,
        "filtered": 0,
        "breached": 0,
        "refused": 0,
    }


def test_a_limit_over_several_files(tmp_path):
    """--limit holds for all files together."""
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(CLICKSTREAM) + "\n")
    assert translate.validate(tmp_path, as_="clickstream/events", limit=2)["events"]["read"] == 2


def test_names_are_judged_as_they_stand(tmp_path):
    """A name that the tool made legal is judged as it was written, and chosen by what it was."""
    event = changed(CLICKSTREAM, ["event_type"], "level_up_1")
    event["attributes"]["translate_names"] = json.dumps(
        {"name": "level.up 1", "attributes": {"color": "the color"}}
    )
    assert judged(tmp_path, "clickstream/events", event)["breaches"] == []
    assert (
        judged(tmp_path, "clickstream/events", event, where="name = 'level.up 1'")["events"]["filtered"] == 0
    )


def test_values_are_shown_only_on_demand(tmp_path):
    """No value is in the result, neither of a limit nor of a record that cannot be read, without --examples."""
    lines = [
        changed(CLICKSTREAM, ["attributes", "color"], "secret" * 400),
        changed(CLICKSTREAM, ["timestamp"], "secret"),
        '{"secret',
    ]
    result = judged(tmp_path, "clickstream/events", *lines)
    assert set(said(result)) == {"value_characters_max", "bad_time", "incomplete"}
    assert "secret" not in json.dumps(result)
    shown = judged(tmp_path, "clickstream/events", *lines, examples=True)
    assert all("secret" in json.dumps(breach["examples"]) for breach in shown["breaches"])
    assert max(len(example["text"]) for breach in shown["breaches"] for example in breach["examples"]) <= 200


def test_a_layout_is_recognised(tmp_path):
    """Without --as the layout is what the content shows; a wrong hint names this command's own option."""
    assert judged(tmp_path, None, personalize_call(PERSONALIZE))["as"] == "personalize/requests"
    with pytest.raises(translate.SourceError, match="as_="):
        judged(tmp_path, None, {"some": "thing"})


def test_archives_have_no_limits(tmp_path):
    """A row of an archive may be of any size; what is no record is told all the same."""
    line = archive_line("n" * 300, attributes=keys(2000, 60))
    result = judged(tmp_path, "mobile_analytics/archive", line, "nonsense")
    assert said(result) == {"bad_json": True}
    assert result["events"] == {"read": 2, "filtered": 0, "breached": 1, "refused": 1}


WRITABLE = [
    layout.address
    for model in mapping.models()
    for layout in mapping.load(model).layouts.values()
    if layout.write
]


@pytest.mark.parametrize("address", WRITABLE)
def test_what_is_written_is_not_refused(address, tmp_path):
    """What convert writes keeps every hard limit of its layout, the observed ones too."""
    settings = ["tracking_id=t-1", "day=2026-10-30"]
    model, layout = address.split("/")
    source = (
        mapping.folder().parent
        / "sample_data"
        / model
        / ("requests_full.jsonl" if layout == "requests" else f"{layout}_full.jsonl")
    )
    source = source if source.exists() else source.with_suffix(".csv")
    others = mapping.folder().parent / "sample_data" / "hub" / "events_full.parquet"
    for number, given in enumerate((source, others)):
        out = tmp_path / str(number)
        written = translate.convert(given, to=address, out=out, set_=settings)["events"]["written"]
        if written:
            result = translate.validate(out / "data", as_=address)
            assert [breach for breach in result["breaches"] if breach["hard"]] == []
            assert result["events"]["read"] == written


def test_every_limit_has_its_judge():
    """What a mapping may say is judged, and what is judged may be said."""
    assert set(WORDS) == {*JUDGES, *TOGETHER}
    layouts = [layout for model in mapping.models() for layout in mapping.load(model).layouts.values()]
    assert {name for layout in layouts for name in layout.archive_limits} == set(ARCHIVE_LIMITS)
    used = {limit.judge for layout in layouts for limit in (*layout.limits.values(), *layout.checks.values())}
    assert used <= set(WORDS)


@pytest.mark.parametrize(
    "address",
    [layout.address for model in mapping.models() for layout in mapping.load(model).layouts.values()],
)
def test_every_check_cites_its_source(address):
    """Checks, request limits and archive limits say where they come from, as limits do."""
    _, layout = mapping.find_layout(address)
    limits = [
        *layout.checks.values(),
        *layout.archive_limits.values(),
        *(layout.request.limits.values() if layout.request else ()),
    ]
    assert all(len(limit.source) > 10 for limit in limits)
    assert not any(limit.hard for limit in layout.archive_limits.values())


def test_hub_events_without_a_time_are_refused(tmp_path):
    """What every event needs is asked of the hub's own files too, as inspect and convert do."""
    sample = pl.read_parquet(mapping.folder().parent / "sample_data" / "hub" / "events_full.parquet").head(3)
    without = sample.with_columns(pl.when(pl.col("line") > sample["line"].min()).then("time").alias("time"))
    without.write_parquet(tmp_path / "events.parquet")
    result = translate.validate(tmp_path / "events.parquet", as_="hub")
    missing = without["time"].null_count()
    assert missing
    assert result["events"] == {"read": 3, "filtered": 0, "breached": missing, "refused": missing}
    (breach,) = result["breaches"]
    assert (breach["limit"], breach["hard"], breach["events"]) == ("missing_required", True, missing)
    assert breach["message"] == "name and time are what every event needs"
