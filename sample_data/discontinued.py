"""Small examples of what the two discontinued services took in and left behind, odd as their SDKs made it."""

from wrapping import compact, in_base64, lines, run_together, table, zipped

# fmt: off
APP_ID = "0123456789abcdef0123456789abcdef"
CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
POOL = "us-east-1:11111111-2222-3333-4444-555555555555"
COGNITO = "us-east-1:66666666-7777-8888-9999-000000000000"


# -- Mobile Analytics: PutEvents --------------------------------------------------------------------------------

def context(platform, client, **others):
    """Make a client context: the client, the device, the service, and whatever else an SDK adds."""
    env = others.pop("env", {})
    sdk = others.pop("sdk", {})
    return {"client": {"client_id": CLIENT, "app_title": "Example", **client}, "env": {"platform": platform, **env},
            "services": {"mobile_analytics": {"app_id": APP_ID, **sdk}}, **others}


def event(event_type, timestamp, **others):
    """Make an event of the wire."""
    return {"eventType": event_type, "timestamp": timestamp, **others}


def body(*events):
    """Make the body of a call."""
    return {"events": list(events)}


JS = context("Android", {"app_version_name": "1.4.2", "app_version_code": "142", "app_package_name": "com.example.shop"},
             env={"platform_version": "13", "model": "Pixel 7", "make": "Google", "locale": "en_US"},
             sdk={"sdk_name": "aws-sdk-mobile-analytics-js", "sdk_version": "0.9.2:2.1693.0"}, custom={})
ANDROID = context("ANDROID", {"app_version_name": "2.0-beta", "app_version_code": "200", "app_package_name": "com.example.game"},
                  env={"platform_version": "5.1", "make": "Samsung", "model": "SM-G900", "locale": "sr_RS_#Latn",
                       "carrier": "Vodafone.de", "networkType": "WIFI"},
                  sdk={"sdk_name": "AmazonMobileAnalyticsSDK", "sdk_version": "2.2.5"}, custom={"channel": 'bêta "1"', "tester": "yes"})
# The version's name and its code are the other way round, and the context has a version of its own.
IOS = context("iPhone OS", {"app_version_name": "142", "app_version_code": "1.4.2", "installation_id": "99999999-8888-7777-6666-555555555555"},
              env={"platform_version": "9.3", "make": "apple", "model": "iPhone", "model_version": "iPhone7,2", "locale": "zh-Hans_CN@calendar=japanese"},
              sdk={"sdk_name": "aws-sdk-iOS", "sdk_version": "2.4.16"}, custom={"tier": "gold"}, version="1.0")
JS_SESSION = {"id": "e8ea8f94-b7a3-e754-c13f-e32608c45494", "startTimestamp": "2017-02-24T21:53:22.531Z"}
ANDROID_SESSION = {"id": "eeeeeeee-20170224-215322531", "startTimestamp": "2017-02-24T21:53:22.531Z"}

