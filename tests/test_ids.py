"""Made event ids are pinned: an event of the samples or the zoo keeps its id, whatever columns the hub gains."""

import os
import re
import warnings
from collections import Counter
from pathlib import Path

import polars as pl
from canonical import SAMPLES, ZOO, zoo

import translate
from translate import events
from translate.reader.hub import with_event_ids

GOLDEN = Path(__file__).parent / "golden" / "ids.txt"
ACCEPT = os.environ.get("TRANSLATE_ACCEPT") == "1"
ARCHIVE = SAMPLES / "mobile_analytics" / "archive"
ENDINGS = (".jsonl", ".json", ".csv", ".parquet")
NO_EVENTS = ("zoo.jsonl", "interactions_full.schema.json")


def ids_as_read(source):
    """Give the ids of a sample's events, in the order of their files and lines."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return translate.scan(source).select("event_id").collect()["event_id"].to_list()


def ids_of_the_zoo():
    """Give the ids that the zoo's events have by their content alone, none having an id of its own."""
    without = zoo().with_columns(event_id=pl.lit(None, pl.String))
    return with_event_ids(without.lazy(), set(events.SCHEMA)).collect()["event_id"].to_list()


def ids_today():
    """Give the ids of the zoo's events, and of every sample's, by its name."""
    samples = [file for file in SAMPLES.glob("*/*") if file.suffix in ENDINGS and file.name not in NO_EVENTS]
    read = {source.relative_to(SAMPLES).as_posix(): ids_as_read(source) for source in [ARCHIVE, *samples]}
    return {ZOO.relative_to(SAMPLES).as_posix(): ids_of_the_zoo()} | read


def pinned_ids():
    """Read the golden: a line with a sample's name, then its events' ids, each indented by a tab."""
    text = GOLDEN.read_text(encoding="utf-8") if GOLDEN.exists() else ""
    blocks = [block.split("\n\t") for block in re.split(r"\n(?!\t)", text) if block]
    return {name: ids for name, *ids in blocks}


def test_no_event_id_moves():
    """Every pinned id is the id of an event still; TRANSLATE_ACCEPT=1 adds those of new samples, and takes none away."""
    pinned, today = pinned_ids(), ids_today()
    moved = {
        name: gone for name, ids in pinned.items() if (gone := Counter(ids) - Counter(today.get(name, [])))
    }
    assert not moved, (
        "these ids are no event's any more; if an event really went, take its id out of the golden by hand"
    )
    if ACCEPT:
        lines = [f"{name}\n" + "".join(f"\t{id_}\n" for id_ in ids) for name, ids in sorted(today.items())]
        GOLDEN.write_text("".join(lines), encoding="utf-8", newline="")
    assert pinned_ids() == today, "new events have no pinned id yet; pin them with TRANSLATE_ACCEPT=1"
