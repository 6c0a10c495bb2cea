"""The words that the generator chooses from: apps, their events, devices, prices, awkward texts."""

import random
from typing import NamedTuple

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
START, STOP, PAUSE, RESUME = "_session.start", "_session.stop", "_session.pause", "_session.resume"
PURCHASE = "_monetization.purchase"

chance = random.Random()  # generate.py seeds it


class App(NamedTuple):
    """One application of the account."""

    app_id: str
    title: str
    package: str
    identity_pool: str


class Price(NamedTuple):
    """A price as a number and as the text that a store shows."""

    currency: str
    amount: float
    text: str
    symbol: str


# fmt: off
GAME = App("0123456789abcdef0123456789abcdef", "Example Game", "com.example.game", "us-east-1:5e0c1f9a-0000-4000-8000-0123456789ab")
SHOP = App("fedcba9876543210fedcba9876543210", "Exämple Shop", "com.example.shop", "us-east-1:5e0c1f9a-0000-4000-8000-ba9876543210")
SKUS = ("b-1", "b-2", "b-17", "c-3", "c-44", "d-5")
CARTS = ('[{"sku":"b-1","price":4.99,"quantity":2}]', '[{"sku":"b-1","price":4.99,"quantity":2},{"sku":"c-3","price":12.5,"quantity":1}]',
         '[{"sku":"d-5","price":0.99,"quantity":10},{"sku":"b-2","price":7,"quantity":1},{"sku":"c-44","price":129.0,"quantity":1}]')
CUSTOM_EVENTS = {  # name, attributes with the values to choose from, metrics with their range
    GAME: (("Level Complete", {"level": ("1", "2", "7"), "difficulty": ("easy", "hard")}, {"score": (0, 99_999), "seconds": (1.0, 600.0)}),
           ("LevelComplete", {"LevelName": ("Level1", "Level2")}, {"Score": (0.0, 20_000.0)}),
           ("ad.view", {"placement": ("top", "after-level")}, {"height": (50, 250)}),
           ("Ad View", {"sku": SKUS, "network": ("house", "other & co")}, {}),
           ("boss-fight_2", {"boss": ("Grendel", "Fáfnir")}, {"damage": (-50, 900)}),
           ("naïve", {"clé": ("été", "hiver")}, {}), ("レベル完了", {"ステージ": ("一", "二")}, {"得点": (0, 500)}),
           ("heartbeat", {}, {"fps": (12.0, 60.0)}), ("purchase", {"kind": ("booster",)}, {"coins": (1, 30)})),
    SHOP: (("Product View", {"sku": SKUS, "category": ("Books", "Toys & Games", "Café")}, {"price": (0.5, 150.0)}),
           ("Product View", {"sku": SKUS, "referrer": ("search", "home")}, {}),
           ("Ad View", {"sku": SKUS, "campaign": ("spring <2016>", "winter")}, {"position": (1, 12)}),
           ("Add To Cart", {"cart": CARTS}, {"total": (1.0, 300.0)}),
           ("search", {"term": ("red shoes", "größe 42", "")}, {"results": (0, 400)}),
           ("screen_view", {"screen": ("home", "cart", "account")}, {}), ("debug", {"path": ("C:\\temp\\log", "/var/log")}, {})),
}
SDKS = {"android": 6, "ios": 5, "javascript": 5, "dotnet": 3, "rest": 1}  # and how common each is
LIBRARIES = {  # all but the JavaScript names are invented
    "android": [("AmazonMobileAnalyticsSDK", "2.2.14"), ("AmazonMobileAnalyticsSDK", "2.6.1")],
    "ios": [("aws-sdk-iOS", "2.4.1"), ("aws-sdk-iOS", "2.5.8")],
    "javascript": [("aws-sdk-mobile-analytics-js", version) for version in ("0.9.0", "0.9.1:2.4.8", "0.9.2:2.7.20")],
    "dotnet": [("aws-sdk-net-mobile-analytics", "3.1.0.1"), ("aws-sdk-unity", "2.1.4.0")], "rest": [(None, None)],
}
DEVICES = {  # make, model, platform name, platform version
    "android": [("Samsung", "SM-G900", "ANDROID", "5.1"), ("LGE", "Nexus 5X", "ANDROID", "7.1.2"), ("HUAWEI", "PLK-L01", "ANDROID", "6.0")],
    "ios": [("apple", "iPhone", "iPhone OS", "9.3"), ("apple", "iPad", "iOS", "10.2.1"), ("apple", "iPhone", "iOS", "11.3")],
    "javascript": [("Google", "Pixel", "Android", "8.0"), ("Apple", "Macintosh", "macos", "10.12"), (None, None, "Windows", "10")],
    "dotnet": [("Microsoft", "Lumia 950", "WindowsPhone", "10.0"), ("Sony", "E5823", "android", "6.0.1")],
    "rest": [(None, None, "linux", "3.13.0-91-generic")],
}
LOCALES = ("en_US", "en_GB", "de_DE", "fr_CA", "ja_JP", "pt_BR", "ar_JO", "zh_Hans_CN", "sr_RS_#Latn", "es")
PRICES = tuple(Price(*price) for price in (
    ("USD", 1.99, "$1.99", "$"), ("EUR", 3.99, "3,99 €", "€"), ("GBP", 10, "£10.00", "£"), ("JPY", 120, "￥120", "￥"),
    ("BRL", 4.9, "R$ 4,90", "R$"), ("TRY", 1299.0, "1.299,00 TL", "TL"),
))
NUMBERS = ("0", "-0.0", "-17", "1.0", "1e-7", "1.0E-7", "1E5", "6.02e+23", "0.1", "9007199254740993", "9223372036854775807",
           "-9223372036854775808", "1.7976931348623157E308", "5e-324", "123456.78901234567")
PLANES = ("Zoë e\u0301", "مرحبا \u200f!", "日本語", "👩‍👩‍👧 🇯🇴", "𝔘𠮷", "a\u2028b\u0085c", "\ufffd\ufeff", "\U0010fffd")
ESCAPED = ('say "hi"', "C:\\new\\table", "two\nlines\r\nand\ta tab", "\u0001\u001f\u007f", '","event_type":"fake', "{}", "\\u00e9")
# fmt: on


def identifier(*lengths):
    """Draw lower-case hexadecimal groups, joined by dashes; of the usual five if none are asked for."""
    return "-".join(f"{chance.getrandbits(4 * length):0{length}x}" for length in lengths or (8, 4, 4, 4, 12))


def without_none(mapping):
    """Keep the pairs that have a value."""
    return {key: value for key, value in mapping.items() if value is not None}
