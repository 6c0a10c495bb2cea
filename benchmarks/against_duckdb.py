"""Measures `convert` against DuckDB doing the same work on the same file.

    python benchmarks/archive.py bench
    python benchmarks/against_duckdb.py bench/events-00000.json

Both read the archive's JSON lines and write Clickstream events with the same fields, absent ones left out. Each
run is a process of its own with the same number of threads; rounds alternate between the two. Time is the whole
process's, imports included; memory is the most that it held. Afterwards the two outputs are compared: as many
rows, and in a sample of them the same values in every field but the event id, which each makes in its own way.

What DuckDB is spared: it looks for no damaged, doubled or unknown field, gives no line numbers, writes no rejects
and no report, makes no attribute names legal, and reads numbers as doubles, which is not exact beyond 2^53.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTENDERS = ("translate", "duckdb")
SAMPLED = 10_000
MEGABYTE = 1_000_000

COLUMNS = """{
    event_type: 'VARCHAR', event_timestamp: 'BIGINT', arrival_timestamp: 'BIGINT', event_version: 'VARCHAR',
    application: 'STRUCT(app_id VARCHAR, cognito_identity_pool_id VARCHAR, package_name VARCHAR, title VARCHAR,
        version_name VARCHAR, version_code VARCHAR, sdk STRUCT(name VARCHAR, version VARCHAR))',
    client: 'STRUCT(client_id VARCHAR, cognito_id VARCHAR)',
    device: 'STRUCT(make VARCHAR, model VARCHAR, platform STRUCT(name VARCHAR, version VARCHAR),
        locale STRUCT(code VARCHAR, country VARCHAR, language VARCHAR))',
    session: 'STRUCT(session_id VARCHAR, start_timestamp BIGINT, stop_timestamp BIGINT, duration BIGINT)',
    attributes: 'MAP(VARCHAR, VARCHAR)', metrics: 'MAP(VARCHAR, DOUBLE)'
}"""

# json_merge_patch drops what is null: that is how absent fields stay absent.
QUERY = r"""
COPY (
    WITH records AS (
        SELECT *, event_type = '_monetization.purchase' AS is_purchase
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
                ELSE regexp_replace(regexp_replace(event_type, '[^0-9A-Za-z_]', '_', 'g'), '^([0-9])', '_\1')
            END AS name,
            CASE lower(device.platform.name)
                WHEN 'android' THEN 'Android'
                WHEN 'ios' THEN 'iOS'
                WHEN 'iphone os' THEN 'iOS'
                WHEN 'ipados' THEN 'iOS'
                WHEN 'web' THEN 'Web'
                ELSE device.platform.name
            END AS platform,
            CASE WHEN is_purchase THEN attributes['_product_id'] END AS product,
            CASE WHEN is_purchase THEN attributes['_currency'] END AS currency,
            CASE WHEN is_purchase THEN attributes['_store'] END AS store,
            CASE WHEN is_purchase THEN metrics['_item_price'] END AS price,
            CASE WHEN is_purchase THEN metrics['_quantity'] END AS quantity,
            CASE WHEN is_purchase THEN map_from_entries(list_filter(map_entries(attributes),
                lambda entry: entry.key NOT IN ('_product_id', '_currency', '_store', '_transaction_id')))
                ELSE attributes END AS own_attributes,
            CASE WHEN is_purchase THEN map_from_entries(list_filter(map_entries(metrics),
                lambda entry: entry.key NOT IN ('_item_price', '_quantity')))
                ELSE metrics END AS own_metrics,
            is_purchase AND store <> 'Virtual' AND regexp_matches(currency, '^[A-Z]{3}$') AS is_money
        FROM records
    ),
    bodies AS (
        SELECT json_merge_patch(
            '{}',
            to_json({
                event_type: name,
                timestamp: event_timestamp,
                app_id: application.app_id,
                unique_id: client.client_id,
                device_id: client.client_id,
                platform: platform,
                os_version: device.platform.version,
                make: device.make,
                model: device.model,
                locale: device.locale.code,
                system_language: device.locale.language,
                country_code: device.locale.country,
                zone_offset: 0,
                sdk_name: application.sdk.name,
                sdk_version: application.sdk.version,
                app_package_name: application.package_name,
                app_version: application.version_name,
                app_title: application.title,
                event_value_currency: CASE WHEN is_money THEN currency END,
                event_value: CASE WHEN is_money THEN price * quantity END,
                items: CASE WHEN product IS NOT NULL
                    THEN [{id: product, price: price, quantity: quantity, currency: currency}] END
            }),
            to_json({
                attributes: json_merge_patch(
                    '{}',
                    to_json({
                        _session_id: session.session_id,
                        _session_start_timestamp: session.start_timestamp,
                        _session_duration:
                            coalesce(session.duration, session.stop_timestamp - session.start_timestamp),
                        _is_first_time: CASE WHEN event_type = '_session.resume' THEN false END,
                        session_stop_timestamp: session.stop_timestamp,
                        arrival_timestamp: arrival_timestamp,
                        cognito_id: client.cognito_id,
                        cognito_identity_pool_id: application.cognito_identity_pool_id,
                        app_version_code: application.version_code,
                        event_version: event_version,
                        purchase_transaction_id: CASE WHEN is_purchase THEN attributes['_transaction_id'] END,
                        purchase_store: store,
                        translate_names: CASE event_type
                            WHEN '_session.stop' THEN '{"name":"session.stop"}'
                        END
                    }),
                    to_json(own_attributes),
                    to_json(own_metrics)
                )
            })
        )::VARCHAR AS body
        FROM named
    )
    SELECT '{"event_id":"' || md5(body)::UUID::VARCHAR || '",' || body[2:] FROM bodies
) TO $target (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')
"""


@dataclass(frozen=True)
class Run:
    """What one process took."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def convert_with_translate(source: Path, target: Path) -> None:
    """Convert the file as a user would."""
    import translate  # noqa: PLC0415 - a process holds one contender only

    translate.convert(source, to="clickstream/events", out=target)


def convert_with_duckdb(source: Path, target: Path, threads: int) -> None:
    """Convert the file by one statement."""
    import duckdb  # noqa: PLC0415 - a process holds one contender only

    target.mkdir()
    rows = str(target / "rows.ndjson")
    query = (
        QUERY.replace("$columns", COLUMNS)
        .replace("$source", _quoted(str(source)))
        .replace("$target", _quoted(rows))
    )
    duckdb.connect(config={"threads": threads}).execute(query)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def measure(script: str, contender: str, source: Path, target: Path, threads: int) -> Run:
    """Let a contender of a benchmark do its work in a process of its own."""
    command = [
        sys.executable,
        script,
        str(source),
        "--threads",
        str(threads),
        "--only",
        contender,
        "--out",
        str(target),
    ]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    begin = time.perf_counter()
    child = subprocess.Popen(
        command, env={**os.environ, "POLARS_MAX_THREADS": str(threads), "PYTHONPATH": path}
    )
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{contender} failed")
    # Linux counts it in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def rows(directory: Path) -> Iterator[str]:
    """Give the lines that a contender wrote, in their order."""
    for path in sorted(directory.glob("data/*.ndjson")) or [directory / "rows.ndjson"]:
        with path.open(encoding="utf-8") as file:
            yield from file


def compare(ours: Path, theirs: Path) -> tuple[int, int]:
    """Compare the outputs; give how many rows there are and how many were compared value by value."""
    count = sum(1 for _ in rows(ours))
    step = max(1, count // SAMPLED)
    compared = 0
    pairs = itertools.zip_longest(rows(ours), rows(theirs))
    for number, (our_line, their_line) in enumerate(pairs, start=1):
        if our_line is None or their_line is None:
            raise SystemExit(f"translate wrote {count:,} rows, DuckDB {sum(1 for _ in rows(theirs)):,}")
        if number % step:
            continue
        our_row, their_row = _without_id(our_line), _without_id(their_line)
        if our_row != their_row:
            raise SystemExit(f"row {number} differs:\n  translate  {our_row}\n  DuckDB     {their_row}")
        compared += 1
    return count, compared


def _without_id(line: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    if not row.pop("event_id"):
        raise SystemExit(f"no event id: {line}")
    return row


def show(runs: dict[str, list[Run]]) -> None:
    """Print medians and the ratio."""
    print(f"{'':10} {'seconds':>9} {'(fastest, slowest)':>20} {'CPU seconds':>12} {'peak MB':>9}")
    for contender, all_runs in runs.items():
        seconds = [run.seconds for run in all_runs]
        spread = f"({min(seconds):.2f}, {max(seconds):.2f})"
        cpu = statistics.median(run.cpu_seconds for run in all_runs)
        peak = statistics.median(run.peak_bytes for run in all_runs) / MEGABYTE
        print(f"{contender:10} {statistics.median(seconds):9.2f} {spread:>20} {cpu:12.2f} {peak:9,.0f}")
    ours, theirs = (statistics.median(run.seconds for run in runs[contender]) for contender in CONTENDERS)
    print(f"translate takes {ours / theirs:.2f} times as long as DuckDB")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, metavar="FILE", help="a file that archive.py made")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only == "translate":
        return convert_with_translate(options.source, options.out)
    if options.only == "duckdb":
        return convert_with_duckdb(options.source, options.out, options.threads)

    runs: dict[str, list[Run]] = {contender: [] for contender in CONTENDERS}
    # Beside the source, so that both disks are the same.
    with tempfile.TemporaryDirectory(dir=options.source.parent) as scratch:
        for number in range(options.rounds):
            for contender in CONTENDERS if number % 2 == 0 else reversed(CONTENDERS):
                target = Path(scratch, f"{contender}-{number}")
                runs[contender].append(measure(__file__, contender, options.source, target, options.threads))
                last = f"{contender}-{number - 1}"
                shutil.rmtree(Path(scratch, last), ignore_errors=True)
        last_targets = [Path(scratch, f"{contender}-{options.rounds - 1}") for contender in CONTENDERS]
        count, compared = compare(*last_targets)
    print(f"{options.source.stat().st_size:,} bytes, {options.threads} threads, {options.rounds} rounds")
    show(runs)
    print(f"both wrote {count:,} rows; {compared:,} compared value by value: the same")
    return None


if __name__ == "__main__":
    main()
