"""Makes an archive as others export it, to measure with: always the same one for the same seed.

    python benchmarks/foreign.py DIR                              1,000,000 records in one plain file
    python benchmarks/foreign.py DIR --files 4000 --gzip          the same records in 4,000 small .gz files
    python benchmarks/foreign.py DIR --faults 100                 every 100th record is faulty, in one of many ways

A record has about 880 bytes. Between them the records use 205 event types, five of them the SDKs' own, and 500
attribute keys. Quotes and backslashes stand in a fifth of the texts; there are several scripts, emoji, JSON text
inside of attributes, names that are not legal everywhere, keys in changing order, spaces after colons in some runs of
records and characters as escapes in others, explicit nulls, unknown members, and numbers that are hard to keep.
Each record has a time of its own, by which it is found again. Everything is synthetic.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

RECORDS = 1_000_000
SEED = 7

PURCHASE = "_monetization.purchase"
SESSION_STOP = "_session.stop"
SDK_TYPES = ["_session.start", SESSION_STOP, "_session.pause", "_session.resume", PURCHASE]
# Names outside of ASCII have different lengths, for only their lengths tell them apart once they are made legal.
ODD_TYPES = ["level end", "Ad-View", "shop.open", "2nd try", "レベル", "уровень", "größe geändert"]
EVENT_TYPES = [*SDK_TYPES, *ODD_TYPES, *(f"event_{number:03}" for number in range(193))]
ODD_KEYS = ["user name", "ab-test", "screen.id", "1st choice", "why?", "画面", "этап", "größe"]
ATTRIBUTE_KEYS = [*ODD_KEYS, *(f"attribute_{number:03}" for number in range(492))]
METRIC_KEYS = [*(f"metric_{number:02}" for number in range(48)), "load time", "fps.mean"]

CLIENTS = 5_000
FIRST_TIME_MS = 1_487_973_802_507
STEP_MS = 37
ARRIVES_AFTER_MS = 1_000
SESSION_LASTS_MS = 100_000
# Records of one run were written by one version of the exporter.
RUN = 500
# A few integers are beyond any double, which some readers refuse with the whole file.
MOST_DIGITS = 400

PHRASES = [
    "open settings", "Größe geändert, überall", "Ouvert à l'été", "Уровень пройден",
    "レベルクリア", "레벨 완료", "關卡完成", "اكتمل", "स्तर पूरा", "เสร็จ", "👍🏽 good 🎮", "👨‍👩‍👧 family", "Ünïcödé e\u0301", "https://example.com/a?b=1&c=%20", "a\tb", "", "0", "true", "12.50",
]  # fmt: skip
QUOTED = [
    'He said "go" and left',
    "C:\\Games\\save\\slot 1",
    "line one\nline two",
    '"',
    "\\",
    'a\\"b\\"c',
    "</script>\\u0041",
]

APPLICATION = [
    ("app_id", '"0123456789abcdef0123456789abcdef"'),
    ("cognito_identity_pool_id", '"us-east-1:11111111-2222-3333-4444-555555555555"'),
    ("package_name", '"com.example.game"'),
    ("title", '"Example \\"Deluxe\\""'),
    ("version_name", '"1.0"'),
    ("version_code", '"1"'),
]
SDK = [("name", '"aws-sdk-mobile-analytics-js"'), ("version", '"0.9.1:2.4.8"')]
PLATFORMS = ["android", "iPhone OS", "ANDROID", "iOS", "Roku"]
MODELS = ["SM-G900", "iPhone", "Pixel", "Xperia™ Z3", 'Tab 10.1"']
LOCALES = [
    ("en_US", "en", "US"),
    ("de_DE", "de", "DE"),
    ("pt-BR", None, None),
    ("ja", None, None),
    ("ko_KR", "ko", "KR"),
]

Members = list[tuple[str, str]]


@dataclass(frozen=True)
class Spelling:
    """How a version of the exporter spells JSON."""

    comma: str
    colon: str
    escapes: bool

    def text(self, value: str) -> str:
        """Spell a text."""
        return json.dumps(value, ensure_ascii=self.escapes)

    def object(self, members: Members) -> str:
        """Spell an object of members that are spelled already."""
        return "{" + self.comma.join(f'"{key}"{self.colon}{value}' for key, value in members) + "}"


SPELLINGS = [
    Spelling(",", ":", False),
    Spelling(",", ":", True),
    Spelling(",", ": ", False),
    Spelling(", ", ": ", True),
]


class Exporter:
    """One version of the exporter, which has spelled what it needs often beforehand."""

    def __init__(self, spelling: Spelling, seed: int, digits: int) -> None:
        rng = random.Random(seed)
        self.spelling, self.digits = spelling, digits
        self.texts = [spelling.text(_text(rng)) for _ in range(4_000)]
        self.clients = [self._client(rng) for _ in range(CLIENTS)]
        self.types = {name: spelling.text(name) for name in EVENT_TYPES}
        self.keys = {name: spelling.text(name)[1:-1] for name in [*ATTRIBUTE_KEYS, *METRIC_KEYS]}
        self.applications = []
        for _ in range(20):
            members = [*APPLICATION, ("sdk", spelling.object(SDK))]
            rng.shuffle(members)
            self.applications.append(spelling.object(members))

    def _client(self, rng: random.Random) -> tuple[str, str, str]:
        client_id = _uuid(rng)
        code, language, country = rng.choice(LOCALES)
        locale = [("code", code), ("language", language), ("country", country)]
        platform = [
            ("name", rng.choice(PLATFORMS)),
            ("version", f"{rng.randrange(4, 12)}.{rng.randrange(5)}"),
        ]
        device = [
            ("make", self.spelling.text(rng.choice(["Samsung", "Apple", "Sony \\ Ericsson"]))),
            ("model", self.spelling.text(rng.choice(MODELS))),
            ("locale", self._texts(locale)),
            ("platform", self._texts(platform)),
        ]
        if rng.random() < 0.05:
            device[0] = ("make", "null")
        rng.shuffle(device)
        client = [("client_id", client_id), ("cognito_id", f"us-east-1:{_uuid(rng)}")]
        rng.shuffle(client)
        return client_id, self._texts(client), self.spelling.object(device)

    def _texts(self, members: list[tuple[str, str | None]] | list[tuple[str, str]]) -> str:
        """Spell an object of texts; one that is missing is left out."""
        return self.spelling.object(
            [(key, self.spelling.text(value)) for key, value in members if value is not None]
        )

    def record(self, rng: random.Random, time: int) -> str:
        """Spell one record."""
        event_type = rng.choice(EVENT_TYPES)
        client_id, client, device = self.clients[rng.randrange(CLIENTS)]
        spell = self.spelling.object
        members = [
            ("event_type", self.types[event_type]),
            ("event_timestamp", str(time)),
            ("arrival_timestamp", str(time + ARRIVES_AFTER_MS)),
            ("event_version", '"3.0"'),
            ("application", rng.choice(self.applications)),
            ("client", client),
            ("device", device),
            ("session", spell(_session(rng, event_type, client_id, time))),
            ("attributes", spell(self._attributes(rng, event_type))),
            ("metrics", spell(self._metrics(rng, event_type))),
        ]
        if rng.random() < 0.01:
            members.append(("com.example.unknown", '{"a":[1,{"b":null}],"c":"\\"attributes\\":{}"}'))
        rng.shuffle(members)
        return spell(members)

    def _attributes(self, rng: random.Random, event_type: str) -> Members:
        chosen = rng.sample(ATTRIBUTE_KEYS, rng.randrange(5))
        members = [(self.keys[key], rng.choice(self.texts)) for key in chosen]
        odd = rng.random()
        if members and odd < 0.02:
            # Not what the service's documents allow, but what archives hold.
            members[0] = (members[0][0], rng.choice(["null", "true", "17", "-0.5", '["a",1]', '{"a":1.0}']))
        if event_type == PURCHASE:
            currency, store = rng.choice([("USD", "Apple"), ("eur", "Google"), ("Gold", "Virtual")])
            bought = [
                ("_product_id", f"sku-{rng.randrange(100)}"),
                ("_currency", currency),
                ("_store", store),
            ]
            if odd < 0.5:
                bought.append(("_transaction_id", f"t-{rng.getrandbits(64):x}"))
            members += [(key, self.spelling.text(value)) for key, value in bought]
            rng.shuffle(members)
        return members

    def _metrics(self, rng: random.Random, event_type: str) -> Members:
        members = [(key, _number(rng, self.digits)) for key in rng.sample(METRIC_KEYS, rng.randrange(3))]
        if event_type == PURCHASE:
            price = rng.choice(["4.99", "0.99", "12.5", "100"])
            members += [("_item_price", price), ("_quantity", str(rng.randrange(1, 4)))]
            rng.shuffle(members)
        return members


def _session(rng: random.Random, event_type: str, client_id: str, time: int) -> Members:
    start = time - rng.randrange(SESSION_LASTS_MS)
    members = [
        ("session_id", f'"{client_id[-8:]}-20170224-{start // SESSION_LASTS_MS % 1_000_000_000:09}"'),
        ("start_timestamp", str(start)),
    ]
    if event_type == SESSION_STOP:
        members.append(("stop_timestamp", str(time)))
        if rng.random() < 0.5:
            members.append(("duration", str(time - start)))
    elif rng.random() < 0.1:
        members.append(("stop_timestamp", "null"))
    rng.shuffle(members)
    return members


def _text(rng: random.Random) -> str:
    kind = rng.random()
    number = rng.randrange(1_000)
    if kind < 0.08:
        inner = {"id": number, "name": rng.choice(PHRASES), "tags": [rng.choice(QUOTED)]}
        return json.dumps(inner, ensure_ascii=False)
    if kind < 0.2:
        return f"{rng.choice(QUOTED)} {number}"
    if kind < 0.4:
        return f"{rng.choice(PHRASES)} {number}"
    return rng.choice([f"value {number}", rng.choice(PHRASES), f"{rng.getrandbits(64):016x}", str(number)])


def _number(rng: random.Random, digits: int) -> str:
    kind = rng.random()
    if kind < 0.5:
        return str(rng.randrange(1_000))
    if kind < 0.8:
        return str(round(rng.random() * 100, 3))
    if kind < 0.9:
        return repr(rng.random() * 10 ** rng.randrange(-3, 6))
    if kind < 0.96:
        return rng.choice(["-0", "-0.0", "1e3", "1.50E+2", "2.5e-7", "6.02e23", "0.10", "100.0", "5e-324"])
    if kind < 0.999:
        return str(rng.choice([-1, 1]) * rng.randrange(2**53, 2**70))
    return str(rng.randrange(10 ** (MOST_DIGITS - 1), 10**MOST_DIGITS))[:digits]


def _uuid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _swap(old: bytes, new: bytes):
    return lambda line: line.replace(old, new, 1)


# What goes wrong in a record; some of it costs the record, some of it a value or nothing but care.
FAULTS = [
    lambda line: line[: len(line) * 2 // 3],
    lambda line: line[:-1],
    lambda line: line[:-1] + b",}",
    lambda line: line + b" x",
    lambda line: b"[" + line + b"]",
    lambda _: b"17",
    lambda _: b"null",
    lambda _: b"not JSON at all",
    lambda line: line[:-1] + b',"text":"\xff\xfe"}',
    lambda line: line[:-1] + b',"text":"\xed\xa0\x80"}',
    lambda line: line[:-1] + b',"text":"\\ud83d"}',
    lambda line: line[:-1] + b',"text":"\\q"}',
    lambda line: line[:-1] + b',"text":"a\tb"}',
    lambda line: line[:-1] + b',"number":NaN}',
    lambda line: line[:-1] + b',"number":1e999}',
    lambda line: line[:-1] + b',"number":01}',
    lambda line: line[:-1] + b',"event_type":"again"}',
    lambda line: line[:-1] + b',"deep":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    _swap(b'"event_type"', b'"event_typo"'),
    _swap(b'"event_timestamp"', b'"event_timestomp"'),
    _swap(b'"event_timestamp":', b'"event_timestamp":null,"was":'),
    _swap(b'"event_timestamp":', b'"event_timestamp":"yesterday","was":'),
    _swap(b'"event_timestamp":', b'"event_timestamp":1487973802,"was":'),
    _swap(b'"session":', b'"session":"none","was":'),
    _swap(b'"attributes":', b'"attributes":["none"],"was":'),
    _swap(b'"metrics":', b'"metrics":{"a":"many"},"was":'),
]  # fmt: skip


def lines(count: int, *, faults: int = 0, digits: int = MOST_DIGITS, seed: int = SEED) -> Iterator[bytes]:
    """Give the lines of so many records; faults, and fewer digits, leave all other records as they are."""
    exporters = [Exporter(spelling, seed, digits) for spelling in SPELLINGS]
    rng, chance = random.Random(seed), random.Random(seed + 1)
    for number in range(count):
        exporter = exporters[number // RUN % len(exporters)]
        line = exporter.record(rng, FIRST_TIME_MS + number * STEP_MS).encode()
        if faults and number % faults == faults - 1:
            line = chance.choice(FAULTS)(line)
        yield line + b"\n"


def write(
    directory: Path,
    *,
    count: int,
    files: int = 1,
    compressed: bool = False,
    faults: int = 0,
    digits: int = MOST_DIGITS,
    seed: int = SEED,
) -> list[Path]:
    """Write an archive of so many records, spread evenly over so many files; give the files."""
    directory.mkdir(parents=True, exist_ok=True)
    source = lines(count, faults=faults, digits=digits, seed=seed)
    written = []
    for number in range(files):
        share = count * (number + 1) // files - count * number // files
        path = directory / f"events-{number:05}.{'gz' if compressed else 'json'}"
        with path.open("wb") as file:
            # Without a time in its head, a .gz file has the same bytes each time.
            if compressed:
                with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                    packed.writelines(islice(source, share))
            else:
                file.writelines(islice(source, share))
        written.append(path)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--records", type=int, default=RECORDS, metavar="N")
    parser.add_argument("--files", type=int, default=1, metavar="N")
    parser.add_argument("--gzip", action="store_true", help="compress the files")
    parser.add_argument("--faults", type=int, default=0, metavar="N", help="every Nth record is faulty")
    parser.add_argument(
        "--digits", type=int, default=MOST_DIGITS, metavar="N", help="what the longest number has"
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    options = parser.parse_args()
    written = write(
        options.directory,
        count=options.records,
        files=options.files,
        compressed=options.gzip,
        faults=options.faults,
        digits=options.digits,
        seed=options.seed,
    )
    size = sum(path.stat().st_size for path in written)
    print(f"{options.records:,} records, {size:,} bytes, {len(written):,} files")


if __name__ == "__main__":
    main()
