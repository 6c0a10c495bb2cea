"""Measures `inspect` against DuckDB computing the same figures of the same file.

    python benchmarks/archive.py bench
    python benchmarks/inspect_against_duckdb.py bench/events-00000.json

DuckDB reads the JSON lines once into a temporary table and asks it for each figure: that is faster than asking the
file several times. Each run is a process of its own with the same number of threads; rounds alternate between the
two. Time is the whole process's, imports included; memory is the most that it held. Afterwards all figures are
compared: they have to be equal.

What DuckDB is spared: it looks for no damaged, doubled or unknown field and for no limits, keeps no sample for targets,
and holds the whole table in memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from against_duckdb import COLUMNS, CONTENDERS, MEGABYTE, Run, measure, show

DAY_MS = 86_400_000

# Names of figures, and how DuckDB finds them in the table `e`.
SCALARS = {
    "events": "count(*)",
    "first": "min(event_timestamp)",
    "last": "max(event_timestamp)",
    "first_arrival": "min(arrival_timestamp)",
    "last_arrival": "max(arrival_timestamp)",
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
    "sdks": "application.sdk.name || ' ' || application.sdk.version",
    "platforms": "device.platform.name",
    "platform_versions": "device.platform.name || ' ' || device.platform.version",
    "devices": "device.make || ' ' || device.model",
    "countries": "device.locale.country",
    "languages": "device.locale.language",
}
NAMES = {
    "session.start": "_session.start", "session.stop": "_session.stop", "session.pause": "_session.pause",
    "session.resume": "_session.resume", "purchase": "_monetization.purchase",
}  # fmt: skip
# The preset keys of a purchase are columns of the hub, and no keys.
PRESETS = "'_product_id', '_currency', '_store', '_transaction_id', '_item_price', '_quantity', '_item_price_formatted'"
KEYS = """
    SELECT event_type, container, entry.key, count(*), count(*) FILTER ({is_number})
    FROM (SELECT event_type, '{container}' AS container, unnest(map_entries({container})) AS entry FROM e)
    WHERE event_type <> '_monetization.purchase' OR entry.key NOT IN ({presets})
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
    SELECT attributes['_currency'], count(*), round(sum(metrics['_item_price'] * metrics['_quantity']), 2)
    FROM e WHERE event_type = '_monetization.purchase' AND attributes['_store'] <> 'Virtual' GROUP BY ALL
"""
# The content of an event is all but when it arrived.
REPEATED = """
    SELECT count(*) - count(DISTINCT digest) FROM (
        SELECT md5_number(row(event_type, event_timestamp, event_version, application, client, device, session,
            attributes, metrics)::VARCHAR) AS digest FROM e)