JS_BODY = body(
    event("_session.start", "2017-02-24T21:53:22.532Z", session=JS_SESSION, version="v2.0", attributes={"numeric": "5", "nested": '{"k":1}'}, metrics={}),
    event('level "7"\n', "2017-02-24T21:53:30.001Z", session=JS_SESSION, version="v2.0",
          attributes={"naïve key": "ünï \\ 😀", "empty": ""}, metrics={"score": 12345.678, "zero": 0, "small": -1e-07, "not a number": None}),
    event("_monetization.purchase", "2017-02-24T21:54:00.000Z", session=JS_SESSION, version="v2.0",
          attributes={"_product_id": "sku-1", "_currency": "USD"}, metrics={"_quantity": 2, "_item_price": 4.99}),
    event("_monetization.purchase", "2017-02-24T21:54:01.000Z", session=JS_SESSION, version="v2.0",
          attributes={"_product_id": "sku-2", "_item_price_formatted": "€3,99"}, metrics={"_quantity": 1}),
    event("_session.stop", "2017-02-24T22:03:22.507Z", version="v2.0", attributes={}, metrics={},
          session={**JS_SESSION, "stopTimestamp": "2017-02-24T22:03:22.507Z", "duration": None}),
    event("outside", "2017-02-24T22:04:00.000Z", session={}, version="v2.0", attributes={}, metrics={}),
)
ANDROID_BODY = body(
    event("_session.pause", "2017-02-24T21:55:00.000Z", session={**ANDROID_SESSION, "duration": 97469}, attributes={"k" * 40: "clipped"}, metrics={"level": 9007199254740993}),
    event("_session.resume", "2017-02-24T21:55:04.900Z", session=ANDROID_SESSION),
    event("_monetization.purchase", "2017-02-24T21:56:00.000Z", session=ANDROID_SESSION, metrics={"_quantity": 1.0},
          attributes={"_product_id": "gem", "_store": "Google Play", "_item_price_formatted": "$1.99", "_transaction_id": "GPA.1234-5678"}),
)
IOS_BODY = body(
    event("_session.stop", "2017-02-24T21:58:00.000Z", version="v2.0", attributes={"ud_ver": "mine"}, metrics={},
          session={"id": "89abcdef-eeeeeeee-20170224-215322531", "startTimestamp": "2017-02-24T21:53:22.531Z",
                   "stopTimestamp": "2017-02-24T21:58:00.000Z", "duration": 277469}),
    event("after the stop", "2017-02-24T21:58:01.000Z", version="v2.0", session={"startTimestamp": "2017-02-24T21:53:22.531Z"}, attributes={}, metrics={}),
)
REST_BODY = body(
    event("purchase", "2017-02-24T22:53:22+01:00", version="v2.0", session={"id": "", "startTimestamp": "2017-02-24T21:00:00Z"}, attributes={"kind": "no monetization"}),
    event("_userauth.sign_in", "2017-02-24T21:53:23", version="v2.0"),
)
MOBILE_ANALYTICS_REQUESTS = lines(
    {"seq": 0, "method": "POST", "path": "/2014-06-05/events", "query": [],
     "headers": [["User-Agent", "aws-sdk-nodejs/2.1693.0"], ["x-amz-Client-Context", compact(JS)], ["Content-Type", "application/json"]],
     "body": compact(JS_BODY)},
    {"method": "POST", "path": "/2014-06-05/events", "body": zipped(compact(ANDROID_BODY)),
     "headers": {"X-Amz-Client-Context": in_base64(compact(ANDROID)), "x-amz-Client-Context-Encoding": "base64", "Content-Encoding": "gzip"}},
    {"client_context": IOS, "body": IOS_BODY},
    {"clientContext": compact(IOS), "body": compact(body(IOS_BODY["events"][1]))},
    {"client_context": in_base64(compact(JS)), "body": in_base64(compact(body(JS_BODY["events"][1])))},
)
MOBILE_ANALYTICS_MINIMAL = lines(
    {"client_context": context("android", {}), "body": body(event("Level Complete", "2017-02-24T21:53:22.531Z", version="v2.0"))})


# -- Mobile Analytics: the table in Redshift --------------------------------------------------------------------

