"""Converts an archive to Clickstream events by one plan of polars: python in_polars.py SOURCE TARGET.

Attributes and metrics are read as maps: a column for each of their keys would write hundreds of nulls a row, and read
as text an object loses its backslashes. A map holds one type of values, so the few attributes that are no texts become
texts. The row is spliced of the maps' JSON text and written as lines, for `sink_ndjson` has no row of changing members.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

TEXT, WHOLE = pl.String, pl.Int64
SCHEMA = {
    "event_type": TEXT,
    "event_timestamp": WHOLE,
    "arrival_timestamp": WHOLE,
    "event_version": TEXT,
    "application": pl.Struct(
        {
            **dict.fromkeys(("app_id", "cognito_identity_pool_id", "package_name"), TEXT),
            **dict.fromkeys(("title", "version_name", "version_code"), TEXT),
            "sdk": pl.Struct({"name": TEXT, "version": TEXT}),
        }
    ),
    "client": pl.Struct({"client_id": TEXT, "cognito_id": TEXT}),
    "device": pl.Struct(
        {
            "make": TEXT,
            "model": TEXT,
            "platform": pl.Struct({"name": TEXT, "version": TEXT}),
            "locale": pl.Struct({"code": TEXT, "country": TEXT, "language": TEXT}),
        }
    ),
    "session": pl.Struct(
        {"session_id": TEXT, "start_timestamp": WHOLE, "stop_timestamp": WHOLE, "duration": WHOLE}
    ),
    "attributes": pl.Map(TEXT, TEXT),
    "metrics": pl.Map(TEXT, pl.Float64),
}
NAMES = {
    "_session.start": "_session_start",
    "_session.stop": "_app_end",
    "_session.pause": "_app_end",
    "_session.resume": "_app_start",
    "_monetization.purchase": "purchase",
}
PLATFORMS = {"android": "Android", "ios": "iOS", "iphone os": "iOS"}
PRESET_TEXTS = r'"(?:_product_id|_currency|_store|_transaction_id)":"(?:[^"\\]|\\.)*",?'
PRESET_NUMBERS = r'"(?:_item_price|_quantity)":[^,}]*,?'
# A key is the only text before a colon: quotes inside of texts are escaped.
ODD_KEY = r'"[^"\\]*[^"\\0-9A-Za-z_][^"\\]*":'


def only(condition: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Leave a value out where it is not needed: both branches of a choice are computed for all rows, but for nulls."""
    return pl.when(condition).then(value)


def legal(name: pl.Expr) -> pl.Expr:
    return name.str.replace_all("[^0-9A-Za-z_]", "_").str.replace("^([0-9])", "_${1}")


def with_legal_keys(text: pl.Expr) -> pl.Expr:
    """Make keys legal: as many odd characters as the archive's keys have, and a leading digit."""
    for _ in range(5):
        text = text.str.replace_all(r'"([0-9A-Za-z_]*)[^"\\0-9A-Za-z_]([^"\\]*)":', '"${1}_${2}":')
    return text.str.replace_all(r'"([0-9][0-9A-Za-z_]*)":', '"_${1}":')


def odd_keys(text: pl.Expr) -> pl.Expr:
    """Give JSON text of the keys that are made legal."""
    key = pl.element().str.strip_suffix(":")
    renamed = pl.concat_str(pl.lit('"'), legal(key.str.strip_chars('"')), pl.lit('":'), key)
    return pl.concat_str(
        pl.lit("{"), text.str.extract_all(ODD_KEY).list.eval(renamed).list.join(","), pl.lit("}")
    )


def text_of(name: str) -> pl.Expr:
    """Give JSON text of a map."""
    whole = pl.struct(**{name: pl.col(name)}).struct.json_encode()
    text = whole.str.strip_prefix(f'{{"{name}":').str.strip_suffix("}")
    return pl.when(text == "null").then(pl.lit("{}")).otherwise(text).alias(name)


def members(text: pl.Expr) -> pl.Expr:
    inner = text.str.strip_prefix("{").str.strip_suffix("}")
    return pl.when(inner.str.len_bytes() > 0).then(pl.lit(",") + inner).otherwise(pl.lit(""))


def tail(text: pl.Expr) -> pl.Expr:
    """Cut the closing brace off."""
    return text.str.strip_suffix("}")


