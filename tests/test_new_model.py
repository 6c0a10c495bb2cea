"""A model that nobody here has heard of: one mapping file and one archive, and everything works, without any Python."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from receivers import clickstream_faults

import translate
from translate import mapping

MAPPING = """
title  = "Acme Beacon"
source = "https://acme.example.com/beacon"

[names]
"session.start" = "Boot"
"session.stop"  = "Halt"
purchase        = "Sale"

[tables.systems]
android = "Android"
ios     = "iOS"

[layout.beacons]
about   = "one beacon a line"
records = "json-lines"
default = true
source  = "https://acme.example.com/beacon#format"

[layout.beacons.fields]
id                = "event_id"
v                 = "event_version"
what              = { hub = "name", as = "event_name", required = true }
at                = { hub = "time", as = "epoch_s", required = true }
"who.install"     = { hub = "client_id", required = true }
"who.account"     = "user_id"
"app.key"         = { hub = "app.id", as = "app_id", required = true }
"app.build"       = "app.version_code"
"device.os"       = { hub = "device.platform", table = "systems" }
"device.screen.w" = { hub = "device.screen_width", as = "whole" }
"device.screen.h" = { hub = "device.screen_height", as = "whole" }
"visit.id"        = "session.id"
"visit.began"     = { hub = "session.start", as = "epoch_s" }
"visit.ended"     = { hub = "session.stop", as = "epoch_s" }
"visit.lasted"    = { hub = "session.duration", as = "whole" }
"visit.number"    = { hub = "session.number", as = "whole" }
"cart.sku"        = "item_id"
"cart.each"       = { hub = "price", as = "number" }
"cart.count"      = { hub = "quantity", as = "number" }
"cart.money"      = "currency"
facts             = { hub = ["attributes", "metrics", "other"], as = "mixed_map" }

[layout.beacons.objects]
visit = { needs = ["id"] }

[layout.beacons.cannot]
cognito_id = "Acme has accounts of its own"

[layout.beacons.limits]
attributes_max = { judge = "members_max", places = ["facts"], value = 12, hard = true, source = "https://acme.example.com/beacon#limits" }
"""


def beacon(number, what, **others):
    """Make a beacon; the members are in the order of the mapping, which is the order in which they are written."""
    return {
        "id": f"b-{number}",
        "v": "2",
        "what": what,
        "at": 1460000000 + number,
        "who": {"install": "i-1"},
        "app": {"key": "acme_shop"},
        **others,
    }


BEACONS = [
    {**beacon(1, "Boot"), "who": {"install": "i-1", "account": "ada"}, "device": {"os": "Android", "screen": {"w": 1080, "h": 0}},
     "visit": {"id": "v-1", "began": 1459999990, "number": 3}, "facts": {}},
    beacon(2, "level up!", facts={"mode": "hard", "with space": "", "a.b": "one", "a b": "two", "level": 3, "ratio": 0.1, "over 64 bits": 12345678901234567890,
                                  "done": False, "tags": ["a", None, {"b": 1}]}),
    beacon(3, "Sale", cart={"sku": 's "1"', "each": 4.99, "count": 2, "money": "EUR"}, facts={"_session_id": "mine"}),
    beacon(4, "purchase", facts={"note": "called like the hub's own, and none"}),
    beacon(5, "_app_end", facts={}),
    {**beacon(6, "Halt"), "visit": {"id": "v-1", "began": 1459999990, "ended": 1460000006, "lasted": 16000, "number": 3}, "facts": {}},
]  # fmt: skip


@pytest.fixture
def acme(tmp_path):
    """The shipped mappings with one more beside them, and an archive of its model."""
    mappings = tmp_path / "mappings"
    shutil.copytree(mapping.folder(), mappings)
    (mappings / "acme_beacon.toml").write_text(MAPPING, encoding="utf-8")
    archive = tmp_path / "beacons"
    archive.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in BEACONS), encoding="utf-8"
    )
    return mappings, archive


def rows(folder):
    """Read what a conversion wrote."""
    return [
        json.loads(line)
        for part in sorted((folder / "data").iterdir())
        for line in part.read_text(encoding="utf-8").splitlines()
    ]


def test_checked_and_listed(acme):
    """The file is accepted, and the model stands among the others."""
    mappings, _ = acme
    assert translate.check(mappings / "acme_beacon.toml").complaints == []
    assert ("acme_beacon", "beacons", True, True) in translate.models(mappings).select(
        "model", "layout", "read", "write"
    ).rows()


def test_recognised_and_read(acme):
    """Its archive is recognised by what its records need, and read into the hub's names, units and maps."""
    mappings, archive = acme
    events = translate.scan(archive, mappings=mappings).collect()
    assert events["name"].to_list() == [
        "session.start",
        "level up!",
        "purchase",
        "custom.purchase",
        "_app_end",
        "session.stop",
    ]
    first, second, third = events.head(3).to_dicts()
    assert first["time"].isoformat() == "2016-04-07T03:33:21+00:00"
    assert (
        first["session.start"].timestamp(),
        first["session.number"],
        first["user_id"],
        first["device.screen_height"],
    ) == (1459999990, 3, "ada", 0)
    assert second["metrics"] == {"level": "3", "ratio": "0.1", "over 64 bits": "12345678901234567890"}
    assert second["other"] == {"done": "false", "tags": '["a",null,{"b":1}]'}
    assert (third["item_id"], third["price"], third["quantity"], third["currency"]) == (
        's "1"',
        4.99,
        2.0,
        "EUR",
    )