REDSHIFT = [
    {"event_type": "_session.start", "event_timestamp": "2016-04-26 05:12:33.123", "arrival_timestamp": "2016-04-26 05:12:35", "event_version": "3.0",
     "application_app_id": APP_ID, "application_cognito_identity_pool_id": POOL, "application_package_name": "com.example.game",
     "application_sdk_name": "aws-sdk-mobile-analytics-js", "application_sdk_version": "0.9.1:2.4.8", "application_title": 'Example, "the" game',
     "application_version_name": "1.0", "application_version_code": "1", "client_id": CLIENT, "client_cognito_id": COGNITO,
     "device_locale_code": "en_US", "device_locale_country": "US", "device_locale_language": "en", "device_make": "Samsung", "device_model": "SM-G900",
     "device_platform_name": "ANDROID", "device_platform_version": "5.1", "session_id": "dddddddd-eeee-ffff-0000-111111111111",
     "session_start_timestamp": "2016-04-26 05:12:33.1", "a_channel": "beta", "a_note": 'one\ntwo, "three"', "m_score": 12345.678},
    {"event_type": "_session.stop", "event_timestamp": "2016-04-26 05:22:33.5", "application_app_id": APP_ID, "client_id": CLIENT,
     "session_id": "dddddddd-eeee-ffff-0000-111111111111", "session_start_timestamp": "2016-04-26 05:12:33.1",
     "session_stop_timestamp": "2016-04-26 05:22:33.5", "application_version_name": "", "a_channel": "", "m_score": 0},
    {"event_type": "_monetization.purchase", "event_timestamp": "2016-04-26 05:20:00", "application_app_id": APP_ID, "client_id": CLIENT,
     "monetization_transaction_id": "GPA.1234-5678", "monetization_transaction_store": "Google Play", "monetization_transaction_item_id": "b-1",
     "monetization_transaction_quantity": 2, "monetization_transaction_price_amount": 4.99, "monetization_transaction_price_reported": "$4.99",
     "monetization_transaction_price_currency_code": "USD", "monetization_transaction_price_currency_symbol": "$"},
    {"event_type": "_monetization.purchase", "event_timestamp": "2016-04-26 05:21:00", "application_app_id": APP_ID, "client_id": CLIENT,
     "a__product_id": "c-3", "a__item_price_formatted": "1.299,00 TL", "m__quantity": 1},
    {"event_type": "レベル完了", "event_timestamp": "2016-04-26 05:21:30.999", "application_app_id": APP_ID, "client_id": CLIENT, "m_over_2_53": 9007199254740993},
]
REDSHIFT_COLUMNS = list(dict.fromkeys(name for row in REDSHIFT for name in row))
REDSHIFT_TABLE = table(REDSHIFT_COLUMNS, *REDSHIFT)
REDSHIFT_MINIMAL = table(["event_type", "event_timestamp", "application_app_id"],
                         {"event_type": "Level Complete", "event_timestamp": "2016-04-26 05:12:33.123", "application_app_id": APP_ID})


# -- Pinpoint: the event stream ---------------------------------------------------------------------------------

def record(event_type, time, **others):
    """Make a record of the event stream with what all of them have."""
    return {"event_type": event_type, "event_timestamp": time, "arrival_timestamp": time + 77, "event_version": "3.1",
            "application": {"app_id": APP_ID, "sdk": {}}, "client": {"client_id": "ep-0001"}, "device": {"platform": {}}, "session": {},
            "attributes": {}, **others}


ENDPOINT = {"EndpointStatus": "ACTIVE", "OptOut": "ALL", "RequestId": "r-1", "Location": {"Country": "GB"},
            "Demographic": {"Make": "Blink", "Model": "Chrome", "Locale": "en_gb", "Platform": "windows", "PlatformVersion": "10"},
            "EffectiveDate": "2022-02-01T00:09:13.593Z", "Attributes": {"plan": ["free"]}, "Metrics": {"visits": 3},
            "User": {"UserId": "u-1", "UserAttributes": {"interests": ["jazz", "chess"], "": []}},
            "ApplicationId": APP_ID, "Id": "ep-0001", "CohortId": "42", "CreationDate": "2022-01-31T00:00:00.000Z"}
APP_EVENT = record(
    "_session.stop", 1643674153593, arrival_timestamp=1643674153500,
    application={"app_id": APP_ID, "cognito_identity_pool_id": POOL, "sdk": {}, "version_name": ""},
    client={"client_id": "ep-0001", "cognito_id": COGNITO},
    device={"locale": {"code": "en_gb", "country": "GB", "language": "en"}, "make": "Blink", "model": "Chrome", "platform": {"name": "windows", "version": "10"}},
    session={"session_id": "s-0001", "start_timestamp": 1643674149701, "stop_timestamp": 1643674153593},
    attributes={"title": "Home"}, metrics={"elapsed": 3891, "score": 1.5}, endpoint=ENDPOINT, awsAccountId="111122223333")
CAMPAIGN = record(
    "_campaign.send", 1643674200000, awsAccountId="111122223333",
    attributes={"campaign_id": "c-1", "campaign_activity_id": "a-1", "treatment_id": "0", "delivery_type": "EMAIL", "campaign_send_status": "SUCCESS", "campaign_type": None},
    client_context={"custom": {"endpoint": compact({"ChannelType": "EMAIL", "Address": "ada@example.com", "User": {"UserId": "u-2"}}), "legacy_identifier": APP_ID}})
EMAIL = record(
    "_email.delivered", 1643674300000, awsAccountId="111122223333", attributes={"feedback": "delivered"}, client_context={"custom": {"legacy_identifier": APP_ID}},
    facets={"email_channel": {"mail_event": {"mail": {"message_id": "m-1", "destination": ["ada@example.com"], "headers_truncated": False},
                                             "delivery": {"smtp_response": "ok", "reporting_mta": "mta.example.com", "processing_time_millis": 467}}}})
