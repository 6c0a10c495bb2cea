"""Compares what the contenders wrote: the counts of all rows, and the values of a sample.

A record has a time of its own, so rows are found again in whatever order they were written. What counts as the same:
a member that is null and one that is absent; numbers that are the same double (peers read beyond 2^53 as doubles);
JSON text of names that parses to the same. Left out are the ids that translate makes: `event_id`, and the
hash that ends a name with characters outside of ASCII.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SAMPLED = 5_000
TIME = re.compile(rb'"timestamp": ?(\d+)')
TYPE = re.compile(rb'"event_type": ?"([^"]*)"')
# polars reads no integer of more digits; no other number of the archive is that large.
POLARS_DIGITS = 38
BEYOND = 10 ** (POLARS_DIGITS - 1)
HASHED = re.compile(r"_[0-9a-f]{8}$")


class DifferentError(Exception):
    """Two contenders did not do the same work."""


@dataclass
class Output:
    """What one contender wrote."""

    types: Counter[str] = field(default_factory=Counter)
    times: int = 0
    sample: dict[int, dict[str, Any]] = field(default_factory=dict)


def read_output(directory: Path, *, records: int, sampled: int = SAMPLED) -> Output:
    """Count all rows, and keep those whose times fall into the sample."""
    output, step = Output(), max(1, records // sampled)
    for line in _rows(directory):
        time, event_type = TIME.search(line), TYPE.search(line)
        if not time or not event_type:
            raise DifferentError(f"{directory.name}: a row without a time or a type: {line[:200]!r}")
        moment = int(time[1])
        output.times += moment
        output.types[event_type[1].decode()] += 1
        if moment % step == 0:
            output.sample[moment] = plain(json.loads(line))
    return output


def _rows(directory: Path) -> Iterator[bytes]:
    for path in sorted(directory.glob("**/*.ndjson")):
        if path.name not in ("rejects.ndjson", "files.ndjson", "keys.ndjson"):
            with path.open("rb") as file:
                yield from file


def compare(names: list[str], outputs: list[Output], untyped: Collection[str] = ()) -> str:
    """Compare each with the first; attributes of the untyped are all texts. Say what was compared."""
    first = outputs[0]
    for name, output in zip(names[1:], outputs[1:], strict=True):
        where = f"{names[0]} and {name}"
        _expect(f"{where}: number of rows", first.types.total(), output.types.total())
        _expect(f"{where}: sum of times", first.times, output.times)
        _expect(f"{where}: rows by type", _unhashed(first.types), _unhashed(output.types))
        _expect(f"{where}: times in the sample", first.sample.keys(), output.sample.keys())
        for moment, row in first.sample.items():
            expected = _with_texts_for(row, output.sample[moment]) if name in untyped else row
            if difference := difference_of(expected, output.sample[moment]):
                raise DifferentError(f"{where}: the event of {moment} differs in {difference}")
    return (
        f"{first.types.total():,} rows of {len(first.types)} types counted, "
        f"{len(first.sample):,} compared value by value: {', '.join(names)} wrote the same"
    )


def _expect(what: str, ours: Any, theirs: Any) -> None:
    if ours != theirs:
        raise DifferentError(f"{what}: {str(ours)[:500]} and {str(theirs)[:500]}")


def _unhashed(types: Counter[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, count in types.items():
        found[HASHED.sub("", name)] += count
    return found


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row without made ids and without nulls, the original names parsed."""
    row.pop("event_id", None)
    row = _without_nulls(row)
    attributes = row["attributes"]
    names = json.loads(attributes.pop("translate_names", None) or "{}")
    name = names.pop("name", None)
    if name and not name.isascii():
        row["event_type"] = HASHED.sub("", row["event_type"])
    # Whether a key counts as an attribute's or a metric's depends on its value's type, of which peers take no note.
    originals = {}
    for renamed in names.values():
        for legal, original in (renamed or {}).items():
            if legal in attributes:
                unhashed = legal if original.isascii() else HASHED.sub("", legal)
                originals[unhashed] = original
                attributes[unhashed] = attributes.pop(legal)
    return {**row, "name": name, "names": originals}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _with_texts_for(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Take over those attributes that are texts with them alone."""
    attributes = ours["attributes"]
    texts = {
        key: value
        for key, value in theirs["attributes"].items()
        if isinstance(value, str) and key in attributes and not isinstance(attributes[key], str)
    }
    return {**ours, "attributes": {**attributes, **texts}}


def difference_of(ours: Any, theirs: Any, place: str = "") -> str | None:
    """Say where two values differ, if they do."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            if found := difference_of(ours.get(key), theirs.get(key), f"{place}.{key}"):
                return found
        return None
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = zip(ours, theirs, strict=True)
        return next(filter(None, (difference_of(a, b, f"{place}[]") for a, b in pairs)), None)
    if _is_number(ours) and _is_number(theirs):
        same = _double(ours) == _double(theirs) or (place == ".event_value" and math.isclose(ours, theirs))
    else:
        same = type(ours) is type(theirs) and ours == theirs
    return None if same else f"{place or 'the whole'}: {str(ours)[:200]!r} and {str(theirs)[:200]!r}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _double(value: float) -> float:
    """Give the nearest double; integers that polars gets shortened are all as large."""
    return float(value) if abs(value) < BEYOND else math.inf if value > 0 else -math.inf


def survivors(plain_output: Path, faulty_output: Path, every: int) -> str:
    """Check that of a faulty archive nothing else is missing; say how much is."""
    whole, left = (Counter(map(hash, _rows(output))) for output in (plain_output, faulty_output))
    lost, added = (whole - left).total(), (left - whole).total()
    faults = whole.total() // every
    if lost > faults or added > faults:
        raise DifferentError(f"{lost:,} rows are missing and {added:,} are others, for {faults:,} faults")
    with (faulty_output / "rejects.ndjson").open("rb") as file:
        rejected = sum(1 for _ in file)
    if faults and not rejected:
        raise DifferentError(f"nothing was rejected of {faults:,} faults")
    return f"{whole.total():,} rows, of which {lost - added:,} are missing and {added:,} others where {faults:,} faults are"


def main() -> None:
    if sys.argv[1] == "--survivors":
        print(survivors(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
        return
    records, folder, names = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    outputs = [read_output(folder / name, records=records) for name in names]
    print(compare(names, outputs, untyped=["polars"]))


if __name__ == "__main__":
    main()
