"""Rows written by hand: the hub's zoo, which uses every hub column awkwardly, and small examples of the archive."""

from datetime import UTC, datetime, timedelta

# fmt: off
FIRST = datetime(2016, 3, 14, 9, 26, 53, 589_000, UTC)
APP_ID = "0123456789abcdef0123456789abcdef"
SESSION = {"session.id": "e8ea8f94-b7a3-e754-c13f-e32608c45494", "session.start": "2016-03-14T09:00:00.001Z"}
LONG = 'The quick brown fox, "twice"; Ünïcödé. '
KEY_OF_60 = "a_key_that_is_sixty_characters_long_and_so_too_long_for_most"
ITEM = {"id": "b-1", "name": "Grendel's \"Cave\"", "category": "Books", "price": 4.99, "quantity": 2}
INSTALLATION = {
    "app.title": "Exämple Shop", "app.package": "com.example.shop", "app.version": "1.4.2", "app.version_code": "142", "sdk.name": "aws-sdk-android",
    "sdk.version": "2.2.12", "device.platform": "Android", "device.platform_version": "5.1", "device.make": "Samsung", "device.model": "SM-G900",
    "device.locale": "sr_RS_#Latn", "device.carrier": "Vodafone.de", "device.network_type": "WIFI",
}
EVERY_PLACE = {
    "event_id": "0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11", "user_id": "user-1", "cognito_id": "us-east-1:66666666-7777-8888-9999-000000000000",
    "device_id": "device-1", "event_version": "3.0", "arrival_time": "2016-03-14T09:30:00.000Z", "session.number": 7,
    "app.title": "Exämple Shop", "app.package": "com.example.shop", "app.version": "1.4.2", "app.version_code": "142",
    "app.identity_pool": "us-east-1:11111111-2222-3333-4444-555555555555", "sdk.name": "aws-sdk-mobile-analytics-js", "sdk.version": "0.9.2:2.7.20",
    "device.platform": "ANDROID", "device.platform_version": "5.1", "device.make": "Samsung", "device.brand": "samsung", "device.model": "SM-G900",
    "device.carrier": "Vodafone.de", "device.network_type": "WIFI", "device.locale": "sr_RS_#Latn", "device.language": "sr", "device.country": "RS",
    "zone_offset": 3_600_000, "device.screen_width": 1080, "device.screen_height": 1920, "device.viewport_width": 980, "device.viewport_height": 0,
}


