"""Small examples of what the systems take that people use now: Clickstream, the Learning Context API, Personalize."""

from wrapping import compact, lines, table, zipped

# fmt: off
# -- Clickstream ------------------------------------------------------------------------------------------------

def event(event_type, number, **others):
    """Make an event of the HTTP API with what its reader needs."""
    return {"event_type": event_type, "event_id": f"460daa08-0717-4385-8f2e-{number:012}", "timestamp": 1667877566697 + number, "app_id": "shop_app",
            "unique_id": "c84ad28d-16a8-4af4-a331-f34cdc7a7a18", "zone_offset": 0, "attributes": {}, **others}


SESSION = {"_session_id": "7a7a1800-20221108-031926697", "_session_start_timestamp": 1667877566697, "_session_duration": 519, "_session_number": 1}
ANDROID = {"device_id": "f24bec657ea8eff7", "platform": "Android", "os_version": "10", "make": "Samsung", "brand": "Samsung", "model": "S23 Ultra", "carrier": "CDMA",
           "network_type": "Mobile", "locale": "zh_CN", "system_language": "zh", "country_code": "CN", "country": "CN", "zone_offset": 28800000, "screen_height": 1920,
           "screen_width": 1080, "sdk_name": "aws-solution-clickstream-sdk", "sdk_version": "0.10.0", "app_package_name": "com.example.app", "app_version": "1.1.0",
           "app_title": "shopping"}
WEB = {"device_id": "62a46c5d-44c9-41ae-bffe-013bad09b663", "platform": "Web", "host_name": "shop.example.com", "locale": "en-US", "make": "Gecko", "screen_height": 0,
       "viewport_height": 768, "viewport_width": 1024, "sdk_name": "aws-solution-clickstream-sdk", "sdk_version": "0.12.6"}
FIRST_TOUCH = {"_user_first_touch_timestamp": {"value": 1667877000000, "set_timestamp": 1667877000000}}
EVENTS = (
    event("_first_open", 1, **ANDROID, user=FIRST_TOUCH, attributes=SESSION),
    event("_app_start", 2, **ANDROID, attributes={**SESSION, "_is_first_time": True}),
    event("_session_start", 3, **ANDROID, attributes={**SESSION, "_session_duration": 0}),
    event("_screen_view", 4, **ANDROID, attributes={**SESSION, "_screen_name": "Home", "_screen_id": "a.b.Home", "_entrances": 1, "_engagement_time_msec": 12.5}),
    event("_app_end", 5, **ANDROID, attributes=SESSION),
    event("_app_start", 6, **ANDROID, attributes={**SESSION, "_is_first_time": False}),
    event("_profile_set", 7, **ANDROID, attributes=SESSION, user={
        **FIRST_TOUCH, "_user_id": {"value": "0202d0e1", "set_timestamp": 1667877566704}, "_user_name": {"value": "", "set_timestamp": 1667877566700},
        "age": {"value": 0, "set_timestamp": 1667877566704}, "vip": {"value": False, "set_timestamp": 1667877566700},
        "bare": "carl", "no time": {"value": "ünï"}, "left": {"value": None, "set_timestamp": 1667877566704}, "object": {"city": "Zürich"}}),
    event("purchase", 8, **WEB, event_value=19.98, event_value_currency="EUR", user={"_user_id": {"value": "0202d0e1", "set_timestamp": 1667877566000}},
          items=[{"id": "b011ddc3", "name": 'Classic "coat"-rack', "category": "housewares", "price": 9.99, "quantity": 2, "custom_attr": "x"}, {"item_id": "c-3", "price": "7.50"}],
          attributes={**SESSION, "value": 9.99, "currency": "USD", "_page_title": "Cart"}),
    event("purchase", 9, **WEB, event_value=9.98, event_value_currency="USD", items=[{"id": "sku-1", "price": 4.99, "quantity": 2, "currency": "USD"}]),
    event("button_click", 10, **WEB, attributes={"text": "book", "whole": 39, "fraction": 39.9, "flag": True, "list": [1, "two", None], "object": {"a": {"b": 1}},
                                                 "absent": None, "empty": "", "zero": 0, "over 64 bits": 12345678901234567890, "a.b": "dots load"}),
    # Aliases that the reader accepts, a member that it does not know, and a platform that nobody lists.
    {"event_name": "ad_view", "event_id": "460daa08-0717-4385-8f2e-000000000011", "timestamp": 1667877566708, "app_id": "shop_app", "user_pseudo_id": "u-1",
     "event_value_in_usd": 0.5, "currency": "USD", "platform": "HarmonyOS", "zone_offset": -12600000, "campaign": {"name": "autumn"}, "attributes": {}},
    event("_clickstream_error", 12, **WEB, attributes={**SESSION, "_error_code": 1001, "_error_message": "my event!"}),
    event("_app_end", 13, **ANDROID, attributes={**SESSION, "_session_duration": 60000, "session_stop_timestamp": 1667877626697, "translate_names": '{"name":"session.stop"}'}),
    event("my_event", 14, attributes={"translate_names": "not ours", "level": 3}),
)
CLICKSTREAM_MINIMAL = lines(event("button_click", 1))