def test_to_clickstream_and_back(acme, tmp_path):
    """Its events, written for Clickstream and converted back, are the archive again, value by value and in order."""
    mappings, archive = acme
    there = translate.convert(archive, to="clickstream", out=tmp_path / "there", mappings=mappings)
    assert there["events"]["written"] == there["events"]["read"] == len(BEACONS)
    written = rows(tmp_path / "there")
    assert [fault for row in written for fault in clickstream_faults(row)] == []
    assert [row["event_type"] for row in written] == [
        "_session_start",
        "level_up_",
        "purchase",
        "purchase",
        "_app_end",
        "_app_end",
    ]
    assert (written[2]["event_value"], written[2]["event_value_currency"]) == (9.98, "EUR")
    translate.convert(
        tmp_path / "there" / "data",
        to="acme_beacon",
        out=tmp_path / "back",
        from_="clickstream/events",
        mappings=mappings,
    )
    back = rows(tmp_path / "back")
    assert back == BEACONS


def test_its_limits_are_judged_and_its_losses_told(acme, tmp_path):
    """What its limit refuses is rejected, and what it has no place for is told, as for any model."""
    mappings, _ = acme
    source = tmp_path / "in.jsonl"
    many = {f"k{number}": "x" for number in range(13)}
    record = {
        "event_type": "e",
        "event_timestamp": 1460000000123,
        "application": {"app_id": "a"},
        "client": {"client_id": "c", "cognito_id": "x"},
        "device": {"make": "Acme"},
    }
    source.write_text(
        "".join(json.dumps({**record, "attributes": attributes}) + "\n" for attributes in ({}, many)),
        encoding="utf-8",
    )
    report = translate.convert(source, to="acme_beacon", out=tmp_path / "out", mappings=mappings)
    assert (report["events"]["written"], report["events"]["rejected"]) == (1, 1)
    losses = {(loss["field"], loss["kind"]) for loss in report["losses"]}
    assert losses >= {
        ("client.cognito_id", "cannot"),
        ("device.make", "not_mapped"),
        ("event_timestamp", "changed"),
    }


def test_explained(acme):
    """Where each of its fields comes from can be asked like for any other."""
    mappings, _ = acme
    told = translate.explain(from_="acme_beacon", to="personalize", mappings=mappings).to_markdown()
    assert "cart.sku" in told
    assert "ITEM_ID" in told


REPLACED = {
    "learning_context/events": (
        "learning_context.toml",
        'phase_of_others = "UPDATE"',
        'phase_of_others = "START"',
    ),
    "clickstream/raw": ("clickstream.toml", "hour=00", "hour=05"),
}


@pytest.mark.parametrize("address", REPLACED)
def test_what_a_sheet_says_of_phases_and_folders_holds(address, tmp_path):
    """The phase of events whose name says none, and the folder of a day's files, are data: another sheet says otherwise."""
    name, before, after = REPLACED[address]
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    text = (Path(__file__).parent.parent / "mappings" / name).read_text(encoding="utf-8")
    assert before in text
    (sheets / name).write_text(text.replace(before, after), encoding="utf-8")
    source = tmp_path / "source.json"
    source.write_text(
        json.dumps({"event_type": "click", "event_id": "e", "timestamp": 1667877566697, "app_id": "shop"})
    )
    translate.convert(source, to=address, out=tmp_path / "out", set_=["day=2026-11-21"], mappings=sheets)
    (part,) = (tmp_path / "out" / "data").rglob("part-*")
    if address == "clickstream/raw":
        assert (
            part.parent.relative_to(tmp_path / "out" / "data").as_posix()
            == "year=2026/month=11/day=21/hour=05"
        )
    else:
        assert json.loads(part.read_text())["action"] == "START"
