"""Holds the kernel against the reference on mutated and generated records, for as long as wanted.

    python tests/kernel/fuzz.py --seconds 3600 --seed 7 [--layout clickstream/events]
    python tests/kernel/fuzz.py --repeat FILE --layout clickstream/events

The same seed gives the same lines. What the two read differently is written to a file, one line each, with the command that
repeats it; the batch that is being read lies in `running.txt` beside it, so that a crash leaves it behind.
`python -m translate.engine.build --sanitize` says how to run it under the sanitizers.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent))

from held import differences, mutated, read_layouts, sample_lines

from translate.engine.choice import engine

BATCH = 250
FOLDER = Path("fuzz-findings")
TEXTS = [
    "", "x", "123456789012", "1234567890123", "é" * 7, "a.b", "^a", "\\^a", "\\", '"', "\x00", "\x1f\x7f", "😀", "\u2028", "null", "1", "-1.50", "1e5", "[]", "[1,2]", '[{"a":1.0}]',
    "{}", '{"a":1}', '{"a":"b","c":[1]}', "2016-04-07T10:00:00.000Z", "2016-04-07T10:00:00Z", "2016-02-30T10:00:00Z", "2016-04-07", "1460023200000", "true", "PURCHASE", "_session.start",
]  # fmt: skip
NUMBERS = [
    "0", "-0", "1", "-1", "1.0", "1.50", "0.30000000000000004", "2.675", "0.1000000000000000055", "1e5", "1E-7", "1e22", "1e309", "5e-324", "1e-400", "12345678901234567890", "9" * 40,
    "1460023200000", "1460023200", "1460023200.5", "1460023200.123", "1460023200.120", "1460023200123.5", "253402300800000", "-62135596800001", "9223372036854775807", "9223372036854775808", "00", "1.", "NaN",
]  # fmt: skip
OTHERS = ["true", "false", "null", "null", "[]", "{}", "[1]", "[null]", '{"key":"a","value":1}', '[{"key":"a","value":1},{"key":"a","value":"b"}]', '{"value":1}', '{"value":"x","set_timestamp":1460023200000}', "[" * 99 + "]" * 99]  # fmt: skip
KEYS = ["key", "value", "a", "a.b", "^a", "\\a", "", ".", "x.y.z", "é", "endpoint", "custom", "events", "body", "attributes", "123456789012", "1234567890123", "set_timestamp", "#", "a#2"]  # fmt: skip
BLANKS = ["", "", "", "", " ", "  ", "\t", "\r"]


@dataclass(frozen=True)
class Spelled:
    """A value as it is to stand in the line, be it JSON or not."""

    text: str


class Growth:
    """Records that resemble samples: members changed, doubled, moved, taken away, put in, and spelled in odd ways."""

    def __init__(self, randomness: random.Random, records: list[Any]) -> None:
        self._randomness = randomness
        self._records = records

    def line(self) -> str:
        """Give a line of a record or several."""
        count = self._randomness.choice([1, 1, 1, 1, 1, 1, 2, 3])
        return self._one_of(BLANKS).join(self._record() for _ in range(count))

    def _record(self) -> str:
        tree = self._one_of(self._records)
        for _ in range(self._one_of([0, 1, 1, 2, 3, 6])):
            tree = self._changed(tree)
        return self._spelled(tree, odd=self._randomness.random() < 0.2)

    def _one_of(self, choices: Any) -> Any:
        return self._randomness.choice(choices)

    def _changed(self, tree: Any) -> Any:
        """Change something in a tree of lists of pairs, lists and spelled values."""
        pairs = isinstance(tree, tuple)
        if not isinstance(tree, tuple | list) or not tree or self._randomness.random() < 0.15:
            return (
                self._anything()
                if not isinstance(tree, tuple | list) or self._randomness.random() < 0.3
                else tree
            )
        members = list(tree)
        at = self._randomness.randrange(len(members))
        way = self._randomness.random()
        if way < 0.5:
            members[at] = (
                (members[at][0], self._changed(members[at][1])) if pairs else self._changed(members[at])
            )
        elif way < 0.65:
            members.insert(at, (self._key(), self._anything()) if pairs else self._anything())
        elif way < 0.75:
            members.insert(self._randomness.randrange(len(members) + 1), members[at])
        elif way < 0.83:
            del members[at]
        elif way < 0.9:
            self._randomness.shuffle(members)
        elif pairs:
            members[at] = (self._key(), members[at][1])
        return tuple(members) if pairs else members

    def _key(self) -> str:
        known = self._one_of(self._records)
        names = [name for name, _ in known] if isinstance(known, tuple) else []
        return self._one_of(KEYS + names)

    def _anything(self) -> Any:
        kind = self._randomness.randrange(6)
        if kind == 0:
            return tuple((self._key(), self._anything()) for _ in range(self._randomness.randrange(4)))
        if kind == 1:
            return [self._anything() for _ in range(self._randomness.randrange(3))]
        choices = (NUMBERS, OTHERS, None, None)[kind - 2]
        return Spelled(
            self._one_of(choices)
            if choices
            else json.dumps(self._one_of(TEXTS), ensure_ascii=self._one_of([True, False]))
        )

    def _spelled(self, tree: Any, *, odd: bool) -> str:
        blank = self._one_of(BLANKS) if odd else ""
        if isinstance(tree, Spelled):
            return f"{blank}{tree.text}{blank}"
        if isinstance(tree, tuple):
            inner = (
                f"{blank}{self._quoted(name, odd=odd)}{blank}:{self._spelled(value, odd=odd)}"
                for name, value in tree
            )
            return "{" + ",".join(inner) + blank + "}"
        return "[" + ",".join(self._spelled(value, odd=odd) for value in tree) + blank + "]"

    def _quoted(self, name: str, *, odd: bool) -> str:
        if odd and name and self._randomness.random() < 0.1:
            return (
                f'"\\u{ord(name[0]):04x}{json.dumps(name[1:])[1:]}'
                if ord(name[0]) < 0x10000
                else json.dumps(name)
            )
        return json.dumps(name, ensure_ascii=self._one_of([True, False]))


def tree_of(line: str) -> Any:
    """Parse the first record of a line: objects become tuples of pairs, numbers keep their digits."""
    decoder = json.JSONDecoder(object_pairs_hook=tuple, parse_int=Spelled, parse_float=Spelled)
    return _leaves_spelled(decoder.raw_decode(line.lstrip())[0])


def _leaves_spelled(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple((name, _leaves_spelled(inner)) for name, inner in value)
    if isinstance(value, list):
        return [_leaves_spelled(inner) for inner in value]
    return value if isinstance(value, Spelled) else Spelled(json.dumps(value, ensure_ascii=False))


def batches(address: str, seed: str) -> Any:
    """Give batches of lines without end: mutated samples, grown records, and mutations of these."""
    randomness = random.Random(f"{seed} {address}")
    samples = [line for line in sample_lines(*address.split("/")) if line.strip()]
    growth = Growth(randomness, [tree_of(line) for line in samples])
    while True:
        lines = []
        while len(lines) < BATCH:
            way = randomness.randrange(4)
            line = randomness.choice(samples) if way == 0 else growth.line()
            lines.append(mutated(randomness, line) if way < 2 else line.replace("\n", " "))
        yield lines


def odd_ones(lines: list[str], address: str) -> list[str]:
    """Give the lines that the two read differently, or that either fails at; all, where these do not differ on their own."""
    try:
        found = [lines[row] for row in differences(lines, address)]
        return found if all(differences([line], address) for line in found) else lines
    except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
        print(f"{address}: {type(error).__name__}: {error}")
        if len(lines) == 1:
            return lines
        middle = len(lines) // 2
        return odd_ones(lines[:middle], address) + odd_ones(lines[middle:], address) or lines


def attack(addresses: list[str], seconds: float, seed: str, folder: Path) -> tuple[int, list[Path]]:
    """Read batches until the time is over, layout by layout; give how many lines, and the files of findings."""
    sources = {address: batches(address, seed) for address in addresses}
    end = time.monotonic() + seconds
    count = 0
    findings = []
    folder.mkdir(parents=True, exist_ok=True)
    while time.monotonic() < end:
        for address, source in sources.items():
            lines = next(source)
            (folder / "running.txt").write_text("\n".join([address, *lines]), encoding="utf-8", newline="")
            found = odd_ones(lines, address)
            count += len(lines)
            if found:
                file = folder / f"{address.replace('/', '-')}-{seed}-{count}.txt"
                file.write_text("\n".join(found), encoding="utf-8", newline="")
                findings.append(file)
                print(
                    f"{address}: read differently, see {len(found)} lines: python {sys.argv[0]} --repeat {file} --layout {address}"
                )
    (folder / "running.txt").unlink(missing_ok=True)
    return count, findings


def main(arguments: list[str] | None = None) -> int:
    """Attack, or repeat what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--layout", help="only this one, as model/layout")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where findings are written")
    parser.add_argument("--repeat", type=Path, help="read the lines of this file only")
    chosen = parser.parse_args(arguments)
    if "reference" in engine():
        parser.error(f"nothing to compare: {engine()}")
    addresses = [chosen.layout] if chosen.layout else read_layouts()
    if chosen.repeat:
        lines = chosen.repeat.read_bytes().decode().split("\n")
        found = odd_ones(lines, *addresses)
        print("\n".join(["read differently:", *found] if found else [f"{len(lines)} lines, no difference"]))
        return int(bool(found))
    count, findings = attack(addresses, chosen.seconds, chosen.seed, chosen.folder)
    print(f"{count} lines, {len(findings)} files of findings")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