SMS = record("_SMS.SUCCESS", 1643674400000, arrival_timestamp=1643674399000, metrics={"price_in_millicents_usd": 645.0},
             attributes={"record_status": "DELIVERED", "message_id": "m-2", "destination_phone_number": "+15550100", "customer_context": '{"order":"7"}'})
JOURNEY = record("_journey.send", 1643674500000,
                 attributes={"journey_id": "j-1", "journey_run_id": "r-1", "journey_activity_id": "a-2", "journey_activity_type": "EMAIL", "journey_send_status": "SUCCESS"},
                 client_context={"custom": {"endpoint": compact({"Id": "ep-0001", "User": {"UserId": "u-3"}})}})
TEST = record("_test.event", 1643674600000)
STREAM = (APP_EVENT, CAMPAIGN, EMAIL, SMS, JOURNEY, TEST)
STREAM_MINIMAL = lines({"event_type": "Level Complete", "event_timestamp": 1643674153593, "application": {"app_id": APP_ID},
                        "client": {"client_id": "ep-0001"}, "awsAccountId": "111122223333"})
# A delivery stream puts nothing between records; those that a function wrote anew have lost their line end.
STREAM_MIXED = lines(APP_EVENT) + run_together(CAMPAIGN, EMAIL) + "\n" + run_together(SMS) + lines(JOURNEY, TEST)


# -- Pinpoint: the flat record ----------------------------------------------------------------------------------

FLAT = lines(
    {"application_key": APP_ID, "account_id": "111122223333", "event_type": "_session.start", "timestamp": 1517537724812, "arrival_timestamp": 1517537778048,
     "unique_id": "U-1", "cognito_id": COGNITO, "cognito_identity_pool_id": POOL, "platform": "iOS", "make": "apple", "model": "iPhone", "platform_version": "11.2.2",
     "locale": "en_US", "sdk_name": "aws-sdk-iOS", "sdk_version": "2.4.16", "app_package_name": "com.example.app", "app_version_name": "11.02.0",
     "app_version_code": "28198.0", "app_title": "Example", "user_agent": "aws-sdk-iOS/2.4.16 iOS/11.2.2 en_US",
     "attributes": {"_session.id": "s-1", "_session.startTime": "1517537724811", "_clientContext": compact({"client": {"client_id": "U-1"}})}, "metrics": {}},
    {"application_key": APP_ID, "event_type": "_session.stop", "timestamp": 1517537876832, "unique_id": "U-1", "metrics": {"_session.count": 1},
     "attributes": {"_session.id": "s-1", "_session.startTime": "1517537724811", "_session.stopTime": "1517537876832", "_session.duration": "152021"}},
    {"application_key": APP_ID, "event_type": "_monetization.purchase", "timestamp": 1517537800000, "client_id": "U-2",
     "attributes": {"_product_id": "p1", "_currency": "CNY", "_session.startTime": "yesterday", "genre": "jazz"}, "metrics": {"_item_price": 76.58, "_quantity": 1.0}},
)
FLAT_MINIMAL = lines({"application_key": APP_ID, "event_type": "Level Complete", "timestamp": 1517537724812, "unique_id": "U-1"})


# -- Pinpoint: PutEvents ----------------------------------------------------------------------------------------

FULL_ENDPOINT = {"Address": "token", "ChannelType": "GCM", "OptOut": "NONE", "EffectiveDate": "2018-02-02T02:14:00.000Z", "Attributes": {"team": ["red"]}, "Metrics": {"logins": 4},
                 "Demographic": {"AppVersion": "5.03.1", "Locale": "zh_CN", "Make": "apple", "Model": "iPhone", "ModelVersion": "10,6", "Platform": "iOS",
                                 "PlatformVersion": "11.2.5", "Timezone": "Asia/Shanghai"},
                 "Location": {"City": "Zürich", "Country": "CH", "Latitude": 47.5, "Longitude": -8}, "User": {"UserId": "u-1", "UserAttributes": {"interests": ["jazz"]}}}
