"""Any layout that can be read converts to any that can be written: every sample to every target."""

import json
from collections import Counter

import pytest
from canonical import SAMPLES

import translate

LAYOUTS = translate.models().to_dicts()
TARGETS = [f"{row['model']}/{row['layout']}" for row in LAYOUTS if row["write"]]
SOURCES = sorted(
    path
    for row in LAYOUTS
    if row["read"]
    for path in (SAMPLES / row["model"]).glob(f"{row['layout']}_full.*")
    if not path.name.endswith(".schema.json")
)
ONE_RECORD = [
    "mobile_analytics/archive",
    "pinpoint/event_stream",
]  # told apart by marks, which few events have
TOLD = ["tracking_id=tracker-1", "day=2026-11-20", "app_id=shop"]


def test_every_layout_that_is_read_has_a_sample():
    """No layout is left out for want of a sample."""
    assert {(path.parent.name, path.name.partition("_full")[0]) for path in SOURCES} == {
        (row["model"], row["layout"]) for row in LAYOUTS if row["read"]
    }


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_sample_to_a_target(source, target, tmp_path):
    """All events are accounted for, and what is written is read again as what it should be, and not refused."""
    report = translate.convert(source, to=target, out=tmp_path / "out", set_=TOLD)
    counts = report["events"]
    assert counts["read"] > 0
    assert counts["read"] == counts["written"] + counts["rejected"] + counts["filtered"]
    assert report["to"] in (target, target.partition("/")[0])
    if counts["written"]:
        again = translate.convert(tmp_path / "out" / "data", to="hub", out=tmp_path / "again")
        assert again["from"] in (ONE_RECORD if target in ONE_RECORD else [target])
        assert (again["events"]["read"], again["events"]["rejected"]) == (counts["written"], 0)
        judged = translate.validate(tmp_path / "out" / "data", as_=target)
        assert [breach for breach in judged["breaches"] if breach["hard"]] == []
    else:
        rejects = [
            json.loads(line) for line in (tmp_path / "out" / "rejects.ndjson").read_text().splitlines()
        ]
        assert Counter(reject["code"] for reject in rejects) == report["rejects"]
        assert sum(report["rejects"].values()) == counts["rejected"]
