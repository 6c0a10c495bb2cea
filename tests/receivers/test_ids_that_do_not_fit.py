"""Ids that travel along beside the one that a receiver took in their place."""

import json

import translate

RECORD = {
    "event": "e",
    "properties": {
        "time": 1618716485000,
        "distinct_id": "u",
        "$insert_id": "dbdfc127-081c-574c-a1a9-c6eaf3183258",
        "translate_event_id": "0f4c3c1e-\ud800",
    },
}


def test_half_of_a_surrogate_pair_costs_its_record(tmp_path, engine):
    """No UUID can be made of it: a reject that says why, and no traceback."""
    (tmp_path / "a.jsonl").write_text(json.dumps(RECORD) + "\n", encoding="utf-8")
    report = translate.convert(tmp_path / "a.jsonl", from_="mixpanel/events", to="hub", out=tmp_path / "out")
    assert report["rejects"] == {"bad_text": 1}
