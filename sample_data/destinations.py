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

FILES = {
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
