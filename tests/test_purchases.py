"""What a purchase is worth where the target counts money: currencies as archives spell them, and why there is no value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rows import rows_of

import translate
from translate.mapping.settings import Settings
from translate.vocabulary import money

PLACE = "event_value"


def bought(
    attributes: dict[str, str] | None = None,
    metrics: dict[str, float] | None = None,
    name: str = "_monetization.purchase",
) -> str:
    """Write a purchase of the Mobile Analytics archive."""
    return json.dumps({
        "event_type": name, "event_timestamp": 1_487_973_802_000, "application": {"app_id": "a"}, "client": {"client_id": "c"},
        "attributes": {"_product_id": "p", **(attributes or {})}, "metrics": metrics or {},
    })  # fmt: skip


def converted(
    folder: Path, *lines: str, to: str = "clickstream", **options: Any
) -> tuple[dict[str, Any], list[Any]]:
    source = folder / "in.json"
    source.write_text("".join(f"{line}\n" for line in lines))
    report = translate.convert(source, to=to, out=folder / "out", **options)
    return report, rows_of(folder / "out")


def found(report: dict[str, Any], code: str) -> list[tuple[str, int]]:
    return [
        (finding["message"], finding["events"]) for finding in report["findings"] if finding["code"] == code
    ]


@pytest.mark.parametrize("spelled", ["usd", "Usd", "USD"])
def test_currencies_are_taken_in_any_case(tmp_path, spelled):
    """The code is written in capitals, wherever it stands, and that is told where it is a change."""
    report, (row,) = converted(tmp_path, bought({"_currency": spelled}, {"_item_price": 1.5, "_quantity": 2}))
    assert (row["event_value"], row["event_value_currency"]) == (3, "USD")
    assert row["items"] == [{"id": "p", "price": 1.5, "quantity": 2, "currency": "USD"}]
    told = [
        (loss["field"], loss["kind"], loss["events"])
        for loss in report["losses"]
        if "capitals" in loss["why"]
    ]
    assert told == ([] if spelled == "USD" else [("attributes._currency", "changed", 1)])
    assert found(report, "purchase_without_value") == []


@pytest.mark.parametrize("spelled", ["gems", "usdx", "uſd", "", "XYZ"])
def test_what_is_no_currency_stays_as_it_is(tmp_path, spelled):
    """Also a text whose capitals would be a code, though it is spelled with another letter."""
    report, (row,) = converted(tmp_path, bought({"_currency": spelled}, {"_item_price": 1.5, "_quantity": 2}))
    assert "event_value" not in row
    assert row["attributes"]["purchase_currency"] == spelled
    ((message, events),) = found(report, "purchase_without_value")
    assert ("no code of ISO 4217" in message, events) == (True, 1)


@pytest.mark.parametrize(
    ("attributes", "metrics", "reason"),
    [
        ({}, {"_item_price": 1, "_quantity": 1}, "no currency"),
        (
            {"_currency": "EUR"},
            {"_item_price": 1},
            "no quantity; where the app's SDK meant one, say --set missing_quantity=1",
        ),
        ({"_currency": "EUR"}, {"_quantity": 1}, "no price"),
        ({}, {}, "no currency"),
    ],
)
def test_a_real_purchase_without_a_value_tells_why(tmp_path, attributes, metrics, reason):
    """The first thing that is missing is the reason; a virtual purchase, and what is no purchase, is none of this."""
    others = [
        bought({"_store": "Virtual"}, {"_item_price": 1}),
        bought(name="look"),
        bought({"_currency": "EUR"}, {"_item_price": 1, "_quantity": 1}),
    ]
    report, rows = converted(tmp_path, bought(attributes, metrics), *others)
    assert ["event_value" in row for row in rows] == [False, False, False, True]
    ((message, events),) = found(report, "purchase_without_value")
    assert (message.startswith(PLACE), reason in message, events) == (True, True, 1)


def test_a_missing_quantity_is_what_the_setting_says(tmp_path):
    """Only where a price has none, and no value; never by default; ids stay; the report counts it."""
    lines = [
        bought({"_currency": "EUR"}, {"_item_price": 4.5}), bought({"_currency": "EUR"}, {"_item_price": 2, "_quantity": 3}),
        bought({"_currency": "EUR"}), bought(metrics={"_item_price": 9}, name="look"),
    ]  # fmt: skip
    for name in ("plain", "filled"):
        (tmp_path / name).mkdir()
    plain, before = converted(tmp_path / "plain", *lines)
    report, rows = converted(tmp_path / "filled", *lines, set_=["missing_quantity=1"])
    assert [row.get("event_value") for row in before] == [None, 6, None, None]
    assert [row.get("event_value") for row in rows] == [4.5, 6, None, None]
    assert rows[0]["items"] == [{"id": "p", "price": 4.5, "quantity": 1, "currency": "EUR"}]
    assert [row["event_id"] for row in rows] == [row["event_id"] for row in before]
    assert found(report, "quantity_filled") == [
        ("the quantity of a purchase that tells none is the setting missing_quantity", 1)
    ]
    assert (found(plain, "quantity_filled"), report["settings"]["missing_quantity"]) == ([], 1)
    compared = translate.parity(tmp_path / "filled" / "in.json", tmp_path / "filled" / "out")
    assert compared.unexplained == 0
    assert "changed by --set missing_quantity=1" in {cause["cause"] for cause in compared.causes}


def test_other_targets_and_the_rows_of_a_frame_take_it_too(tmp_path):
    """What is filled in is filled in before any target's rows."""
    line = bought({"_currency": "EUR"}, {"_item_price": 4.5})
    converted(tmp_path, line, to="personalize", set_=["missing_quantity=1"])
    assert "4.5" in (tmp_path / "out" / "data" / "part-00000.csv").read_text()
    told = Settings(missing_quantity=1)
    rows = translate.write(translate.scan(tmp_path / "in.json"), model="clickstream", settings=told).collect()
    assert json.loads(rows["row"][0])["event_value"] == 4.5


@pytest.mark.parametrize("to", ["clickstream", "personalize", "segment_spec", "segment_spec/requests"])
def test_a_worth_beyond_all_numbers_is_refused(tmp_path, to):
    """Wherever it stands: in a map, too, it would be the word `inf`, which is no JSON."""
    metrics = {"_item_price": 1e300, "_quantity": 1e300}
    report, rows = converted(tmp_path, bought({"_currency": "EUR"}, metrics), to=to)
    assert (rows, report["rejects"]) == ([], {"bad_number": 1})


def test_a_quantity_of_nothing_is_refused(tmp_path):
    """A setting that is no number above 0 is a usage error."""
    with pytest.raises(translate.MappingError, match="missing_quantity: should be a number above 0"):
        converted(tmp_path, bought(), set_=["missing_quantity=0"])


def test_the_codes_are_data():
    """The list of codes lies in a file with its source."""
    assert {"USD", "EUR", "JPY", "XAF", "BYR"} < money.currencies()
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in money.currencies())
