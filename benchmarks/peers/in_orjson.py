"""Converts an archive to Clickstream events by loops over orjson: python in_orjson.py SOURCE TARGET.

Each core has a process. A plain file is split by ranges of bytes, each process writing a file of its own; a .gz file
is decompressed by the first process and handed to the others in blocks of lines.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

try:
    from isal import igzip as gzip
except ImportError:
    import gzip

BLOCK = 4_000_000
PURCHASE = "_monetization.purchase"
NAMES = {
    "_session.start": "_session_start",
    "_session.stop": "_app_end",
    "_session.pause": "_app_end",
    "_session.resume": "_app_start",
    PURCHASE: "purchase",
}
PLATFORMS = {"android": "Android", "ios": "iOS", "iphone os": "iOS"}
TOP_LEVEL = (
    ("app_id", "application", "app_id"),
    ("unique_id", "client", "client_id"),
    ("device_id", "client", "client_id"),
    ("make", "device", "make"),
    ("model", "device", "model"),
    ("app_package_name", "application", "package_name"),
    ("app_version", "application", "version_name"),
    ("app_title", "application", "title"),
)
PRESETS = (
    ("_session_id", "session", "session_id"),
    ("_session_start_timestamp", "session", "start_timestamp"),
    ("session_stop_timestamp", "session", "stop_timestamp"),
    ("cognito_id", "client", "cognito_id"),
    ("cognito_identity_pool_id", "application", "cognito_identity_pool_id"),
    ("app_version_code", "application", "version_code"),
)
LANGUAGE, COUNTRY = re.compile("^[a-z]+"), re.compile("[A-Z]+$")
is_legal = re.compile("[A-Za-z_][0-9A-Za-z_]*").fullmatch
Json = dict[str, Any]


def row_of(record: Json) -> Json:
    """Make the row of a record."""
    event_type = record["event_type"]
    name, names = _name(event_type)
    row: Json = {"event_type": name, "timestamp": record["event_timestamp"], "zone_offset": 0}
    for place, group, member in TOP_LEVEL:
        value = record[group].get(member)
        if value is not None:
            row[place] = value
    _add_device(row, record)
    attributes = _presets(record, event_type)
    if event_type == PURCHASE:
        _add_purchase(row, attributes, record)
    for kind in ("attributes", "metrics"):
        _add_own(attributes, names, kind, record[kind])
    if names:
        attributes["translate_names"] = orjson.dumps(names).decode()
    row["attributes"] = attributes
    return row


def _name(event_type: str) -> tuple[str, Json]:
    """Give the name of an event, and the original where it cannot be told from it."""
    name = NAMES.get(event_type)
    if name is not None:
        return name, {"name": "session.stop"} if event_type == "_session.stop" else {}
    if is_legal(event_type):
        return event_type, {}
    return _legal(event_type), {"name": event_type}


def _add_own(attributes: Json, names: Json, kind: str, members: Json) -> None:
    renamed = {}
    for key, value in members.items():
        if value is None:
            continue
        if is_legal(key):
            attributes[key] = value
        else:
            attributes[legal := _legal(key)] = value
            renamed[legal] = key
    if renamed:
        names[kind] = renamed


def _legal(name: str) -> str:
    name = re.sub("[^0-9A-Za-z_]", "_", name)
    return "_" + name if name[0].isdigit() else name


def _add_device(row: Json, record: Json) -> None:
    device, sdk = record["device"], record["application"]["sdk"]
    platform, locale = device["platform"], device["locale"]
    row["platform"] = PLATFORMS.get(platform["name"].lower(), platform["name"])
    row["os_version"] = platform["version"]
    row["locale"] = code = locale["code"]
    row["sdk_name"], row["sdk_version"] = sdk["name"], sdk["version"]
    for place, member, part in (
        ("system_language", "language", LANGUAGE),
        ("country_code", "country", COUNTRY),
    ):
        value = locale.get(member)
        if value is not None:
            row[place] = value
        elif found := part.search(code):
            row[place] = found[0]


def _presets(record: Json, event_type: str) -> Json:
    presets: Json = {
        "arrival_timestamp": record["arrival_timestamp"],
        "event_version": record["event_version"],
    }
    for place, group, member in PRESETS:
        value = record[group].get(member)
        if value is not None:
            presets[place] = value
    session = record["session"]
    duration, stop = session.get("duration"), session.get("stop_timestamp")
    if duration is not None:
        presets["_session_duration"] = duration
    elif stop is not None:
        presets["_session_duration"] = stop - session["start_timestamp"]
    if event_type == "_session.resume":
        presets["_is_first_time"] = False
    return presets


def _add_purchase(row: Json, presets: Json, record: Json) -> None:
    attributes, metrics = record["attributes"], record["metrics"]
    product, currency = attributes.pop("_product_id", None), attributes.pop("_currency", None)
    store, transaction = attributes.pop("_store", None), attributes.pop("_transaction_id", None)
    price, quantity = metrics.pop("_item_price", None), metrics.pop("_quantity", None)
    item = {"id": product}
    if store != "Virtual" and len(currency) == 3:
        code = currency.upper()
        item |= {"price": price, "quantity": quantity, "currency": code}
        row |= {"event_value_currency": code, "event_value": price * quantity}
    else:
        presets |= {"purchase_price": price, "purchase_quantity": quantity, "purchase_currency": currency}
    row["items"] = [item]
    presets["purchase_store"] = store
    if transaction is not None:
        presets["purchase_transaction_id"] = transaction


def converted(block: bytes) -> bytes:
    """Convert the lines of a block."""
    rows = []
    for line in block.splitlines():
        try:
            row = orjson.dumps(row_of(orjson.loads(line)))
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            # A number beyond a double, which the standard library reads.
            row = json.dumps(row_of(json.loads(line)), ensure_ascii=False).encode()
        rows.append(row)
    rows.append(b"")
    return b"\n".join(rows)


def blocks(file: Any, size: int) -> Iterator[bytes]:
    """Give whole lines, in blocks, out of so many bytes."""
    while size > 0 and (block := file.read(min(BLOCK, size))):
        block += file.readline()
        size -= len(block)
        yield block


def convert_range(task: tuple[Path, int, int, Path]) -> None:
    """Convert the lines that begin in a range of a plain file."""
    source, begin, end, target = task
    with source.open("rb") as file, target.open("wb") as out:
        if begin:
            file.seek(begin - 1)
            file.readline()
        for block in blocks(file, end - file.tell()):
            out.write(converted(block))


def convert(source: Path, target: Path, workers: int) -> None:
    """Convert the file with so many processes."""
    target.mkdir()
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        if source.suffix == ".gz":
            with gzip.open(source, "rb") as file, (target / "rows.ndjson").open("wb") as out:
                for rows in _in_order(pool, blocks(file, sys.maxsize), workers * 2):
                    out.write(rows)
            return
        size = source.stat().st_size
        bounds = [size * number // workers for number in range(workers + 1)]
        tasks = [
            (source, bounds[number], bounds[number + 1], target / f"rows-{number}.ndjson")
            for number in range(workers)
        ]
        pool.map(convert_range, tasks, chunksize=1)


def _in_order(pool: Any, lines: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Convert blocks, never holding more than a few."""
    waiting = []
    for block in lines:
        waiting.append(pool.apply_async(converted, (block,)))
        if len(waiting) >= most:
            yield waiting.pop(0).get()
    for result in waiting:
        yield result.get()


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]), os.cpu_count() or 1)
