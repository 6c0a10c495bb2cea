"""What is odd in the archive: tables of changes to clients, records and files, and how a change is made.

A row says: the group it is listed in ("-" is what no source mentions and every
reader of JSON lines must bear), what is odd in words, how many get it, who may, and the change.
"""

import copy

from vocabulary import (
    DAY,
    ESCAPED,
    HOUR,
    MINUTE,
    NUMBERS,
    PLANES,
    PRICES,
    PURCHASE,
    SECOND,
    STOP,
    chance,
    identifier,
    without_none,
)

GONE = object()  # in a change: take the key away
ALL = None  # in a count: everyone who may


def make_odd(holder, facts, text, change):
    """Change a client, a record or a file, and mark it: everything odd in this folder goes through here."""
    holder.oddities = {*holder.oddities, (facts, text)}
    amend(
        holder if isinstance(holder, dict) else vars(holder), change(holder) if callable(change) else change
    )
    return holder


def amend(place, change):
    """Merge a change into nested dictionaries; `{}` empties one and GONE takes it away."""
    for key, value in change.items():
        if value is GONE:
            del place[key]
        elif isinstance(value, dict) and value:
            amend(place.setdefault(key, {}), value)
        else:
            place[key] = copy.copy(value)


def sprinkle(holders, table):
    """Give each oddity of a table its number of holders; no holder gets two, unless one is for all."""
    free = list(holders)
    for facts, text, count, eligible, change in table:
        candidates = [holder for holder in (holders if count is ALL else free) if eligible(holder)]
        chosen = candidates if count is ALL else chance.sample(candidates, count)
        for holder in chosen:
            make_odd(holder, facts, text, change)
        if count is not ALL:
            free = [holder for holder in free if not any(holder is other for other in chosen)]


def sent_by(sdk):
    """Tell whether a client of this SDK sent the record, as a custom event."""
    return lambda record: record.sdk == sdk and is_custom(record)


def is_android_stop(record):
    """Tell whether the record is a stop that Android sent in time."""
    return (
        record.sdk == "android"
        and record["event_type"] == STOP
        and record["session"]["stop_timestamp"] == record["event_timestamp"]
    )


def is_custom(record):
    """Tell whether the record is one of an app's own events, and its session still as most are."""
    return not record["event_type"].startswith("_") and set(record["session"]) == {
        "session_id",
        "start_timestamp",
    }


def is_purchase(record):
    """Tell whether the record is a purchase."""
    return record["event_type"] == PURCHASE


def uses(*sdks):
    """Tell whether a client uses one of these SDKs."""
    return lambda client: client.sdk in sdks


def anything(_holder):
    """Tell that everyone may."""
    return True


# fmt: off
CLIENT_ODDITIES = (
    ("1.3", "Android names its platform ANDROID", ALL, uses("android"), {"device": {"platform": {"name": "ANDROID"}}}),
    ("1.3", "iOS has version name and version code the other way round", ALL, uses("ios"), lambda client: {"application": {
        "version_name": client.application["version_code"], "version_code": client.application["version_name"]}}),
    ("2.3", "`sdk` is `{}`", ALL, uses("rest"), {"application": {"sdk": {}}}),
    ("2.2", "no title, package or versions", 3, uses("rest"), {"application": dict.fromkeys(("title", "package_name", "version_name", "version_code"), GONE)}),
    ("2.3", "no Cognito id and no identity pool", 22, anything, {"client": {"cognito_id": GONE}, "application": {"cognito_identity_pool_id": GONE}}),
    ("2.4", "device clock ahead, by minutes to a day: most events after their arrival", 12, anything,
     lambda _: {"clock_error": chance.choice((chance.randint(3, 60) * MINUTE, chance.randint(2 * HOUR, DAY)))}),
    ("2.4", "device clock behind, by minutes to a day", 8, anything, lambda _: {"clock_error": -chance.randint(3 * MINUTE, DAY)}),
    ("4.2", "Android pads a short unique id with `_` in its session ids", 2, uses("android"), lambda _: {"client": {"client_id": identifier(4)}}),
    ("2.4", "iOS renames a user's attribute `ver` to `ud_ver`", 6, uses("ios"), {"attributes": {"ud_ver": "7"}}),
    ("2.4", "JavaScript keeps the client id of 0.9.0 as `migrationId`", 5, uses("javascript"), lambda _: {"attributes": {"migrationId": identifier()}}),
    ("-", "`version_name` is the empty text", 5, uses("javascript", "dotnet"), {"application": {"version_name": ""}}),
)
# fmt: on