def zoo_event(number, name, columns):
    """Make an event with what every event needs, a second after the one before it; columns may say otherwise."""
    time = (FIRST + timedelta(seconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"name": name, "time": time, "client_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "app.id": APP_ID, **columns}


ZOO = [zoo_event(number, name, columns) for number, (name, columns) in enumerate((
    # sessions
    ("session.start", SESSION | EVERY_PLACE | {"attributes": {}, "metrics": {}}),
    ("session.pause", SESSION | {"session.duration": 1_614_588, "attributes": {"channel": "beta"}}),
    ("session.resume", SESSION | {"session.stop": "2016-03-14T09:26:54.589Z"}),
    ("session.stop", SESSION | {"session.stop": "2016-03-14T09:26:56.589Z", "session.duration": 1_616_588}),
    ("session.stop", SESSION | {"session.stop": "2016-03-14T09:26:57.589Z"}),
    ("session.stop", SESSION | {"session.stop": "2016-03-14T09:26:58.589Z", "session.duration": 42, "session.number": 0}),
    ("session.stop", SESSION | {"session.stop": "2016-03-14T08:59:00.001Z", "session.duration": 0}),
    ("session.start", {"session.start": "2016-03-14T09:27:00.589Z"}),
    ("session.start", {"session.id": "abc", "session.start": "2016-03-14T09:27:01.589Z", "session.number": 1}),
    ("session.start", {"session.id": "12345678", "session.start": "2016-03-14T09:27:02.589Z"}),
    ("session.start", {"session.id": "rest-sender-20160314", "session.start": "2016-03-14T09:27:03.589Z"}),
    # a span, as Learning Context has it
    ("lesson", {"phase": "START", "session.id": "rest-sender-20160314", "attributes": {"unit": "3"}}),
    ("lesson", {"phase": "UPDATE", "session.id": "rest-sender-20160314", "metrics": {"progress": 0.5}, "other": {"done": False}}),
    ("lesson", {"phase": "END", "session.id": "rest-sender-20160314", "attributes": {"unit#2": "second of its key", "unit": "3"}}),
    # purchases
    ("purchase", SESSION | {"item_id": "b-1", "price": 4.99, "quantity": 2, "value": 9.98, "currency": "USD", "store": "Google Play",
                            "transaction_id": "GPA.1234-5678", "price_text": "$4.99", "items": [ITEM]}),
    ("purchase", {"item_id": "c-3", "price_text": "1.299,00 TL", "quantity": 1, "store": "Amazon"}),
    ("purchase", {"item_id": "chest", "price": 2500, "quantity": 1, "value": 2500, "currency": "Gold", "store": "Virtual"}),
    ("purchase", {"item_id": "chest", "price": 3, "quantity": 1, "value": 3, "currency": "USD", "store": "Virtual"}),
    ("purchase", {"item_id": "gem", "price": 0.1, "quantity": 3, "value": 0.30000000000000004, "currency": "gems", "store": "Apple"}),
    ("purchase", {"item_id": "d-5", "price": 12.5, "quantity": 1}),
    ("purchase", {"item_id": "", "price": 0, "quantity": 0, "value": 0, "currency": "JPY", "store": "", "transaction_id": "", "price_text": ""}),
    ("purchase", {"item_id": "refund", "price": -4.99, "quantity": 1.5, "value": -7.485, "currency": "EUR"}),
    ("custom.purchase", {"attributes": {"kind": "booster", "_product_id": "not a product"}, "metrics": {"coins": 30, "_quantity": 1}}),
    # other well-known meanings
    ("sign_in", {"user_id": "", "attributes": {"method": "e-mail"}}),
    ("sign_up", {"user_id": "user 1@example.com", "user_property_times": {"plan": "2016-01-01T00:00:00.001Z", "tags": "2015-12-31T23:59:59.999Z"},
                 "user_properties": {"plan": "free", "age": 0, "premium": False, "tags": ["a", "", 1], "home": {"city": "Zürich", "zip": "08001"},
                                     "untimed": 12345678901234567890, "a b": "one", "a.b": "two", "note": ""}}),
    ("screen_view", {"attributes": {"screen": "home", "previous": ""}, "metrics": {"engagement": 1e-3}}),
    # items and recommendations
    ("Product View", {"item_id": 'b "1", two\nlines', "items": [
        {"id": 'b "1", two\nlines', "name": "", "price": 0}, {"id": "c'3", "brand": "Ünïcödé", "index": 0, "in_stock": False, "category2": "Café"},
        {"id": "", "name": "no id"}, {"name": "no id at all", "quantity": 12345678901234567890}, {}]}),
    ("Ad View", {"item_id": "b-2", "impression": ["b-1", "b-2", 'c,"3"', ""], "recommendation_id": 'RID-40 "x"', "attribution_source": "spring, 2016"}),
    ("Add To Cart", {"items": [ITEM | {"id": f"b-{number}"} for number in range(101)], "impression": [],
                     "attributes": {"cart": '[{"sku":"b-1","price":4.99,"quantity":2},{"sku":"c-3","price":12.5,"quantity":1}]'}}),
    ("search", {"items": [], "recommendation_id": "", "attribution_source": "", "user_properties": {}, "user_property_times": {}, "other": {}, "extra": {}}),
    # numbers
    ("integers", {"metrics": {"zero": 0, "minus one": -1, "over 2^53": 9007199254740993, "2^63-1": 9223372036854775807, "-2^63": -9223372036854775808,
                              "2^64": 18446744073709551616, "25 digits": 1234567890123456789012345, "38 digits": 12345678901234567890123456789012345678}}),
    ("doubles", {"value": 5e-324, "price": 123456.78901234567, "metrics": {"sum": 0.30000000000000004, "17 digits": 1.2345678901234567,
                 "tiny": 5e-324, "huge": 1.7976931348623157e308, "small": -1e-07, "avogadro": 6.02214076e23, "half": 0.5, "negative zero": 0}}),
    # texts, keys and maps
    ("empty texts", {"event_id": "", "user_id": "", "cognito_id": "", "device_id": "", "session.id": "", "app.title": "", "app.version": "",
                     "device.locale": "", "device.platform": "", "device.country": "", "attributes": {"empty": "", " ": " "}}),
    ("empty maps", {"attributes": {}, "metrics": {}, "other": {}, "user_properties": {}, "extra": {}}),
    ("absent maps", {}),
    ("awkward keys", {"attributes": {"with space": "1", "with.dot": "2", 'with "quotes"': "3", "with\\backslash": "4", "👩‍👩‍👧": "5", KEY_OF_60: "6",
                                     "7 leads": "7", "ключ": "8", "line\nbreak": "9", "": "the empty key", "A": "upper", "a": "lower", "$.path[0]": "10"},
                      "metrics": {"with.dot": 2, "Ω m": 3.5, KEY_OF_60[:-1] + "y": 60}}),
    ("keys that become one", {"attributes": {"a b": "space", "a.b": "dot", "a_b": "underscore", "score": "high", "score_metric": "taken", "x#2": "second"},
                              "metrics": {"score": 12, "a-b": 1, "x": 0}, "other": {"score": True}}),
    ("keys of presets", {"attributes": {"_session_id": "mine", "_user_id": "mine", "app": "mine", "package": "mine", "translate_names": "{}",
                                        "event_id": "mine", "_product_id": "b-1"},
                         "metrics": {"_session_duration": 5, "_session_number": -1, "event_value": 7}}),
    ("long texts", {"app.title": LONG * 5, "user_id": "u" * 500, "attributes": {"long": (LONG * 200)[:5_000], "k" * 100: "v" * 201}}),
    ("control characters", {"device.model": "tab\there", "attributes": {"lines": "a\nb\r\nc\rd", "tab": "\t", "control": "\u0001\u001f\u007f\u0085",
                            "separators": "a\u2028b\u2029c", "escapes": '\\n \\u00e9 \\" \\', "like JSON": '{"a":[1,null]}', "like CSV": 'a,"b"\n=1+1'}}),
    ("all planes", {"device.carrier": "Ørange 😀", "attributes": {"latin": "Zoë Zoe\u0308", "right to left": "مرحبا \u200f!", "plane 1": "𝔘🇯🇴👩‍👩‍👧",
                                                              "plane 2": "𠮷", "last": "\U0010fffd", "marks": "\ufeffBOM \ufffd", "noncharacter": "\uffff"}}),
    ("other values", {"other": {"true": True, "false": False, "list": [1, "two", 3.5, None, [], {}], "object": {"a": {"b": {"c": 'deep "quoted"'}}},
                                "empty list": [], "empty object": {}, "big": [12345678901234567890, 0.1]}}),
    ("extra places", {"extra": {"awsAccountId": "123456789012", "client_context": {"custom": {"legacy": "yes"}}, "flag": False, "none_of_it": [], "n": 0}}),
    # names
    ("The visitor closed the newsletter banner for the third time", {}), ("7th heaven", {}), ('naïve "レベル" 🎉\\', {"event_version": "v2.0"}),
    # times
    ("the year 2000", {"time": "2000-01-01T00:00:00.001Z", "zone_offset": 0, "session.start": "2000-01-01T00:00:00.000Z"}),
    ("the year 2099", {"time": "2099-12-31T23:59:59.999Z", "zone_offset": -12_600_000, "arrival_time": "2099-12-31T23:59:59.999Z"}),
    ("before its time", {"arrival_time": "2016-03-13T09:26:53.001Z", "zone_offset": 50_400_000}),
    # what a request says around its events
    ("app opened", SESSION | INSTALLATION | {"client_properties": {"install source": "store", "experiments": ["a", 1, {"b": None}], "first": True, "": ""},
                                             "extra": {"client.installed_by": "vendor", "client.a\\.b": [1], "session.visits": 3}}),
    ("app opened", SESSION | INSTALLATION | {"client_id": "ffffffff-0000-1111-2222-333333333333", "client_properties": {}}),
    ("purchase", SESSION | INSTALLATION | {"item_id": "b-9", "price": 9.99, "quantity": 3, "currency": "EUR", "store": "Google Play",
                                           "attributes": {"NUM_RATINGS": "12", "Level Name": "Cave", "campaign": ""}, "metrics": {"score": 12345.678},
                                           "other": {"in stock": False}}),
    ("Item View", SESSION | {"item_id": "b-9", "user_id": "user-1", "impression": ["b-9", "c-3"], "recommendation_id": "RID-9", "attribution_source": "spring 2016",
                             "attributes": {"num_ratings": "1", "numRatings": "2", "timestamp": "mine", "item id": "mine", "ключ": "k"}}),
))]

MINIMAL = [{"event_type": "Level Complete", "event_timestamp": 1487973802507, "application": {"app_id": APP_ID},
            "client": {"client_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"}}]


def full_record(event_type, session, **others):
    """Make a record with every field that all events can have."""
    return {
        "event_type": event_type, "event_timestamp": 1487973802507, "arrival_timestamp": 1487973803515, "event_version": "3.0",
        "application": {"app_id": APP_ID, "cognito_identity_pool_id": "us-east-1:11111111-2222-3333-4444-555555555555", "package_name": "com.example.game",
                        "sdk": {"name": "aws-sdk-mobile-analytics-js", "version": "0.9.1:2.4.8"}, "title": "Example", "version_name": "1.0", "version_code": "1"},
        "client": {"client_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito_id": "us-east-1:66666666-7777-8888-9999-000000000000"},
        "device": {"locale": {"code": "en_US", "country": "US", "language": "en"}, "make": "Samsung", "model": "SM-G900",
                   "platform": {"name": "ANDROID", "version": "5.1"}},
        "session": {"session_id": "dddddddd-eeee-ffff-0000-111111111111", "start_timestamp": 1487973202531, **session},
        "attributes": {"channel": "beta"}, "metrics": {"score": 12345.678}, **others,
    }


FULL = [
    full_record("_session.stop", {"stop_timestamp": 1487973802507, "duration": 599976}),
    full_record("_monetization.purchase", {}, attributes={"_product_id": "b-1", "_item_price_formatted": "$4.99", "_currency": "USD",
                "_store": "Google Play", "_transaction_id": "GPA.1234-5678"}, metrics={"_quantity": 2, "_item_price": 4.99},
                monetization={"transaction": {"id": "GPA.1234-5678", "store": "Google Play", "item_id": "b-1", "quantity": 2,
                              "price": {"reported": "$4.99", "amount": 4.99, "currency": {"code": "USD", "symbol": "$"}}}}),
]