SWIFT_PURCHASE = {"EventType": "_monetization.purchase", "Timestamp": "2018-02-02T02:14:22.978Z", "AppPackageName": "com.example.app", "AppTitle": "Example",
                  "AppVersionCode": "5.03.1", "SdkName": "aws-sdk-iOS", "ClientSdkVersion": "2.6.5", "Attributes": {"_product_id": "p1", "_currency": "CNY", "_store": "Apple"},
                  "Metrics": {"_item_price": 76.58, "_quantity": 1.0}, "Session": {"Id": "s-1", "StartTimestamp": "2018-02-02T02:13:45.277Z"}}
SWIFT_STOP = {"EventType": "_session.stop", "Timestamp": "2018-02-02T02:16:17.298Z", "AppPackageName": "com.example.app", "Attributes": {}, "Metrics": {},
              "Session": {"Id": "s-1", "StartTimestamp": "2018-02-02T02:13:45.277Z", "StopTimestamp": "2018-02-02T02:16:17.298Z", "Duration": 152021}}
AMPLIFY_START = {"EventType": "_session.start", "Timestamp": "2018-02-02T02:15:24.812", "Attributes": {"x-amz-request-id": "ev-3"}, "Metrics": {"count": 0},
                 "Session": {"Id": "00000000-00000000", "StartTimestamp": "2018-02-02T02:15:24.811Z", "Duration": 0}}
ANDROID_EVENT = {"EventType": "pageView", "Timestamp": "2018-02-02T02:15:25Z", "Attributes": {"url": "https://example.com/?q=ü", "title": ""}}
BATCH = {"ep-1": {"Endpoint": FULL_ENDPOINT, "Events": {"ev-1": SWIFT_PURCHASE, "ev-2": SWIFT_STOP}}, "ep 2/ü": {"Endpoint": {}, "Events": {"ev-3": AMPLIFY_START}}}
PINPOINT_REQUESTS = lines(
    {"ApplicationId": APP_ID, "EventsRequest": {"BatchItem": BATCH}},
    {"ApplicationId": "app 1/é", "EventsRequest": {"BatchItem": {"ep-1": {"Endpoint": {}, "Events": {"ev-4": ANDROID_EVENT}}}}},
    {"method": "POST", "raw_path": "/v1/apps/app%201%2F%C3%A9/events", "path": "/v1/apps/app%201%2F%C3%A9/events", "query": [],
     "headers": [["Content-Type", "application/json"]], "body": compact({"BatchItem": {"ep-3": {"Endpoint": {}, "Events": {"ev-5": ANDROID_EVENT}}}})},
    {"ApplicationId": APP_ID, "EventsRequest": {"BatchItem": {}}},
)
PINPOINT_BODIES = lines({"BatchItem": BATCH}, {"BatchItem": {"ep-1": {"Endpoint": {"ChannelType": "CUSTOM"}, "Events": {}}}})
PINPOINT_MINIMAL = lines({"ApplicationId": APP_ID, "EventsRequest": {"BatchItem": {
    "ep-1": {"Endpoint": {}, "Events": {"ev-1": {"EventType": "Level Complete", "Timestamp": "2018-02-02T02:15:24.812Z"}}}}}})

FILES = {
    "mobile_analytics/requests_minimal.jsonl": MOBILE_ANALYTICS_MINIMAL,
    "mobile_analytics/requests_full.jsonl": MOBILE_ANALYTICS_REQUESTS,
    "mobile_analytics/requests_bodies.jsonl": lines(REST_BODY, body()),
    "mobile_analytics/redshift_minimal.csv": REDSHIFT_MINIMAL,
    "mobile_analytics/redshift_full.csv": REDSHIFT_TABLE,
    "pinpoint/event_stream_minimal.jsonl": STREAM_MINIMAL,
    "pinpoint/event_stream_full.jsonl": lines(*STREAM),
    "pinpoint/event_stream_run_together.json": run_together(*STREAM),
    "pinpoint/event_stream_mixed.json": STREAM_MIXED,
    "pinpoint/flat_minimal.jsonl": FLAT_MINIMAL,
    "pinpoint/flat_full.jsonl": FLAT,
    "pinpoint/requests_minimal.jsonl": PINPOINT_MINIMAL,
    "pinpoint/requests_full.jsonl": PINPOINT_REQUESTS,
    "pinpoint/requests_bodies.jsonl": PINPOINT_BODIES,
}
