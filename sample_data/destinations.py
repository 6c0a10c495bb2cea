"""Small examples of what the systems take that events go to now, as their documents and client libraries write it."""

from wrapping import lines

# fmt: off
# -- Amplitude ---------------------------------------------------------------------------------------------------

def amplitude(event_type, number, **others):
    """Make an event of the batch upload."""
    return {"device_id": "C8F9E604-F01A-4BD9-95C6-8E5357DF265D", "event_type": event_type, "time": 1396381378123 + number,
            "insert_id": f"5f0adeff-6668-4427-8d02-{number:012}", **others}


PHONE = {"user_id": "datamonster@example.com", "app_version": "2.1.3", "platform": "iOS", "os_name": "ios", "os_version": "17.2", "device_brand": "Apple",
         "device_manufacturer": "Apple", "device_model": "iPhone15,2", "carrier": "Verizon", "country": "United States", "region": "California",
         "city": "San Francisco", "dma": "San Francisco-Oakland-San Jose, CA", "language": "English", "ip": "192.0.2.1", "session_id": 1396381378000}
AMPLITUDE = (
    amplitude("session_start", 1, **PHONE, event_properties={}),
    amplitude("watch_tutorial", 2, **PHONE, user_properties={"age": 25, "interests": ["chess", "music"], "vip": False, "nested": {"a": {"b": None}}},
              event_properties={"load_time": 0.8371, "source": "notification", "dates": ["monday", "tuesday"], "empty": "", "zero": 0, "flag": True,
                                "over 64 bits": 12345678901234567890, "ünï": "é"}, groups={"team_id": "1", "company_name": ["A", "B"]}, event_id=23),
    amplitude("revenue_amount", 3, **PHONE, price=4.99, quantity=3, revenue=14.97, currency="USD", productId="sku-1", revenueType="purchase",
              event_properties={"purchase_transaction_id": "t-1"}),
    amplitude("gems", 4, session_id=-1, event_properties={"purchase_price": 500, "purchase_currency": "Gems", "purchase_store": "Virtual", "session_id": "s-1",
                                                          "items": [{"id": "b-1", "price": 1.5}], "client_properties": {"tester": "yes"}}),
    amplitude("session_end", 5, **PHONE, event_properties={"session_stop": 1396381438000, "session_duration": 60000, "locale": "en_US"}),
    # Changes of users and groups, an id that the service makes itself, and an event that is to change users, too.
    {"user_id": "ada-l", "event_type": "$identify", "time": 1396381378200, "user_properties": {"$set": {"plan": "pro"}, "$add": {"visits": 1}}},
    {"user_id": "ada-l", "device_id": None, "event_type": "purchase", "time": 1396381378201, "$skip_user_properties_sync": False, "language": "Klingon",
     "platform": "HarmonyOS", "location_lat": 37.77, "location_lng": -122.39, "adid": "AEBE52E7-03EE-455A-B3C4-E57283966239", "plan": {"branch": "main"}},
    amplitude("paused", 8, event_properties={"translate_names": '{"name":"session.pause"}'}),
)


# -- Mixpanel ----------------------------------------------------------------------------------------------------

def mixpanel(name, number, **properties):
    """Make an event of the import."""
    return {"event": name, "properties": {"time": 1618716477000 + number, "distinct_id": "91304156-cafc-4673-a237-623d1129c801",
                                          "$insert_id": f"29fc2962-6d9c-455d-95ad-{number:012}", **properties}}


HANDSET = {"$device_id": "91304156-cafc-4673-a237-623d1129c801", "$os": "iOS", "$os_version": "14.4", "$manufacturer": "Apple", "$model": "iPhone12,1", "$brand": "Apple",
           "$carrier": "Verizon", "$app_version_string": "2.1", "$app_build_number": "210", "$screen_width": 828, "$screen_height": 1792, "mp_country_code": "US",
           "$city": "San Francisco", "$region": "California", "mp_lib": "swift", "$lib_version": "2.8.1", "ip": 0}