# fmt: off
def attributes(**pairs):
    """Change attributes, under the reserved names of purchases."""
    return {"attributes": {f"_{key}": value for key, value in pairs.items()}}


def amount(price):
    """Change metrics: the price as a number."""
    return {"metrics": {"_item_price": price.amount}}


PURCHASES = (  # what is odd, the SDKs that send it, and the change for a price of PRICES
    ("Google Play: only a price text; the quantity is a double", ("android",), lambda price: attributes(
        store="Google Play", item_price_formatted=price.text, transaction_id=f"GPA.{chance.randint(1000, 9999)}") | {"metrics": {"_quantity": 1.0}}),
    ("Amazon: only a price text, no transaction id", ("android",), lambda price: attributes(
        store="Amazon", item_price_formatted=price.text)),
    ("`Virtual` store: a currency that is no money", ("android", "ios", "dotnet"), lambda _: attributes(
        store="Virtual", currency=chance.choice(("Gold", "gems", "★"))) | {"metrics": {"_item_price": chance.choice((100, 2500, 0.5))}}),
    ("Apple: price as a number and as a text", ("ios", "ios"), lambda price: attributes(
        store="Apple", currency=price.currency, item_price_formatted=price.text, transaction_id=str(chance.randint(10**14, 10**15))) | amount(price)),
    ("price as a number, no store", ("javascript", "rest"), lambda price: attributes(currency=price.currency) | amount(price)),
    ("price as a text beside a currency, no store", ("javascript",), lambda price: attributes(
        currency=price.currency, item_price_formatted=price.text)),
    ("price as a number, no currency", ("javascript", "dotnet", "rest"), amount),
    (".NET: no quantity", ("dotnet",), lambda price: attributes(
        store="Windows Store", currency=price.currency) | {"metrics": {"_quantity": GONE, "_item_price": price.amount}}),
)
# fmt: on


def monetization(record):
    """Add the purchase as a `monetization` object, nested as the Redshift columns imply."""
    texts, numbers = record["attributes"], record["metrics"]
    symbol = {price.currency: price.symbol for price in PRICES}.get(texts.get("_currency"))
    currency = without_none({"code": texts.get("_currency"), "symbol": symbol})
    price = without_none(
        {"reported": texts.get("_item_price_formatted"), "amount": numbers.get("_item_price")}
    )
    transaction = {
        "id": texts.get("_transaction_id"),
        "store": texts.get("_store"),
        "item_id": texts["_product_id"],
    }
    transaction |= {
        "quantity": numbers.get("_quantity"),
        "price": price | ({"currency": currency} if currency else {}),
    }
    return {"monetization": {"transaction": without_none(transaction)}}


