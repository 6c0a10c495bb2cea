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

FILES = {
    "amplitude/events_minimal.jsonl": lines({"user_id": "ada-l", "event_type": "watch_tutorial", "time": 1396381378123}),
    "amplitude/events_full.jsonl": lines(*AMPLITUDE),
    "amplitude/requests_minimal.jsonl": lines({"events": [{"user_id": "ada-l", "event_type": "watch_tutorial", "time": 1396381378123}]}),
    "amplitude/requests_full.jsonl": lines(
        {"api_key": "SECRET", "client_upload_time": "2016-04-07T00:00:00.000Z", "options": {"min_id_length": 5}, "events": list(AMPLITUDE[:3])},
        {"events": list(AMPLITUDE[3:])}),
}
