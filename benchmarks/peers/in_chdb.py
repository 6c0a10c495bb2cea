"""Converts an archive to Clickstream events by one statement of chDB: python in_chdb.py SOURCE TARGET.

Attributes and metrics are read as JSON text, digits and all, and spliced into the row; only purchases and the rare names
that are not legal are taken apart.
"""

from __future__ import annotations

import sys
from pathlib import Path

import chdb

COLUMNS = """
    event_type String, event_timestamp Int64, arrival_timestamp Nullable(Int64), event_version Nullable(String),
    application Tuple(app_id Nullable(String), cognito_identity_pool_id Nullable(String),
        package_name Nullable(String), title Nullable(String), version_name Nullable(String),
        version_code Nullable(String), sdk Tuple(name Nullable(String), version Nullable(String))),
    client Tuple(client_id Nullable(String), cognito_id Nullable(String)),
    device Tuple(make Nullable(String), model Nullable(String),
        platform Tuple(name Nullable(String), version Nullable(String)),
        locale Tuple(code Nullable(String), country Nullable(String), language Nullable(String))),
    session Tuple(session_id Nullable(String), start_timestamp Nullable(Int64), stop_timestamp Nullable(Int64),
        duration Nullable(Int64)),
    attributes String, metrics String
"""

# The columns of an object, in order: how each is named, and what it holds.
TOP_LEVEL = {
    "event_type": "name",
    "timestamp": "event_timestamp",
    "app_id": "application.app_id",
    "unique_id": "client.client_id",
    "device_id": "client.client_id",
    "platform": "platform",
    "os_version": "device.platform.version",
    "make": "device.make",
    "model": "device.model",
    "locale": "device.locale.code",
    "system_language": "coalesce(device.locale.language, extract(assumeNotNull(device.locale.code), '^[a-z]+'))",
    "country_code": "coalesce(device.locale.country, nullIf(extract(assumeNotNull(device.locale.code), '[A-Z]+$'), ''))",
    "zone_offset": "0",
    "sdk_name": "application.sdk.name",
    "sdk_version": "application.sdk.version",
    "app_package_name": "application.package_name",
    "app_version": "application.version_name",
    "app_title": "application.title",
    "event_value_currency": "if(is_money, upper(currency), NULL)",
    "event_value": "if(is_money, price * quantity, NULL)",
}
PRESETS = {
    "_session_id": "session.session_id",
    "_session_start_timestamp": "session.start_timestamp",
    "_session_duration": "coalesce(session.duration, session.stop_timestamp - session.start_timestamp)",
    "_is_first_time": "if(event_type = '_session.resume', false, NULL)",
    "session_stop_timestamp": "session.stop_timestamp",
    "arrival_timestamp": "arrival_timestamp",
    "cognito_id": "client.cognito_id",
    "cognito_identity_pool_id": "application.cognito_identity_pool_id",
    "app_version_code": "application.version_code",
    "event_version": "event_version",
}
ITEM = """'{"id":', toJSONString(product), if(is_money, concat(',"price":', toString(price), ',"quantity":',
    toString(quantity), ',"currency":"', upper(currency), '"'), ''), '}'"""
OF_PURCHASES = """',"purchase_store":', toJSONString(store),
    ',"purchase_transaction_id":', if(JSONHas(attributes, '_transaction_id'),
        JSONExtractRaw(attributes, '_transaction_id'), 'null'),
    if(is_money, '', concat(',"purchase_price":', toString(price), ',"purchase_quantity":', toString(quantity),
        ',"purchase_currency":', toJSONString(currency)))"""

MEMBERS = "JSONExtractKeysAndValuesRaw({0})"
LEGAL = r"replaceRegexpOne(replaceRegexpAll({0}, '[^0-9A-Za-z_]', '_'), '^([0-9])', '_\\1')"
IS_LEGAL = "match({0}, '^[A-Za-z_][0-9A-Za-z_]*$')"
# A key is the only text before a colon: quotes inside of texts are escaped. Odd characters may be, too.
HAS_ODD_KEYS = r"""match({0}, '"[^"\\\\]*[^"\\\\0-9A-Za-z_][^"\\\\]*":|\\\\u[0-9a-f]{{4}}[^"]*":')"""
KEPT = "member -> member.1 NOT IN ('_product_id', '_currency', '_store', '_transaction_id', '_item_price', '_quantity')"