MIXPANEL = (
    mixpanel("Session Start", 1, **HANDSET, session_id="s-1", session_start=1618716477000),
    mixpanel("Signed up", 2, **{"Referred by": "Friend", "URL": "mixpanel.com/signup", "flag": True, "list": ["a", 1, None], "object": {"a": {"b": "c"}}, "empty": "", "zero": 0,
                                "over 64 bits": 12345678901234567890, "bücket": "ü"}, ip="192.0.2.1"),
    mixpanel("Purchase", 3, **HANDSET, **{"$user_id": "ada", "Item": "Coffee"}, item_id="b-1", price=2.5, quantity=2, currency="EUR", items=[{"id": "b-1"}]),
    # As client libraries write times: seconds, whole and with a fraction; ids of 32 digits, of numbers, and of none.
    {"event": "seconds", "properties": {"time": 1618716480, "distinct_id": 13793, "$insert_id": "5d958f87542d4c1094220ed75893dc81", "mp_lib": "python"}},
    {"event": "a fraction", "properties": {"time": 1618716481.25, "distinct_id": ""}},
    {"event": "seconds with a point", "properties": {"time": 1618716482.0, "distinct_id": "u", "$user_id": "ada", "$device_id": "d", "ip": 0.0}},
    mixpanel("Session End", 7, **HANDSET, session_id="s-1", session_duration=60000, user_properties={"plan": "pro", "visits": 3}),
    # An id that did not fit, and the original of another one.
    {"event": "exploded", "properties": {"time": 1618716484000, "distinct_id": "u", "$insert_id": "3d7fe62f-9dc3-56a6-9e1f-93b6e0f0d4b4", "translate_event_id": "not the one"}},
    {"event": "exploded", "properties": {"time": 1618716485000, "distinct_id": "u", "$insert_id": "dbdfc127-081c-574c-a1a9-c6eaf3183258",
                                         "translate_event_id": "0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11-2"}},
)


# -- PostHog -----------------------------------------------------------------------------------------------------

def posthog(event, number, **properties):
    """Make an event of the batch."""
    return {"event": event, "distinct_id": "user_123", "timestamp": f"2024-01-01T00:00:{number:02}.000Z", "uuid": f"018cc251-f400-7b4d-8c2f-{number:012}", "properties": properties}


PHONE_OF_POSTHOG = {"$device_id": "018cc251-aaaa-7b4d-8c2f-000000000000", "$os": "Android", "$os_version": "14", "$device_manufacturer": "Google", "$device_model": "Pixel 7",
                    "$app_name": "Shop", "$app_version": "1.4.2", "$app_build": "142", "$app_namespace": "com.example.shop", "$locale": "en-US", "$screen_width": 411,
                    "$screen_height": 866, "$lib": "posthog-android", "$lib_version": "3.1.0", "$ip": "192.0.2.1", "$session_id": "018cc251-bbbb-7b4d-8c2f-000000000000"}
POSTHOG = (
    posthog("Application Opened", 1, **PHONE_OF_POSTHOG, from_background=False),
    posthog("$screen", 2, **PHONE_OF_POSTHOG, **{"$screen_name": "TheScreen"}),
    posthog("$pageview", 3, **{"$current_url": "https://example.com/docs", "account_type": "pro", "flag": True, "list": ["a", 1], "object": {"a": {"b": None}}, "empty": "", "zero": 0,
                               "over 64 bits": 12345678901234567890, "ünï": "é", "$process_person_profile": False, "$geoip_disable": True}),
    posthog("purchase", 4, item_id="b-1", price=2.5, quantity=2, currency="EUR", items=[{"id": "b-1"}], user_properties={"plan": "pro"}),
    # What changes persons; an id of a person among the properties; times without milliseconds, with a zone, and with finer parts.
    {"event": "$identify", "distinct_id": "user_123", "timestamp": "2020-08-16T09:03:11.913767Z", "properties": {"$set": {"is_cool": True}, "$set_once": {"first": "a"}, "$anon_distinct_id": "a-1"}},
    {"event": "batched_event", "properties": {"distinct_id": "user_456", "account_type": "pro"}, "timestamp": "2024-01-01T01:00:06+01:00"},
    {"event": "user id 7", "distinct_id": 7, "timestamp": "2024-01-01T00:00:07Z", "api_key": "SECRET", "sent_at": "2024-02-01T00:00:00Z", "library": "python"},
    posthog("Application Backgrounded", 8, **PHONE_OF_POSTHOG, session_id="s-1", session_duration=60000, translate_names='{"name":"session.stop"}'),
    {"event": "exploded", "distinct_id": "u", "timestamp": "2024-01-01T00:00:09.000Z", "uuid": "dbdfc127-081c-574c-a1a9-c6eaf3183258",
     "properties": {"translate_event_id": "0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11-2"}},
)


# -- the Segment spec --------------------------------------------------------------------------------------------

def segment(kind, number, **others):
    """Make a message."""
    return {"type": kind, "messageId": f"022bb90c-bbac-11e4-8dfc-{number:012}", "timestamp": f"2015-12-10T04:08:{number:02}.905Z", "anonymousId": "507f191e810c19729de860ea", **others}


CONTEXT = {"app": {"name": "InitechGlobal", "version": "545", "build": "3.0.1.545", "namespace": "com.production.segment"},
           "device": {"id": "B5372DB0-C21E-11E4-8DFC-AA07A5B093DB", "manufacturer": "Apple", "model": "iPhone7,2", "type": "ios", "name": "maguro"},
           "ip": "192.0.2.1", "library": {"name": "analytics-ios", "version": "2.11.1"}, "locale": "en-US", "network": {"carrier": "T-Mobile US", "wifi": False},
           "os": {"name": "iPhone OS", "version": "8.1.3"}, "screen": {"width": 320, "height": 568, "density": 2}, "timezone": "Europe/Amsterdam",
           "location": {"city": "San Francisco"}, "userAgent": "Mozilla/5.0 (iPhone)", "traits": {"plan": "pro", "visits": 3}}