def query(sequence, **others):
    """Make the query parameters of a call."""
    return {"platform": "Android", "appId": "shop_app", "event_bundle_sequence_id": str(sequence), **others}


CLICKSTREAM_REQUESTS = lines(
    {"query": query(1, upload_timestamp="1667877570000", hashCode="c7ffb862"), "body": list(EVENTS[:2])},
    {"query": query(2), "body": compact(EVENTS[2:4])},
    {"query": query(3, compression="gzip"), "body": zipped(compact(EVENTS[4:7]))},
    {"method": "POST", "path": "/collect", "query": [["platform", "Web"], ["appId", "shop_app"], ["event_bundle_sequence_id", "4"]],
     "headers": [["Content-Type", "application/json; charset=utf-8"], ["User-Agent", "Mozilla/5.0 (linux) jsdom/29.1.1"]], "body": compact(EVENTS[7:9])},
)


def raw_row(number, data, **others):
    """Make a row of the S3 buffer as the ingestion server writes it."""
    return {"appId": "shop_app", "client_timestamp": "1667877570000", "compression": None, "data": data, "date": "2022-11-08T03:19:30+00:00", "fakeIp": None,
            "ingest_time": 1667877570000, "ip": "203.0.113.7, 10.0.0.1", "method": "POST", "path": "/collect", "platform": "Android",
            "rid": f"3a9c9e5a1b7d4c2f8e6a0d1b2c3d{number:04}", "server_ingest_time": 1667877570000, "source_type": "http_server",
            "timestamp": "2022-11-08T03:19:30.123456789Z", "ua": "okhttp/4.9.2",
            "uri": f"/collect?platform=Android&appId=shop_app&event_bundle_sequence_id={number}", **others}


RAW = lines(
    raw_row(1, compact(EVENTS[:3])),
    raw_row(2, zipped(compact(EVENTS[3:7])), compression="gzip"),
    raw_row(3, compact(EVENTS[9:11]), platform="Web", appId="other_app", ip="2001:db8::7"),
)


# -- the Learning Context API -----------------------------------------------------------------------------------

def context_event(action, type_, timestamp, session, *entities):
    """Make an event of the Learning Context API; a client without a session sends an empty one."""
    return {"action": action, "type": type_, "timestamp": timestamp, "session": session, "entities": list(entities)}


def entity(key, *value):
    """Make an entity; a null is sent as an entity without a value."""
    return {"key": key, **({"value": value[0]} if value else {})}


APP = (entity("app", "BigBrother"), entity("package", "org.example.bigbrother"))
# Android's encoder breaks base64 into lines, and ends it with one.
IMAGE = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0a\nHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2Q==\n"
CONTEXT_EVENTS = (
    context_event("START", "APPSTART", 1365772427, "8nc92io9q", *APP),
    context_event("UPDATE", "APPSTART", 1365772430, "8nc92io9q", *APP),
    context_event("UPDATE", "POSITION", 1365772440, "", entity("lat", 50.7766), entity("lng", 6.0834), entity("room", "E2"), entity("city", "")),
    context_event("UPDATE", "POSITION", 1365772441, "", entity("lat", "50.7766"), entity("lng", "-1.0")),
    context_event("START", "PICTURE", 1365772450, "", entity("id", "1365772450"), entity("image", IMAGE), entity("date", "12.04.2013"), entity("desc", 'zwei\nZeilen, "ü"')),
    context_event("START", "ANNOUNCEMENT", 1365772460, "0123456789abcdefghij", entity("group_img"), entity("joined_users", "[ada, carl]"), entity("group_id", 7)),
    context_event("UPDATE", "ANNOUNCEMENT", 1365772461, "0123456789abcdefghij", entity("joined_users", ["ada", "carl"]), entity("open", True), entity("joined_users", "again")),
    context_event("END", "ANNOUNCEMENT", 1365772470, "0123456789abcdefghij", entity("group_id", 7)),
    context_event("UPDATE", "NETWORK", 1365772480, "", entity("type", "WIFI"), entity("ssid", "eduroam"), entity("bssid", None)),
    context_event("START", "CALENDAREVENT", 1365772490, "", entity("title", "Exam"), entity("begin", 1365775200), entity("end", 1365782400)),
    context_event("UPDATE", "my own type", 1365772500, "x"),
    context_event("END", "APPSTART", 1365772533, "8nc92io9q", *APP),
)
LEARNING_CONTEXT_MINIMAL = lines({"action": "UPDATE", "type": "SCREEN", "timestamp": 1365772427, "entities": []})
LEARNING_CONTEXT_REQUESTS = lines(list(CONTEXT_EVENTS[:5]), {"data": list(CONTEXT_EVENTS[5:8])}, {"data": compact(CONTEXT_EVENTS[8:11])}, [CONTEXT_EVENTS[11]])


