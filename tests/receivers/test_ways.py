"""The ready recipes upon the sample archives: each event arrives under a name of the receiver's, both engines writing the same bytes."""

import json
from collections import Counter

import pytest
from canonical import SAMPLES

import translate

SOURCES = {
    "mobile_analytics": SAMPLES / "mobile_analytics" / "archive",
    "pinpoint": SAMPLES / "pinpoint" / "event_stream_full.jsonl",
}
# Where a receiver has the name of an event, and what it calls sessions, purchases and screens.
NAMES = {
    "amplitude": ("event_type", {"session_start", "session_end", "revenue_amount", "[Amplitude] Screen Viewed", "[Amplitude] Application Opened"}),
    "mixpanel": ("event", {"Session Start", "Session End", "Purchase", "Screen View", "App Foregrounded"}),
    "posthog": ("event", {"Application Opened", "Application Backgrounded", "purchase completed", "$screen", "Application Became Active"}),
    "segment_spec": ("event", {"Application Opened", "Application Backgrounded", "Order Completed", "Application Foregrounded"}),
}  # fmt: skip


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "data").iterdir())}


@pytest.mark.parametrize("receiver", NAMES)
@pytest.mark.parametrize("model", SOURCES)
def test_a_ready_way(model, receiver, tmp_path, monkeypatch):
    """All that is not written has its reason, the names are the receiver's, and what was written is taken."""
    recipe = f"{model}-to-{receiver}"
    report = translate.convert(SOURCES[model], to=receiver, out=tmp_path / "out", recipe=recipe)
    counts = report["events"]
    assert counts["read"] == counts["written"] + counts["rejected"] > 5
    assert counts["written"] > counts["read"] * 0.6
    place, wanted = NAMES[receiver]
    rows = [
        json.loads(line) for content in files_of(tmp_path / "out").values() for line in content.splitlines()
    ]
    named = Counter(row.get(place) for row in rows)
    if model == "mobile_analytics":
        assert wanted <= named.keys()
    assert not {"_session.start", "_monetization.purchase", "custom.screen_view"} & named.keys()
    judged = translate.validate(tmp_path / "out" / "data", as_=receiver)
    assert [breach for breach in judged["breaches"] if breach["hard"]] == []
    monkeypatch.setenv("TRANSLATE_ENGINE", "reference")
    translate.convert(SOURCES[model], to=receiver, out=tmp_path / "slow", recipe=recipe)
    assert files_of(tmp_path / "slow") == files_of(tmp_path / "out")