# fmt: off
RECORD_ODDITIES = (
    ("2.2", "a `monetization` object beside the purchase's attributes and metrics", 40, is_purchase, monetization),
    ("2.2", "a `monetization` object in place of the purchase's attributes and metrics", 12, is_purchase,
     lambda record: {**monetization(record), "attributes": {}, "metrics": {}}),
    ("1.4", "no `session`", 40, is_custom, {"session": GONE}),
    ("1.4", "`session` is `{}`", 30, is_custom, {"session": {}}),
    ("1.4", "the session id is the empty text", 6, sent_by("rest"), {"session": {"session_id": ""}}),
    ("2.4", "the session id is the placeholder 00000000-00000000", 15, is_custom, {"session": {"session_id": "00000000-00000000"}}),
    ("4.3", "Android's clock went back: stop before start, a duration of 0", 4, is_android_stop, lambda record: {
        "event_timestamp": record["session"]["start_timestamp"] - 5 * MINUTE, "session": {"stop_timestamp": record["session"]["start_timestamp"] - 5 * MINUTE, "duration": 0}}),
    ("6", "`stop_timestamp` is null", 6, sent_by("ios"), {"session": {"stop_timestamp": None}}),
    ("2.4", "`_session.*` and `ver` leaked into attributes and metrics", 15, sent_by("ios"), lambda record: {
        "attributes": {"_session.id": record["session"].get("session_id", ""), "_session.startTime": str(record["session"]["start_timestamp"]), "ver": "v2.0"},
        "metrics": {"_session.duration": record["event_timestamp"] - record["session"]["start_timestamp"]}}),
    ("1.4", "Android clips keys to 40 characters", 25, sent_by("android"), {
        "attributes": {"the_name_of_the_screen_that_was_open_before_this_one"[:40]: "shop"},
        "metrics": {"seconds_since_the_player_saw_the_last_advertisement"[:40]: 31.5}}),
    ("1.4", "JavaScript makes text of attribute values of every type", 60, sent_by("javascript"), {
        "attributes": {"numeric": "42", "flag": "true", "nested": '{"k":1,"list":[1,2.5,"x"]}', "nothing": "null"}}),
    ("1.4", "an attribute value of 201 to 1,000 characters", 20, is_custom, lambda _: {
        "attributes": {"stack trace": ("at com.example.Main.run(Main.java:42) " * 30)[: chance.randint(201, 1_000)]}}),
    ("1.4", "more than 40 attributes and metrics together", 8, is_custom, {
        "attributes": {f"answer_{number}": "yes" for number in range(25)}, "metrics": {f"points_{number}": number for number in range(20)}}),
    ("1.4", "an event type of more than 50 characters", 3, sent_by("javascript"), {
        "event_type": "The visitor closed the newsletter banner for the third time"}),
    ("1.4", "the REST sender's times have no milliseconds", 30, sent_by("rest"), lambda record: {
        "event_timestamp": record["event_timestamp"] // SECOND * SECOND,
        "session": {"start_timestamp": record["session"]["start_timestamp"] // SECOND * SECOND}}),
    ("2.2", "`attributes` and `metrics` are `{}`", 40, is_custom, {"attributes": {}, "metrics": {}}),
    ("2.2", "neither `attributes` nor `metrics`", 25, is_custom, {"attributes": GONE, "metrics": GONE}),
    ("2.2", "`event_version` is the wire's `v2.0`", 60, is_custom, {"event_version": "v2.0"}),
    ("2.2", "metrics of 0, -0.0, negative, whole fractions, exponents, 64-bit integers", 50, is_custom, lambda _: {
        "metrics": {f"number {index}": f"number:{text}" for index, text in enumerate(chance.sample(NUMBERS, 5))}}),
    ("-", "text of all Unicode planes: accents, right to left, joined emoji, U+2028", 50, is_custom, lambda _: {
        "attributes": {"motto": chance.choice(PLANES), f"ключ {chance.choice('😀🎉')}": chance.choice(PLANES)}}),
    ("-", "quotes, backslashes, line breaks, control characters, text that looks like JSON", 40, is_custom, lambda _: {
        "attributes": {"note": chance.choice(ESCAPED), 'quoted "key" \\': chance.choice(ESCAPED)}}),
    ("-", "an attribute whose value is the empty text", 20, is_custom, {"attributes": {"comment": ""}}),
    ("-", "keys in another order", 40, is_custom, lambda record: {key: record.pop(key) for key in reversed(list(record))}),
)
FILE_ODDITIES = (
    ("2.1", "plain text under a `.gz` name", 1, anything, {"members": 0}),
    ("-", "three gzip members", 1, anything, {"members": 3}),
    ("-", "lines end in CR LF", 1, anything, {"line_end": "\r\n"}),
    ("-", "no line end after the last line", 2, anything, {"last_line_end": False}),
    ("2.1", "blank lines, and lines of spaces", 2, anything, {"blank_lines": True}),
    ("-", "spaces after commas and colons", 4, anything, {"separators": (", ", ": ")}),
    ("-", "all but ASCII as `\\u` escapes, with surrogate pairs", 4, anything, {"ascii_only": True}),
    ("-", "`<`, `>` and `&` as `\\u` escapes, as Go does", 4, anything, {"html_escapes": True}),
)
# fmt: on