# -- Personalize ------------------------------------------------------------------------------------------------

INTERACTIONS = (
    {"USER_ID": "u-1", "ITEM_ID": "b-1", "TIMESTAMP": 1460000000, "EVENT_TYPE": "View", "DEVICE": "Phone, large"},
    {"USER_ID": "u-1", "ITEM_ID": "b-1", "TIMESTAMP": 1460000060, "EVENT_TYPE": "Purchase", "EVENT_VALUE": 9.98, "IMPRESSION": "b-1|b-2|c 3", "RECOMMENDATION_ID": "RID-1",
     "EVENT_ATTRIBUTION_SOURCE": "spring", "DEVICE": ""},
    {"USER_ID": "user 2@example.com", "ITEM_ID": "c'3", "TIMESTAMP": 1460000061, "EVENT_TYPE": "Watch", "EVENT_VALUE": 0, "DEVICE": 'ünï "TV"'},
)
COLUMNS = ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE", "DEVICE"]
TYPES = {"TIMESTAMP": "long", "EVENT_VALUE": ["float", "null"], **{name: ["string", "null"] for name in COLUMNS[5:]}}
SCHEMA = {"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema",
          "fields": [{"name": name, "type": TYPES.get(name, "string"), **({"categorical": True} if name == "DEVICE" else {})} for name in COLUMNS], "version": "1.0"}

SHOWN = ["b-1", "b-2", 'c,"3"']
PERSONALIZE_REQUESTS = lines(
    {"trackingId": "00000000-1111-2222-3333-444444444444", "userId": "u-1", "sessionId": "s-1", "eventList": [
        {"eventId": "ev-1", "eventType": "View", "sentAt": 1553631760.987, "itemId": "b-1", "recommendationId": "RID-40", "impression": SHOWN,
         "metricAttribution": {"eventAttributionSource": "spring, 2019"}, "properties": compact({"numRatings": 12, "numberOfRatings": "12", "exact": 9007199254740993, "tag": "ünï"})},
        {"eventType": "Purchase", "sentAt": 1553631761, "itemId": "b-1", "eventValue": 9.98}]},
    {"trackingId": "00000000-1111-2222-3333-444444444444", "sessionId": "s-2", "eventList": [
        {"eventType": "click", "sentAt": 1553631762, "properties": "{}"}]},
    # Until August 2020 the item and the value lay among the properties.
    {"trackingId": "00000000-1111-2222-3333-444444444444", "userId": "u-3", "sessionId": "s-3", "eventList": [
        {"eventId": "ev-4", "eventType": "rating", "sentAt": 1553631763, "properties": compact({"itemId": "movie-7", "eventValue": 4.5, "flag": True})},
        {"eventId": "ev-5", "eventType": "rating", "sentAt": 1553631764, "properties": compact({"itemId": "movie-8", "eventValue": "4.5"})}]},
)
PERSONALIZE_MINIMAL = lines({"trackingId": "00000000-1111-2222-3333-444444444444", "sessionId": "s-1", "eventList": [{"eventType": "View", "sentAt": 1553631760}]})

FILES = {
    "clickstream/events_minimal.jsonl": CLICKSTREAM_MINIMAL,
    "clickstream/events_full.jsonl": lines(*EVENTS),
    "clickstream/requests_minimal.jsonl": lines({"query": {"appId": "shop_app"}, "body": [event("button_click", 1)]}),
    "clickstream/requests_full.jsonl": CLICKSTREAM_REQUESTS,
    "clickstream/requests_bodies.jsonl": lines(list(EVENTS[9:11]), list(EVENTS[11:])),
    "clickstream/raw_minimal.jsonl": lines({"appId": "shop_app", "data": compact([event("button_click", 1)]), "ingest_time": 1667877570000}),
    "clickstream/raw_full.jsonl": RAW,
    "learning_context/events_minimal.jsonl": LEARNING_CONTEXT_MINIMAL,
    "learning_context/events_full.jsonl": lines(*CONTEXT_EVENTS),
    "learning_context/requests_minimal.jsonl": "[" + LEARNING_CONTEXT_MINIMAL.strip() + "]\n",
    "learning_context/requests_full.jsonl": LEARNING_CONTEXT_REQUESTS,
    "personalize/interactions_minimal.csv": table(COLUMNS[:4], INTERACTIONS[0]),
    "personalize/interactions_full.csv": table(COLUMNS, *INTERACTIONS),
    "personalize/interactions_full.schema.json": compact(SCHEMA) + "\n",
    "personalize/requests_minimal.jsonl": PERSONALIZE_MINIMAL,
    "personalize/requests_full.jsonl": PERSONALIZE_REQUESTS,
}
