"""What a purchase is worth, and when that is money: an ISO 4217 currency and a store other than `Virtual`."""

from __future__ import annotations

import polars as pl

from translate import notation

# ISO 4217, the codes in use since 2010: archives are older than today's list.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BYR BZD
    CAD CDF CHF CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EEK EGP ERN ETB EUR FJD FKP GBP GEL
    GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW
    KWD KYD KZT LAK LBP LKR LRD LSL LTL LVL LYD MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR
    MZM MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
    SGD SHP SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMM TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN
    UYI UYU UYW UZS VED VEF VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMK ZMW ZWD ZWG ZWL
    """.split()
)

VIRTUAL_STORE = "virtual"
EXACT_WHOLE_MAX = 2**53


def worth(value: pl.Expr, price: pl.Expr, quantity: pl.Expr) -> pl.Expr:
    """Give the value, else price times quantity: exact where it is whole, else to the 15 digits that a double guarantees."""
    product = price * quantity
    is_exact = (quantity == 1) | ((product == product.floor()) & (product.abs() < EXACT_WHOLE_MAX))
    return value.fill_null(pl.when(is_exact).then(product).otherwise(product.round_sig_figs(15)))


def _is_money(value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr) -> pl.Expr:
    real_store = store.str.to_lowercase().ne_missing(VIRTUAL_STORE)
    return (code.is_in(CURRENCIES) & real_store & worth(value, price, quantity).is_not_null()).fill_null(False)


def amount(value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr) -> pl.Expr:
    """Give what an event is worth, if that is money."""
    return pl.when(_is_money(value, price, quantity, code, store)).then(worth(value, price, quantity))


def currency(code: pl.Expr, store: pl.Expr, value: pl.Expr, price: pl.Expr, quantity: pl.Expr) -> pl.Expr:
    """Give the currency of an event that is worth money."""
    return pl.when(_is_money(value, price, quantity, code, store)).then(code)


def loose_currency(
    code: pl.Expr, store: pl.Expr, value: pl.Expr, price: pl.Expr, quantity: pl.Expr
) -> pl.Expr:
    """Give the currency of an event that is worth no money."""
    return pl.when(~_is_money(value, price, quantity, code, store)).then(code)


def loose_value(value: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr) -> pl.Expr:
    """Give a value that is no money."""
    return pl.when(~_is_money(value, price, quantity, code, store)).then(value)


def loose_price(
    price: pl.Expr, value: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr,
    item_id: pl.Expr, items: pl.Expr,
) -> pl.Expr:  # fmt: skip
    """Give a price that no item carries."""
    carried = _is_money(value, price, quantity, code, store) & _has_own_item(item_id, items)
    return pl.when(~carried).then(price)


def loose_quantity(
    quantity: pl.Expr, item_id: pl.Expr, items: pl.Expr, value: pl.Expr, price: pl.Expr, code: pl.Expr,
    store: pl.Expr,
) -> pl.Expr:  # fmt: skip
    """Give a quantity that no item carries."""
    carried = _is_money(value, price, quantity, code, store) & _has_own_item(item_id, items)
    return pl.when(~carried).then(quantity)


def loose_item_id(item_id: pl.Expr, items: pl.Expr) -> pl.Expr:
    """Give an item's id that no item of one's own carries, because the event has a list of items."""
    return pl.when(~_has_own_item(item_id, items)).then(item_id)


def _has_own_item(item_id: pl.Expr, items: pl.Expr) -> pl.Expr:
    return item_id.is_not_null() & items.is_null()


def item_list(
    items: pl.Expr, item_id: pl.Expr, price: pl.Expr, quantity: pl.Expr, code: pl.Expr, store: pl.Expr,
    value: pl.Expr,
) -> pl.Expr:  # fmt: skip
    """Give the list of items as JSON text; price and currency of one's own item only if they are money."""
    is_money = _is_money(value, price, quantity, code, store)
    own = notation.json_object(
        {
            "id": notation.json_text(item_id),
            "price": pl.when(is_money).then(notation.digits(price)),
            "quantity": pl.when(is_money).then(notation.digits(quantity)),
            "currency": pl.when(is_money).then(notation.json_text(code)),
        }
    )
    return items.fill_null(pl.when(item_id.is_not_null()).then(pl.concat_str(pl.lit("["), own, pl.lit("]"))))