def plan(source: Path) -> pl.LazyFrame:
    """Give a plan of one column: the text of each row."""
    field = pl.col
    application, client, device = field("application").struct, field("client").struct, field("device").struct
    session, event_type = field("session").struct, field("event_type")
    locale, platform = device.field("locale").struct, device.field("platform").struct
    purchase, is_money = field("is_purchase"), field("is_money")
    attributes, metrics = field("own_attributes"), field("own_metrics")
    code = field("currency").str.to_uppercase()

    top_level = pl.struct(
        event_type=event_type.replace_strict(NAMES, default=legal(event_type)),
        timestamp=field("event_timestamp"),
        app_id=application.field("app_id"),
        unique_id=client.field("client_id"),
        device_id=client.field("client_id"),
        platform=platform.field("name")
        .str.to_lowercase()
        .replace_strict(PLATFORMS, default=platform.field("name")),
        os_version=platform.field("version"),
        make=device.field("make"),
        model=device.field("model"),
        locale=locale.field("code"),
        system_language=locale.field("language").fill_null(locale.field("code").str.extract("^([a-z]+)")),
        country_code=locale.field("country").fill_null(locale.field("code").str.extract("([A-Z]+)$")),
        zone_offset=pl.lit(0),
        sdk_name=application.field("sdk").struct.field("name"),
        sdk_version=application.field("sdk").struct.field("version"),
        app_package_name=application.field("package_name"),
        app_version=application.field("version_name"),
        app_title=application.field("title"),
        event_value_currency=only(is_money, code),
        event_value=only(is_money, field("price") * field("quantity")),
        items=only(
            purchase,
            pl.concat_list(
                pl.struct(
                    id=field("product"),
                    price=only(is_money, field("price")),
                    quantity=only(is_money, field("quantity")),
                    currency=only(is_money, code),
                )
            ),
        ),
    )
    is_stop, is_own = event_type == "_session.stop", event_type.str.starts_with("_")
    original = (
        pl.when(is_stop).then(pl.lit("session.stop"))
        .when(~is_own & event_type.str.contains("^[0-9]|[^0-9A-Za-z_]")).then(event_type)
    )  # fmt: skip
    has_names = original.is_not_null() | field("has_odd_keys")
    names = pl.concat_str(
        pl.lit('{"name":'),
        pl.format('"{}"', original).fill_null("null"),
        pl.lit(',"attributes":'),
        odd_keys(only(has_names, attributes)),
        pl.lit(',"metrics":'),
        odd_keys(only(has_names, metrics)),
        pl.lit("}"),
    )
    is_loose = purchase & ~is_money
    presets = pl.struct(
        _session_id=session.field("session_id"),
        _session_start_timestamp=session.field("start_timestamp"),
        _session_duration=session.field("duration").fill_null(
            session.field("stop_timestamp") - session.field("start_timestamp")
        ),
        _is_first_time=only(event_type == "_session.resume", pl.lit(value=False)),
        session_stop_timestamp=session.field("stop_timestamp"),
        arrival_timestamp=field("arrival_timestamp"),
        cognito_id=client.field("cognito_id"),
        cognito_identity_pool_id=application.field("cognito_identity_pool_id"),
        app_version_code=application.field("version_code"),
        event_version=field("event_version"),
        purchase_transaction_id=field("transaction"),
        purchase_store=field("store"),
        purchase_price=only(is_loose, field("price")),
        purchase_quantity=only(is_loose, field("quantity")),
        purchase_currency=only(is_loose, field("currency")),
        translate_names=names,
    )
    odd = field("has_odd_keys")
    row = pl.concat_str(
        tail(top_level.struct.json_encode()),
        pl.lit(',"attributes":'),
        tail(presets.struct.json_encode()),
        members(with_legal_keys(only(odd, attributes)).fill_null(attributes)),
        members(with_legal_keys(only(odd, metrics)).fill_null(metrics)),
        pl.lit("}}"),
    )
    return (
        pl.scan_ndjson(source, schema=SCHEMA)
        .with_columns(
            text_of("attributes"), text_of("metrics"), is_purchase=event_type == "_monetization.purchase"
        )
        .with_columns(**_purchase_columns())
        .with_columns(
            is_money=purchase
            & (field("store") != "Virtual")
            & field("currency").str.contains("^[A-Za-z]{3}$"),
            has_odd_keys=attributes.str.contains(ODD_KEY) | metrics.str.contains(ODD_KEY),
        )
        .select(row)
    )


def _purchase_columns() -> dict[str, pl.Expr]:
    purchase = pl.col("is_purchase")

    def preset(container: str, key: str) -> pl.Expr:
        return only(purchase, pl.col(container)).str.json_path_match(f"$.{key}")

    def without(container: str, pattern: str) -> pl.Expr:
        cut = only(purchase, pl.col(container)).str.replace_all(pattern, "").str.replace(",}$", "}")
        return cut.fill_null(pl.col(container))

    return {
        "product": preset("attributes", "_product_id"),
        "currency": preset("attributes", "_currency"),
        "store": preset("attributes", "_store"),
        "transaction": preset("attributes", "_transaction_id"),
        "price": preset("metrics", "_item_price").cast(pl.Float64),
        "quantity": preset("metrics", "_quantity").cast(pl.Float64),
        "own_attributes": without("attributes", PRESET_TEXTS),
        "own_metrics": without("metrics", PRESET_NUMBERS),
    }


def convert(source: Path, target: Path) -> None:
    """Convert the file by one plan."""
    target.mkdir()
    plan(source).sink_csv(target / "rows.ndjson", include_header=False, quote_style="never")


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