def taken_apart(container: str) -> str:
    """Give the members of a container, without a purchase's presets and with legal names."""
    members = MEMBERS.format(container)
    members = f"if(is_purchase, arrayFilter({KEPT}, {members}), {members})"
    # Taken apart, an integer beyond 64 bits comes as a text.
    value = "trim(BOTH '\"' FROM member.2)" if container == "metrics" else "member.2"
    spelled = f"concat(toJSONString({LEGAL.format('member.1')}), ':', {value})"
    return f"arrayStringConcat(arrayMap(member -> {spelled}, {members}), ',')"


def odd_keys(container: str) -> str:
    """Give JSON text of the keys that are made legal."""
    pair = f"concat('\"', {LEGAL.format('member.1')}, '\":', toJSONString(member.1))"
    odd = f"arrayFilter(member -> NOT {IS_LEGAL.format('member.1')}, {MEMBERS.format(container)})"
    return f"concat('{{', arrayStringConcat(arrayMap(member -> {pair}, {odd}), ','), '}}')"


def spliced(members: dict[str, str]) -> str:
    """Give JSON text of an object without its braces."""
    parts = [f"""'"{name}":', ifNull(toJSONString({value}), 'null')""" for name, value in members.items()]
    return ", ',', ".join(parts)


def statement(source: Path, target: Path) -> str:
    """Give the whole statement."""
    own = {
        container: f"if(is_purchase OR {container}_odd, {taken_apart(container)},"
        f" substring({container}, 2, length({container}) - 2))"
        for container in ("attributes", "metrics")
    }
    quoted_source, quoted_target = (
        "'" + str(path).replace("\\", "\\\\").replace("'", "\\'") + "'" for path in (source, target)
    )
    return f"""
SELECT concat('{{', {spliced(TOP_LEVEL)}, if(is_purchase, concat(',"items":[', {ITEM}, ']'), ''),
    ',"attributes":{{', {spliced(PRESETS)}, if(is_purchase, concat({OF_PURCHASES}), ''),
    if(original != '' OR attributes_odd OR metrics_odd, concat(',"translate_names":', toJSONString(concat(
        '{{"name":', if(original = '', 'null', toJSONString(original)),
        ',"attributes":', {odd_keys("attributes")}, ',"metrics":', {odd_keys("metrics")}, '}}'))), ''),
    if(own_attributes = '', '', ','), own_attributes, if(own_metrics = '', '', ','), own_metrics, '}}}}')
FROM (
    SELECT *,
        event_type = '_monetization.purchase' AS is_purchase,
        {HAS_ODD_KEYS.format("attributes")} AS attributes_odd,
        {HAS_ODD_KEYS.format("metrics")} AS metrics_odd,
        multiIf(event_type = '_session.start', '_session_start', event_type = '_session.stop', '_app_end',
            event_type = '_session.pause', '_app_end', event_type = '_session.resume', '_app_start',
            is_purchase, 'purchase', {LEGAL.format("event_type")}) AS name,
        multiIf(event_type = '_session.stop', 'session.stop', startsWith(event_type, '_'), '',
            {IS_LEGAL.format("event_type")}, '', event_type) AS original,
        lower(device.platform.name) AS lowered,
        multiIf(lowered = 'android', 'Android', lowered IN ('ios', 'iphone os'), 'iOS', device.platform.name)
            AS platform,
        if(is_purchase, JSONExtractString(attributes, '_product_id'), '') AS product,
        if(is_purchase, JSONExtractString(attributes, '_currency'), '') AS currency,
        if(is_purchase, JSONExtractString(attributes, '_store'), '') AS store,
        if(is_purchase, JSONExtractFloat(metrics, '_item_price'), 0) AS price,
        if(is_purchase, JSONExtractFloat(metrics, '_quantity'), 0) AS quantity,
        is_purchase AND store != 'Virtual' AND match(currency, '^[A-Za-z]{{3}}$') AS is_money,
        {own["attributes"]} AS own_attributes,
        {own["metrics"]} AS own_metrics
    FROM file({quoted_source}, 'JSONEachRow', $columns$)
) INTO OUTFILE {quoted_target} FORMAT TSVRaw
SETTINGS input_format_json_read_objects_as_strings = 1, input_format_skip_unknown_fields = 1,
    output_format_json_quote_64bit_integers = 0, short_circuit_function_evaluation = 'force_enable',
    output_format_json_escape_forward_slashes = 0
""".replace("$columns$", "'" + COLUMNS.replace("\n", " ") + "'")


def convert(source: Path, target: Path) -> None:
    """Convert the file by one statement."""
    target.mkdir()
    chdb.query(statement(source, target / "rows.ndjson"))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