"""


def figures_of_translate(source: Path) -> dict[str, Any]:
    """Inspect the file as a user would."""
    from translate.inspection import inspect  # noqa: PLC0415 - a process holds one contender only

    found = inspect(source)
    values, spelled = found.to_json(), NAMES
    faults = {fault["fault"]: fault["count"] for fault in values["faults"]}
    keys = [
        [spelled.get(row["name"], row["name"]), row["container"], row["key"], row["events"],
         sum(look["events"] for look in row["looks"] if look["look"] in ("number", "whole number", "fraction"))]
        for row in found.keys.iter_rows(named=True)
    ]  # fmt: skip
    time_of, people = values["time"], values["people"]
    scalars = {
        "events": values["events"]["inspected"], "first": time_of["event"]["first"], "last": time_of["event"]["last"],
        "first_arrival": time_of["arrival"]["first"], "last_arrival": time_of["arrival"]["last"],
        "late": faults.get("late.24h", 0), "skewed": faults.get("clock_skew", 0), "clients": people["clients"]["different"],
        "identities": people["identities"]["different"], "sessions": people["sessions"]["different"],
        "unstopped": faults.get("sessions_without_stop", 0), "repeated": faults.get("duplicates", 0),
    }  # fmt: skip
    lists = {
        name: [[_label(spelled, row), row["events"]] for row in values[name]]
        for name in LISTS
        if name != "apps"
    }
    lists["apps"] = [[row["id"], row["events"]] for row in values["apps"]]
    revenue = [
        [row["currency"], row["purchases"], round(row["amount"], 2)]
        for row in values["purchases"]["revenue"]
        if row["money"]
    ]
    return {
        **scalars,
        **{name: sorted(rows) for name, rows in lists.items()},
        "keys": sorted(keys),
        "revenue": sorted(revenue),
    }


def _label(spelled: dict[str, str], row: dict[str, Any]) -> str:
    label = " ".join(
        str(value) for name, value in row.items() if name not in ("events", "keys") and value is not None
    )
    return spelled.get(label, label)


def figures_of_duckdb(source: Path, threads: int) -> dict[str, Any]:
    """Compute the same figures by SQL."""
    import duckdb  # noqa: PLC0415 - a process holds one contender only

    database = duckdb.connect(config={"threads": threads})

    def ask(query: str) -> list[list[Any]]:
        return [list(row) for row in database.execute(query).fetchall()]

    path = str(source).replace("'", "''")
    ask(f"CREATE TEMP TABLE e AS SELECT * FROM read_ndjson('{path}', columns = {COLUMNS})")
    scalars = dict(zip(SCALARS, ask(f"SELECT {', '.join(SCALARS.values())} FROM e")[0], strict=True))
    for name in ("first", "last", "first_arrival", "last_arrival"):
        scalars[name] = ask(f"SELECT strftime(epoch_ms({scalars[name]}::BIGINT), '%Y-%m-%dT%H:%M:%S.%gZ')")[
            0
        ][0]
    scalars |= {"unstopped": ask(UNSTOPPED)[0][0], "repeated": ask(REPEATED)[0][0]}
    lists = {
        name: sorted(ask(f"SELECT {how} AS value, count(*) FROM e WHERE value IS NOT NULL GROUP BY ALL"))
        for name, how in LISTS.items()
    }
    texts = KEYS.format(
        container="attributes", presets=PRESETS, is_number="try_cast(entry.value AS DOUBLE) IS NOT NULL"
    )
    numbers = KEYS.format(container="metrics", presets=PRESETS, is_number="entry.value IS NOT NULL")
    return {**scalars, **lists, "keys": sorted(ask(texts) + ask(numbers)), "revenue": sorted(ask(REVENUE))}


def compare(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Stop at the first figure that differs."""
    for name, value in theirs.items():
        if ours[name] != value:
            pair = (
                next((pair for pair in zip(ours[name], value, strict=False) if pair[0] != pair[1]), None)
                if isinstance(value, list)
                else None
            )
            raise SystemExit(f"{name} differs: {pair or (ours[name], value)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, metavar="FILE", help="a file that archive.py made")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        found = (
            figures_of_translate(options.source)
            if options.only == "translate"
            else figures_of_duckdb(options.source, options.threads)
        )
        options.out.write_text(json.dumps(found), encoding="utf-8")
        return
    runs: dict[str, list[Run]] = {contender: [] for contender in CONTENDERS}
    with tempfile.TemporaryDirectory() as scratch:
        files = {contender: Path(scratch, contender) for contender in CONTENDERS}
        for number in range(options.rounds):
            for contender in CONTENDERS if number % 2 == 0 else reversed(CONTENDERS):
                runs[contender].append(
                    measure(__file__, contender, options.source, files[contender], options.threads)
                )
        compare(*(json.loads(files[contender].read_text(encoding="utf-8")) for contender in CONTENDERS))
    print(f"{options.source.stat().st_size:,} bytes, {options.threads} threads, {options.rounds} rounds")
    show(runs)
    print(
        f"peak: {statistics.median(run.peak_bytes for run in runs['translate']) / MEGABYTE:,.0f} MB; all figures are equal"
    )


if __name__ == "__main__":
    main()
