"""Wrong mapping files: each carries its complaints, and the checker says these and no others."""

from pathlib import Path

import polars as pl
import pytest

import translate
from translate import events, mapping
from translate.errors import MappingError
from translate.limits import JUDGES
from translate.mapping import codecs, proof
from translate.mapping.parse import LIMITS, parse

FOLDER = Path(__file__).parent / "bad_mappings"
FILES = sorted(FOLDER.glob("*.toml"))
MARK = b"#! "


def expected(file):
    return [line.removeprefix(MARK).decode() for line in file.read_bytes().splitlines() if line.startswith(MARK)]


def as_written(complaint):
    return f"{complaint.path}: {complaint.message}" if complaint.path else complaint.message


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_complaints_are_those_in_the_file(file):
    """A wrong mapping is refused with the complaints that it carries: nothing missing, nothing extra."""
    with pytest.raises(MappingError) as refused:
        parse(file)
    assert sorted(map(as_written, refused.value.complaints)) == sorted(expected(file))
    assert all(complaint.file == file.name for complaint in refused.value.complaints)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_check_says_the_same_as_loading(file, tmp_path):
    """`check` and the loading of a folder of mappings refuse a wrong file alike, before a row is read."""
    checked = translate.check(file)
    if b"[layout" in file.read_bytes():  # else it is taken for a recipe, which complains in its own words
        assert sorted(map(as_written, checked.complaints)) == sorted(expected(file))
    assert checked.complaints
    (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(MappingError):
        mapping.load(file.stem, tmp_path)


def test_every_kind_of_complaint_has_a_file():
    """Each sentence that the checker can say stands in some wrong mapping."""
    said = "\n".join(complaint for file in FILES for complaint in expected(file))
    for piece in (
        "did you mean", "no such key", "no hub column", "no codec", "no limit", "no shape", "no phase", "no value table",
        "no well-known event", "no kind of records", "is missing", "should be text", "should be a table",
        "should be true or false", "should be a whole number", "cannot read what it writes", "is read from",
        "holds attributes", "takes 1 hub column", "exactly one layout", "is not TOML", "is not UTF-8", "has no field",
        "can neither be read nor written", "lies inside of", "cannot be required", "csv record", "needs a field",
    ):  # fmt: skip
        assert piece in said


@pytest.mark.parametrize("model", mapping.models())
def test_every_field_of_a_shipped_mapping_runs_alone(model):
    """Each field of a shipped mapping, compiled alone, runs on an empty frame and gives the type it should."""
    loaded = mapping.load(model)
    for layout in loaded.layouts.values():
        assert list(proof.contradictions(layout)) == []
        assert list(proof.failures(loaded, layout)) == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"write": lambda columns: columns[0].cast(pl.Float64)}, "gives numbers where it is written, which should be whole numbers"),
        ({"write": lambda columns: columns[0].str.to_uppercase()}, "cannot be written"),
        ({"read": lambda text: text.cast(pl.String)}, "gives text where it is read, which should be times"),
        ({"read": lambda text: text.str.to_datetime()}, "cannot be read"),
    ],
)
def test_a_codec_that_does_not_keep_its_types_is_found(fault, message, monkeypatch):
    """A codec whose expression fails, or gives another type than it promises, is found before any row."""
    spoilt = codecs.Codec(**{**vars(codecs.SCALARS["epoch_ms"]), **fault})
    monkeypatch.setitem(codecs.SCALARS, "epoch_ms", spoilt)
    loaded = mapping.load("mobile_analytics")
    found = dict(proof.failures(loaded, loaded.layouts["archive"]))
    assert message in found["fields", "event_timestamp"]
    assert ("fields", "event_type") not in found


def test_a_loaded_mapping_is_proven_once():
    """A mapping that was loaded is not read and proven again."""
    assert mapping.load("pinpoint") is mapping.load("pinpoint")


def test_limits_that_may_be_named_are_those_that_can_be_judged():
    """Each limit that a mapping may name has a judge, and each judge a name."""
    assert sorted(LIMITS) == sorted(JUDGES)


def test_every_hub_type_has_a_name():
    """The complaints can name the type of each hub column."""
    assert set(events.SCHEMA.values()) <= set(codecs.KIND_NAMES)
