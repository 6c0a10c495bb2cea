"""Converts an archive to Clickstream events by one statement of DuckDB: python in_duckdb.py SOURCE TARGET.

Attributes and metrics stay JSON text, which DuckDB parses once and copies, digits and all; only purchases and the rare
names that are not legal are taken apart. The row is spliced of texts: that is faster than merging documents, than one
struct made JSON, and than the writer of JSON.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

COLUMNS = """{
    event_type: 'VARCHAR', event_timestamp: 'BIGINT', arrival_timestamp: 'BIGINT', event_version: 'VARCHAR',
    application: 'STRUCT(app_id VARCHAR, cognito_identity_pool_id VARCHAR, package_name VARCHAR, title VARCHAR,
        version_name VARCHAR, version_code VARCHAR, sdk STRUCT(name VARCHAR, version VARCHAR))',
    client: 'STRUCT(client_id VARCHAR, cognito_id VARCHAR)',
    device: 'STRUCT(make VARCHAR, model VARCHAR, platform STRUCT(name VARCHAR, version VARCHAR),
        locale STRUCT(code VARCHAR, country VARCHAR, language VARCHAR))',
    session: 'STRUCT(session_id VARCHAR, start_timestamp BIGINT, stop_timestamp BIGINT, duration BIGINT)',
    attributes: 'JSON', metrics: 'JSON'
}"""

MACROS = r"""
CREATE MACRO legal(name) AS
    regexp_replace(regexp_replace(name, '[^0-9A-Za-z_]', '_', 'g'), '^([0-9])', '_\1');
CREATE MACRO is_legal(name) AS regexp_full_match(name, '[A-Za-z_][0-9A-Za-z_]*');
-- A key is the only text before a colon: quotes inside of texts are escaped.
CREATE MACRO has_odd_keys(object) AS regexp_matches(object, '"[^"\\]*[^"\\0-9A-Za-z_][^"\\]*":');
CREATE MACRO with_legal_keys(object) AS CASE WHEN has_odd_keys(object) THEN to_json(map_from_entries(
    list_transform(json_keys(object), lambda name: (legal(name), json_extract(object, '/' || name))))) ELSE object END;
CREATE MACRO odd_keys(object) AS CASE WHEN has_odd_keys(object) THEN map_from_entries(list_transform(
    list_filter(json_keys(object), lambda name: NOT is_legal(name)), lambda name: (legal(name), name))) END;
