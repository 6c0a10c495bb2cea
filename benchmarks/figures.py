"""Computes what `inspect` tells by SQL of DuckDB, and compares the figures: python figures.py SOURCE > FILE.

DuckDB reads the JSON lines once into a temporary table and asks it for each figure: that is faster than asking the
file several times. What it is spared: it looks for no damaged, doubled or unknown member and for no limits, keeps no
sample for targets, and holds the whole table in memory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DAY_MS = 86_400_000
COLUMNS = """{
    event_type: 'VARCHAR', event_timestamp: 'BIGINT', arrival_timestamp: 'BIGINT', event_version: 'VARCHAR',
    application: 'STRUCT(app_id VARCHAR, cognito_identity_pool_id VARCHAR, package_name VARCHAR, title VARCHAR,
        version_name VARCHAR, version_code VARCHAR, sdk STRUCT(name VARCHAR, version VARCHAR))',
    client: 'STRUCT(client_id VARCHAR, cognito_id VARCHAR)',
    device: 'STRUCT(make VARCHAR, model VARCHAR, platform STRUCT(name VARCHAR, version VARCHAR),
        locale STRUCT(code VARCHAR, country VARCHAR, language VARCHAR))',
    session: 'STRUCT(session_id VARCHAR, start_timestamp BIGINT, stop_timestamp BIGINT, duration BIGINT)',
    attributes: 'MAP(VARCHAR, VARCHAR)', metrics: 'MAP(VARCHAR, VARCHAR)'
}"""

# Names of figures, and how DuckDB finds them in the table `e`.
MOMENT = "strftime(epoch_ms({}), '%Y-%m-%dT%H:%M:%S.%gZ')"
SCALARS = {
    "events": "count(*)",
    "first": MOMENT.format("min(event_timestamp)"),
    "last": MOMENT.format("max(event_timestamp)"),
    "first_arrival": MOMENT.format("min(arrival_timestamp)"),
    "last_arrival": MOMENT.format("max(arrival_timestamp)"),
    "late": f"count(*) FILTER (arrival_timestamp - event_timestamp > {DAY_MS})",
    "skewed": "count(*) FILTER (event_timestamp > arrival_timestamp)",
    "clients": "count(DISTINCT client.client_id)",
    "identities": "count(DISTINCT client.cognito_id)",
    "sessions": "count(DISTINCT (client.client_id, session.session_id))",
}
LISTS = {
    "days": "epoch_ms(event_timestamp)::DATE::VARCHAR",
    "types": "event_type",
    "apps": "application.app_id",
    "versions": "application.version_name",
    "sdks": "concat_ws(' ', application.sdk.name, application.sdk.version)",
    "platforms": "device.platform.name",
    "platform_versions": "concat_ws(' ', device.platform.name, device.platform.version)",
    "devices": "concat_ws(' ', device.make, device.model)",
    "countries": "device.locale.country",
    "languages": "device.locale.language",
}
NAMES = {
    "session.start": "_session.start",
    "session.stop": "_session.stop",
    "session.pause": "_session.pause",
    "session.resume": "_session.resume",
    "purchase": "_monetization.purchase",
}
# The preset keys of a purchase are columns of the hub, and no keys.
KEYS = """
    SELECT event_type, entry.key, count(*), count(*) FILTER (try_cast(entry.value AS DOUBLE) IS NOT NULL)
    FROM (SELECT event_type, unnest(map_entries(map_concat(attributes, metrics))) AS entry FROM e)
    WHERE entry.value IS NOT NULL AND (event_type <> '_monetization.purchase' OR entry.key NOT IN ('_product_id',
        '_currency', '_store', '_transaction_id', '_item_price', '_quantity', '_item_price_formatted'))
    GROUP BY ALL
"""
UNSTOPPED = """
    SELECT count(*) FROM (
        SELECT bool_or(event_type = '_session.start') AS started,
            bool_or(event_type = '_session.stop' OR session.stop_timestamp IS NOT NULL) AS stopped
        FROM e WHERE session.session_id IS NOT NULL GROUP BY client.client_id, session.session_id
    ) WHERE started AND NOT stopped