OFF = {"All": False}
SEGMENT = (
    segment("track", 1, event="Application Opened", context=CONTEXT, integrations=OFF, properties={"from_background": False}),
    segment("track", 2, event="Application Opened", userId="97980cfea0067", properties={"from_background": True, "url": "url://location"},
            sentAt="2015-12-10T04:08:31.581Z", receivedAt="2015-12-10T04:08:31.909Z", originalTimestamp="2015-12-10T04:08:31.905Z", version=2, channel="server"),
    segment("track", 3, event="Order Completed", userId="97980cfea0067", integrations={"All": True, "Salesforce": False}, properties={
        "order_id": "50314b8e9bcf000000000000", "revenue": 25, "currency": "USD", "coupon": "hasbros", "flag": True, "empty": "", "zero": 0, "over 64 bits": 12345678901234567890,
        "products": [{"product_id": "507f1f77bcf86cd799439011", "price": 19, "quantity": 1}]}),
    segment("screen", 4, name="Home", properties={"Feed Type": "private"}),
    segment("page", 5, name="Docs", properties={"url": "https://example.com/docs"}),
    segment("identify", 6, userId="97980cfea0067", traits={"email": "ada@example.com", "plan": "pro"}),
    segment("group", 7, groupId="0e8c78ea9d97a7b8185e8632", traits={"name": "Initech"}),
    # As a client library writes an absent id, a number for one, and an id of its own.
    {"type": "track", "event": "late", "userId": 7, "anonymousId": None, "messageId": "node-next-1449720508905-abc", "timestamp": "2015-12-10T13:08:08+09:00"},
    segment("track", 9, event="Application Backgrounded", properties={"session_id": "s-1", "session_duration": 60000, "translate_names": '{"name":"session.stop"}'}),
)

FILES = {
    "segment_spec/events_minimal.jsonl": lines({"type": "track", "event": "Signed Up", "userId": "u-1", "timestamp": "2015-12-10T04:08:31.905Z"}),
    "segment_spec/events_full.jsonl": lines(*SEGMENT),
    "segment_spec/requests_minimal.jsonl": lines({"batch": [{"type": "track", "event": "Signed Up", "userId": "u-1", "timestamp": "2015-12-10T04:08:31.905Z"}]}),
    "segment_spec/requests_full.jsonl": lines(
        {"batch": list(SEGMENT[:4]), "sentAt": "2015-12-10T04:08:40.000Z", "writeKey": "SECRET", "context": {"library": {"name": "analytics-node"}}},
        {"batch": list(SEGMENT[4:])}),
    "posthog/events_minimal.jsonl": lines({"event": "$pageview", "distinct_id": "user_123", "timestamp": "2024-01-01T00:00:00Z"}),
    "posthog/events_full.jsonl": lines(*POSTHOG),
    "posthog/requests_minimal.jsonl": lines({"batch": [{"event": "$pageview", "distinct_id": "user_123", "timestamp": "2024-01-01T00:00:00Z"}]}),
    "posthog/requests_full.jsonl": lines(
        {"api_key": "SECRET", "historical_migration": True, "sent_at": "2024-02-01T00:00:00Z", "batch": list(POSTHOG[:4])},
        {"api_key": "SECRET", "historical_migration": False, "batch": list(POSTHOG[4:])}),
    "mixpanel/events_minimal.jsonl": lines({"event": "Signed up", "properties": {"time": 1618716477000, "distinct_id": "u", "$insert_id": "i-1"}}),
    "mixpanel/events_full.jsonl": lines(*MIXPANEL),
    "mixpanel/requests_minimal.jsonl": lines([{"event": "Signed up", "properties": {"time": 1618716477000, "distinct_id": "u", "$insert_id": "i-1"}}]),
    "mixpanel/requests_full.jsonl": lines(list(MIXPANEL[:4]), list(MIXPANEL[4:])),
    "amplitude/events_minimal.jsonl": lines({"user_id": "ada-l", "event_type": "watch_tutorial", "time": 1396381378123}),
    "amplitude/events_full.jsonl": lines(*AMPLITUDE),
    "amplitude/requests_minimal.jsonl": lines({"events": [{"user_id": "ada-l", "event_type": "watch_tutorial", "time": 1396381378123}]}),
    "amplitude/requests_full.jsonl": lines(
        {"api_key": "SECRET", "client_upload_time": "2016-04-07T00:00:00.000Z", "options": {"min_id_length": 5}, "events": list(AMPLITUDE[:3])},
        {"events": list(AMPLITUDE[3:])}),
}