CREATE MACRO members(object) AS CASE WHEN length(object) > 2 THEN ',' || object[2:-2] ELSE '' END;
"""

QUERY = r"""
COPY (
    WITH records AS (
        SELECT * REPLACE (coalesce(attributes, '{}') AS attributes, coalesce(metrics, '{}') AS metrics),
            event_type = '_monetization.purchase' AS is_purchase
        FROM read_ndjson($source, columns = $columns)
    ),
    named AS (
        SELECT *,
            CASE event_type
                WHEN '_session.start' THEN '_session_start'
                WHEN '_session.stop' THEN '_app_end'
                WHEN '_session.pause' THEN '_app_end'
                WHEN '_session.resume' THEN '_app_start'
                WHEN '_monetization.purchase' THEN 'purchase'
                ELSE legal(event_type)
            END AS name,
            CASE WHEN event_type = '_session.stop' THEN 'session.stop'
                WHEN NOT is_legal(event_type) AND event_type[1] <> '_' THEN event_type
            END AS original,
            CASE lower(device.platform.name)
                WHEN 'android' THEN 'Android'
                WHEN 'ios' THEN 'iOS'
                WHEN 'iphone os' THEN 'iOS'
                ELSE device.platform.name
            END AS platform,
            CASE WHEN is_purchase THEN attributes->>'_product_id' END AS product,
            CASE WHEN is_purchase THEN attributes->>'_currency' END AS currency,
            CASE WHEN is_purchase THEN attributes->>'_store' END AS store,
            CASE WHEN is_purchase THEN (metrics->>'_item_price')::DOUBLE END AS price,
            CASE WHEN is_purchase THEN (metrics->>'_quantity')::DOUBLE END AS quantity,
            CASE WHEN is_purchase THEN json_merge_patch(attributes,
                '{"_product_id":null,"_currency":null,"_store":null,"_transaction_id":null}')
                ELSE attributes END AS own_attributes,
            CASE WHEN is_purchase THEN json_merge_patch(metrics, '{"_item_price":null,"_quantity":null}')
                ELSE metrics END AS own_metrics,
            odd_keys(own_attributes) AS odd_attributes,
            odd_keys(own_metrics) AS odd_metrics,
            is_purchase AND store <> 'Virtual' AND regexp_full_match(currency, '[A-Za-z]{3}') AS is_money,
            is_purchase AND NOT is_money AS is_loose
        FROM records
    )
    SELECT concat(
            '{"event_type":' || to_json(name),
            ',"timestamp":' || event_timestamp,
            ',"app_id":' || to_json(application.app_id),
            ',"unique_id":' || to_json(client.client_id),
            ',"device_id":' || to_json(client.client_id),
            ',"platform":' || to_json(platform),
            ',"os_version":' || to_json(device.platform.version),
            ',"make":' || to_json(device.make),
            ',"model":' || to_json(device.model),
            ',"locale":' || to_json(device.locale.code),
            ',"system_language":' || to_json(coalesce(device.locale.language, regexp_extract(device.locale.code, '^[a-z]+'))),
            ',"country_code":' || to_json(coalesce(device.locale.country, nullif(regexp_extract(device.locale.code, '[A-Z]+$'), ''))),
            ',"zone_offset":' || 0,
            ',"sdk_name":' || to_json(application.sdk.name),
            ',"sdk_version":' || to_json(application.sdk.version),
            ',"app_package_name":' || to_json(application.package_name),
            ',"app_version":' || to_json(application.version_name),
            ',"app_title":' || to_json(application.title)
        )
        || CASE WHEN is_purchase THEN concat(
            CASE WHEN is_money THEN ',' || trim(to_json(
                {event_value_currency: upper(currency), event_value: price * quantity}), '{}') END,
            ',"items":[{"id":', to_json(product),
            CASE WHEN is_money THEN ',' || trim(to_json(
                {price: price, quantity: quantity, currency: upper(currency)}), '{}') END, '}]') ELSE '' END
        || ',"attributes":'
        || concat(
            '{"_session_id":' || to_json(session.session_id),
            ',"_session_start_timestamp":' || session.start_timestamp,
            ',"_session_duration":' || coalesce(session.duration, session.stop_timestamp - session.start_timestamp),
            ',"session_stop_timestamp":' || session.stop_timestamp,
            ',"arrival_timestamp":' || arrival_timestamp,
            ',"cognito_id":' || to_json(client.cognito_id),
            ',"cognito_identity_pool_id":' || to_json(application.cognito_identity_pool_id),
            ',"app_version_code":' || to_json(application.version_code),
            ',"event_version":' || to_json(event_version)
        )
        || CASE WHEN is_purchase THEN concat(
            ',"purchase_store":', to_json(store),
            ',"purchase_transaction_id":' || (attributes->'_transaction_id'),
            CASE WHEN is_loose THEN ',' || trim(to_json(
                {purchase_price: price, purchase_quantity: quantity, purchase_currency: currency}), '{}') END)
            ELSE '' END
        || CASE WHEN event_type = '_session.resume' THEN ',"_is_first_time":false' ELSE '' END
        || CASE WHEN original IS NOT NULL OR odd_attributes IS NOT NULL OR odd_metrics IS NOT NULL
            THEN ',"translate_names":' || to_json(
                to_json({name: original, attributes: odd_attributes, metrics: odd_metrics})::VARCHAR) ELSE '' END
        || members(with_legal_keys(own_attributes))
        || members(with_legal_keys(own_metrics))
        || '}}'
    FROM named
) TO $target (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\x01')
"""


def convert(source: Path, target: Path) -> None:
    """Convert the file by one statement."""
    target.mkdir()
    statement = QUERY.replace("$columns", COLUMNS)
    statement = statement.replace("$source", _quoted(source)).replace(
        "$target", _quoted(target / "rows.ndjson")
    )
    connection = duckdb.connect()
    connection.execute(MACROS)
    connection.execute(statement)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
