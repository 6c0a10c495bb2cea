"""Makes a big Mobile Analytics archive to measure with: always the same one for the same seed.

    python benchmarks/archive.py DIR                              1,000,000 records in one plain file
    python benchmarks/archive.py DIR --files 4000 --gzip          the same records in 4,000 small .gz files

A record has about 890 bytes. Between them the records use 205 event types, five of them the SDKs' own, and 500
attribute keys. Everything is synthetic.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORDS = 1_000_000
SEED = 7

PURCHASE = "_monetization.purchase"
SESSION_STOP = "_session.stop"
EVENT_TYPES = [
    "_session.start", SESSION_STOP, "_session.pause", "_session.resume", PURCHASE,
    *(f"event_{number:03}" for number in range(200)),
]  # fmt: skip
ATTRIBUTE_KEYS = [f"attribute_{number:03}" for number in range(500)]
METRIC_KEYS = [f"metric_{number:02}" for number in range(50)]

CLIENTS = 5_000
FIRST_TIME_MS = 1_487_973_802_507
STEP_MS = 37
ARRIVES_AFTER_MS = 1_000
SESSION_LASTS_MS = 100_000

APPLICATION = {
    "app_id": "0123456789abcdef0123456789abcdef",
    "cognito_identity_pool_id": "us-east-1:11111111-2222-3333-4444-555555555555",
    "package_name": "com.example.game",
    "sdk": {"name": "aws-sdk-mobile-analytics-js", "version": "0.9.1:2.4.8"},
    "title": "Example",
    "version_name": "1.0",
    "version_code": "1",
}
LOCALE = {"code": "en_US", "country": "US", "language": "en"}
PLATFORMS = ["android", "iPhone OS", "ANDROID"]
MODELS = ["SM-G900", "iPhone", "Pixel"]


def records(count: int, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Give so many records, in the order of their times."""
    rng = random.Random(seed)
    clients = [_client(rng) for _ in range(CLIENTS)]
    for number in range(count):
        yield _record(rng, rng.choice(clients), FIRST_TIME_MS + number * STEP_MS)


def _client(rng: random.Random) -> dict[str, dict[str, Any]]:
    return {
        "client": {"client_id": _uuid(rng), "cognito_id": f"us-east-1:{_uuid(rng)}"},
        "device": {
            "locale": LOCALE,
            "make": "Samsung",
            "model": rng.choice(MODELS),
            "platform": {"name": rng.choice(PLATFORMS), "version": "5.1"},
        },
    }


def _uuid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _record(rng: random.Random, client: dict[str, dict[str, Any]], time: int) -> dict[str, Any]:
    event_type = rng.choice(EVENT_TYPES)
    session = {
        "session_id": f"{client['client']['client_id'][-8:]}-20170224-215322531",
        "start_timestamp": time - rng.randrange(SESSION_LASTS_MS),
    }
    if event_type == SESSION_STOP:
        session["stop_timestamp"] = time
    attributes = {key: f"value {rng.randrange(1000)}" for key in rng.sample(ATTRIBUTE_KEYS, rng.randrange(8))}
    metrics = {key: _number(rng) for key in rng.sample(METRIC_KEYS, rng.randrange(3))}
    if event_type == PURCHASE:
        attributes |= {"_product_id": f"sku-{rng.randrange(100)}", "_currency": "USD", "_store": "Apple"}
        metrics |= {"_item_price": 4.99, "_quantity": rng.randrange(1, 4)}
    return {
        "event_type": event_type,
        "event_timestamp": time,
        "arrival_timestamp": time + ARRIVES_AFTER_MS,
        "event_version": "3.0",
        "application": APPLICATION,
        **client,
        "session": session,
        "attributes": attributes,
        "metrics": metrics,
    }


def _number(rng: random.Random) -> float:
    return rng.choice([rng.randrange(1000), round(rng.random() * 100, 3)])


def write(
    directory: Path, *, count: int = RECORDS, files: int = 1, compressed: bool = False, seed: int = SEED
) -> list[Path]:
    """Write an archive of so many records, spread evenly over so many files; give the files."""
    directory.mkdir(parents=True, exist_ok=True)
    source = records(count, seed)
    written = []
    for number in range(files):
        share = count * (number + 1) // files - count * number // files
        lines = (json.dumps(next(source), separators=(",", ":")) + "\n" for _ in range(share))
        path = directory / f"events-{number:05}.{'gz' if compressed else 'json'}"
        with path.open("wb") as file:
            # Without a time in its head, a .gz file has the same bytes each time.
            if compressed:
                with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                    packed.writelines(line.encode() for line in lines)
            else:
                file.writelines(line.encode() for line in lines)
        written.append(path)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--records", type=int, default=RECORDS, metavar="N")
    parser.add_argument("--files", type=int, default=1, metavar="N")
    parser.add_argument("--gzip", action="store_true", help="compress the files")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    options = parser.parse_args()
    written = write(
        options.directory,
        count=options.records,
        files=options.files,
        compressed=options.gzip,
        seed=options.seed,
    )
    print(
        f"{options.records:,} records, {sum(path.stat().st_size for path in written):,} bytes, {len(written):,} files"
    )


if __name__ == "__main__":
    main()