"""
REVENUE = """
    SELECT upper(attributes['_currency']), count(*),
        round(sum(metrics['_item_price']::DOUBLE * metrics['_quantity']::DOUBLE), 2)
    FROM e WHERE event_type = '_monetization.purchase' AND attributes['_store'] <> 'Virtual' GROUP BY ALL
"""
# The content of an event is all but when it arrived.
REPEATED = """
    SELECT count(*) - count(DISTINCT digest) FROM (
        SELECT md5_number(row(event_type, event_timestamp, event_version, application, client, device, session,
            attributes, metrics)::VARCHAR) AS digest FROM e)
"""


def figures_of_duckdb(source: Path) -> dict[str, Any]:
    """Compute the figures by SQL."""
    import duckdb  # noqa: PLC0415 - the comparison does without

    database = duckdb.connect()

    def ask(query: str) -> list[list[Any]]:
        return [list(row) for row in database.execute(query).fetchall()]

    path = str(source).replace("'", "''")
    ask(f"CREATE TEMP TABLE e AS SELECT * FROM read_ndjson('{path}', columns = {COLUMNS})")
    scalars = dict(zip(SCALARS, ask(f"SELECT {', '.join(SCALARS.values())} FROM e")[0], strict=True))
    scalars |= {"unstopped": ask(UNSTOPPED)[0][0], "repeated": ask(REPEATED)[0][0]}
    lists = {
        name: sorted(ask(f"SELECT {how} AS value, count(*) FROM e WHERE value IS NOT NULL GROUP BY ALL"))
        for name, how in LISTS.items()
    }
    return {**scalars, **lists, "keys": sorted(ask(KEYS)), "revenue": sorted(ask(REVENUE))}


def figures_of_translate(told: dict[str, Any]) -> dict[str, Any]:
    """Find the same figures in what `inspect --json` tells."""
    faults = {fault["fault"]: fault["count"] for fault in told["faults"]}
    time_of, people = told["time"], told["people"]
    scalars = {
        "events": told["events"]["inspected"],
        "first": time_of["event"]["first"],
        "last": time_of["event"]["last"],
        "first_arrival": time_of["arrival"]["first"],
        "last_arrival": time_of["arrival"]["last"],
        "late": faults.get("late.24h", 0),
        "skewed": faults.get("clock_skew", 0),
        "clients": people["clients"]["different"],
        "identities": people["identities"]["different"],
        "sessions": people["sessions"]["different"],
        "unstopped": faults.get("sessions_without_stop", 0),
        "repeated": faults.get("duplicates", 0),
    }
    lists = {name: sorted([_label(name, row), row["events"]] for row in told[name]) for name in LISTS}
    revenue = [
        [row["currency"], row["purchases"], round(row["amount"], 2)]
        for row in told["purchases"]["revenue"]
        if row["money"]
    ]
    return {**scalars, **lists, "keys": _keys(told["types"]), "revenue": sorted(revenue)}


def _label(figure: str, row: dict[str, Any]) -> str:
    if figure == "apps":
        return row["id"]
    parts = (
        str(value) for name, value in row.items() if name not in ("events", "keys") and value is not None
    )
    label = " ".join(parts)
    return NAMES.get(label, label)


def _keys(types: list[dict[str, Any]]) -> list[list[Any]]:
    """Count each key by type, whatever its values' types made of it."""
    found: dict[tuple[str, str], int] = {}
    for row in types:
        for key in row["keys"]:
            place = NAMES.get(row["name"], row["name"]), key["key"]
            found[place] = found.get(place, 0) + key["events"]
    return sorted([*place, count] for place, count in found.items())


def compare(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Give the first figure that differs, or an empty text."""
    # How many look like numbers is counted by both, by rules of their own.
    theirs = {**theirs, "keys": [row[:3] for row in theirs["keys"]]}
    for name, value in theirs.items():
        if ours[name] != value:
            pairs = zip(ours[name], value, strict=False) if isinstance(value, list) else ()
            return f"{name}: {next((pair for pair in pairs if pair[0] != pair[1]), (ours[name], value))}"
    return ""


if __name__ == "__main__":
    json.dump(figures_of_duckdb(Path(sys.argv[1])), sys.stdout)
