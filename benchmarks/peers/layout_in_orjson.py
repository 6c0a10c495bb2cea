"""Reads a layout into flat columns of Parquet, or writes it from these, by loops over orjson: what a megabyte of it costs others.

    python layout_in_orjson.py read SOURCE TARGET [EACH]      lines to Parquet; EACH is the way to the events of a request
    python layout_in_orjson.py write SOURCE TARGET [EACH]     and back

It makes no ids, and counts, judges and refuses nothing; what is told of it is its CPU per megabyte, as times the archive's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl

TOGETHER = 10_000
AROUND = "^"
MAPS = {"attributes", "metrics", "Attributes", "Metrics", "properties", "event_properties"}
AS_JSON = "#"  # behind the path of a map
PLAIN = (str, int, float, type(None))

Row = dict[str, Any]


def put(node: Row, path: str, row: Row) -> None:
    """Put an object's values into a row by their paths, maps as JSON."""
    for key, value in node.items():
        if isinstance(value, dict) and key not in MAPS:
            put(value, f"{path}{key}.", row)
        elif isinstance(value, dict):
            row[f"{path}{key}{AS_JSON}"] = orjson.dumps(value).decode()
        else:
            row[path + key] = value if isinstance(value, PLAIN) else orjson.dumps(value).decode()


def rows_in(node: Any, way: list[str], around: Row) -> Iterator[Row]:
    """Give the events at the end of a way, with what lies around them."""
    if not way:
        for event in node if isinstance(node, list) else [node]:
            row = around.copy()
            put(event, "", row)
            yield row
    elif way[0] == "*":
        for name, inner in node.items():
            yield from rows_in(inner, way[1:], {**around, f"{AROUND}{len(way)}": name})
    else:
        inner = node.pop(way[0])
        around = around.copy()
        put(node, AROUND, around)
        yield from rows_in(inner, way[1:], around)


def read(source: Path, target: Path, way: list[str]) -> None:
    for file in sorted(source.glob("*.ndjson")):
        with file.open("rb") as lines:
            rows = [row for line in lines for row in rows_in(orjson.loads(line), way, {})]
        portions = (rows[start : start + TOGETHER] for start in range(0, len(rows), TOGETHER))
        frames = [pl.DataFrame(portion, infer_schema_length=None, strict=False) for portion in portions]
        pl.concat(frames, how="diagonal_relaxed").write_parquet(target / f"{file.stem}.parquet")


def nested(row: Row) -> Row:
    node: Row = {}
    for path, value in row.items():
        if value is None:
            continue
        *way, last = path.removeprefix(AROUND).split(".")
        inner = node
        for name in way:
            inner = inner.setdefault(name, {})
        inner[last.removesuffix(AS_JSON)] = orjson.Fragment(value) if last.endswith(AS_JSON) else value
    return node


def write(source: Path, target: Path, way: list[str]) -> None:
    for file in sorted(source.glob("*.parquet")):
        frame = pl.read_parquet(file)
        names = [name for name in frame.columns if name.startswith(AROUND)]
        requests: dict[tuple[Any, ...], list[orjson.Fragment]] = {}
        with (target / f"{file.stem}.ndjson").open("wb") as out:
            for row in frame.iter_rows(named=True):
                around = tuple([row.pop(name) for name in names])
                line = orjson.dumps(nested(row))
                if way:
                    requests.setdefault(around, []).append(orjson.Fragment(line))
                else:
                    out.write(line + b"\n")
            for around, events in requests.items():
                request = nested(dict(zip(names, around, strict=True)))
                out.write(orjson.dumps({**request, "events": events}) + b"\n")


if __name__ == "__main__":
    direction, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    target.mkdir()
    way = sys.argv[4].split(".") if len(sys.argv) > 4 else []
    {"read": read, "write": write}[direction](source, target, way)
