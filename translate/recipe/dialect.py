"""The SQL that expressions may use, word by word: what each is for, and examples that run upon one event.

docs/dialect.md is made of it, and the nearest word to a misspelt one is looked for here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from translate import events
from translate.errors import suggest

EVENT: dict[str, Any] = {
    "name": "Ad View",
    "time": events.EPOCH + dt.timedelta(days=16898, hours=1, minutes=2, seconds=3, milliseconds=456),
    "price": 2.5,
    "quantity": 3.0,
    "attributes": {"skus": "SKU-1|SKU-2", "n": "12", "city": " Köln ", "none": ""},
    "metrics": {"score": "7"},
}


@dataclass(frozen=True)
class Idiom:
    """Something that can be said: how, what it is for, and examples with what each gives for the event."""

    said: str
    meaning: str
    examples: dict[str, Any]


COMPARING = (
    Idiom("a = b, a <> b", "the same, not the same, also written == and !=; unknown where either is absent", {"name = 'Ad View'": True, "item_id <> name": None}),
    Idiom("a < b, a <= b, a > b, a >= b", "smaller, larger; of times earlier, later", {"price < 2.5": False, "quantity >= 3": True}),
    Idiom("a BETWEEN b AND c", "from b to c, both included; also NOT BETWEEN", {"quantity BETWEEN 1 AND 3": True}),
    Idiom("a IN (b, ...)", "one of these; also NOT IN", {"name IN ('Ad View', 'Ad Click')": True}),
    Idiom("a IS NULL, a IS NOT NULL", "absent, there", {"item_id IS NULL": True, "price IS NOT NULL": True}),
    Idiom("a IS DISTINCT FROM b", "as <>, but two absent values are the same, and it is never unknown; also IS NOT DISTINCT FROM, <=>", {"item_id IS DISTINCT FROM name": True, "item_id <=> user_id": True}),
    Idiom("a AND b, a OR b, NOT a", "both, at least one, the contrary", {"price > 1 AND NOT quantity = 0": True, "name = 'x' OR price > 1": True}),
    Idiom("(a) XOR (b)", "exactly one of the two", {"(price > 1) XOR (quantity > 1)": False}),
    Idiom("(a) IS TRUE, (a) IS FALSE", "a condition, its contrary; unknown stays unknown; also IS NOT TRUE, IS NOT FALSE", {"(price > 1) IS TRUE": True}),
)  # fmt: skip

CHOOSING = (
    Idiom("CASE WHEN a THEN x ... ELSE z END", "that of the first condition that holds; without ELSE, else absent", {"CASE WHEN price > 2 THEN 'dear' ELSE 'cheap' END": "dear"}),
    Idiom("CASE a WHEN b THEN x ... ELSE z END", "by a value", {"CASE name WHEN 'Ad View' THEN 'View' ELSE name END": "View"}),
    Idiom("IF(a, x, z)", "x where the condition holds, else z", {"IF(price > 2, 'dear', 'cheap')": "dear"}),
    Idiom("COALESCE(a, b, ...)", "the first that is there", {'COALESCE(item_id, "attributes.sku", name)': "Ad View"}),
    Idiom("IFNULL(a, b)", "the same, of two", {"IFNULL(item_id, name)": "Ad View"}),
    Idiom("NULLIF(a, b)", "a, but absent where it is b: so an empty text becomes an absent one", {"NULLIF(\"attributes.none\", '')": None}),
    Idiom("GREATEST(a, b, ...), LEAST(a, b, ...)", "the largest, the smallest of those that are there", {"GREATEST(price, quantity)": 3.0, "LEAST(price, quantity)": 2.5}),
)  # fmt: skip

TEXT = (
    Idiom("a || b", "one behind the other; absent where either is", {"name || '!'": "Ad View!", "name || item_id": None}),
    Idiom("CONCAT(a, b, ...)", "one behind the other, without those that are absent", {"CONCAT(name, item_id, '!')": "Ad View!"}),
    Idiom("CONCAT_WS(x, a, b, ...)", "the same, with x between them", {"CONCAT_WS('-', name, item_id, 'top')": "Ad View-top"}),
    Idiom("UPPER(a), LOWER(a), INITCAP(a)", "in capitals, in small letters, words with capitals", {"UPPER(name)": "AD VIEW", "LOWER(name)": "ad view", "INITCAP('ad view')": "Ad View"}),
    Idiom("TRIM(a), LTRIM(a), RTRIM(a)", "without white space at both ends, the left, the right", {'TRIM("attributes.city")': "Köln", 'LTRIM("attributes.city")': "Köln ", 'RTRIM("attributes.city")': " Köln"}),
    Idiom("LTRIM(a, x), RTRIM(a, x)", "without any of the characters in x there; TRIM(BOTH x FROM a) for both ends", {"LTRIM(name, 'Ad ')": "View", "TRIM(BOTH 'Aw' FROM name)": "d Vie"}),
    Idiom("SUBSTR(a, n, m)", "m characters from the n-th on, counted from 1; without m, the rest; also SUBSTRING(a, n, m), SUBSTRING(a FROM n FOR m)", {"SUBSTR(name, 4, 2)": "Vi", "SUBSTRING(name, 4)": "View"}),
    Idiom("LEFT(a, n), RIGHT(a, n)", "the first, the last n characters; with -n all but the last, the first n", {"LEFT(name, 2)": "Ad", "RIGHT(name, 4)": "View", "LEFT(name, -2)": "Ad Vi"}),
    Idiom("SPLIT_PART(a, x, n)", "the n-th of the parts between x, from the end if n is negative; an empty text where there are not so many", {"SPLIT_PART(\"attributes.skus\", '|', 2)": "SKU-2", "SPLIT_PART(\"attributes.skus\", '|', 5)": ""}),
    Idiom("REPLACE(a, x, y)", "y wherever x stands, letter for letter", {"REPLACE(\"attributes.skus\", '|', ',')": "SKU-1,SKU-2"}),
    Idiom("REGEXP_REPLACE(a, p, y)", "y in place of the first match of a pattern, \\\\1 in y for its first group; of all matches with 'g' as fourth", {"REGEXP_REPLACE(\"attributes.skus\", '^SKU-(\\d+).*$', 'no. \\1')": "no. 1", "REGEXP_REPLACE(\"attributes.skus\", 'SKU-', '', 'g')": "1|2"}),
    Idiom("LPAD(a, n, x), RPAD(a, n, x)", "made n characters long, at the left, at the right; longer ones are cut", {"LPAD(\"attributes.n\", 5, '0')": "00012", "RPAD(\"attributes.n\", 5, '.')": "12..."}),
    Idiom("REVERSE(a)", "backwards", {"REVERSE(name)": "weiV dA"}),
    Idiom("LENGTH(a)", "how many characters; also CHAR_LENGTH(a), CHARACTER_LENGTH(a)", {'LENGTH("attributes.city")': 6}),
    Idiom("OCTET_LENGTH(a), BIT_LENGTH(a)", "how many bytes, bits of UTF-8", {'OCTET_LENGTH("attributes.city")': 7, 'BIT_LENGTH("attributes.city")': 56}),
    Idiom("STRPOS(a, p)", "where a pattern first matches, from 1; 0 where it does not; also POSITION(p IN a)", {"STRPOS(name, 'View')": 4, "STRPOS(name, '\\d')": 0}),
)  # fmt: skip

PATTERNS = (
    Idiom("STARTS_WITH(a, x), ENDS_WITH(a, x)", "begins, ends with x; the first also as a ^@ x", {"STARTS_WITH(name, 'Ad ')": True, "ENDS_WITH(name, 'Click')": False}),
    Idiom("a LIKE p", "% is any text, _ any character; also NOT LIKE, ~~", {"name LIKE 'Ad %'": True}),
    Idiom("a ILIKE p", "the same, capitals as small letters; also NOT ILIKE, ~~*", {"name ILIKE '%VIEW'": True}),
    Idiom("REGEXP_LIKE(a, p)", "a pattern matches somewhere; with 'i' as third, capitals as small letters", {"REGEXP_LIKE(\"attributes.skus\", '^SKU-\\d')": True, "REGEXP_LIKE(name, 'VIEW$', 'i')": True}),
    Idiom("a ~ p, a ~* p, a !~ p", "the same: it matches, in capitals or small letters, it does not; also RLIKE, REGEXP", {"name ~ '^Ad'": True, "name ~* '^ad'": True, "name !~ 'x'": True}),
)  # fmt: skip

NUMBERS = (
    Idiom("a + b, a - b, a * b, -a", "absent where either is, and where a whole number is beyond 64 bits", {"price + 1": 3.5, "price - quantity": -0.5, "price * quantity": 7.5}),
    Idiom("a / b", "with its fraction; a rule that sets what was divided by 0 rejects the event", {'"metrics.score" / 2': 3.5}),
    Idiom("a % b, MOD(a, b)", "what a division leaves", {"quantity % 2": 1.0, "MOD(quantity, 2)": 1.0}),
    Idiom("a // b", "of whole numbers, without its fraction", {'TRY_CAST("attributes.n" AS BIGINT) // 5': 2}),
    Idiom("ABS(a), SIGN(a)", "without its sign; -1, 0 or 1", {"ABS(price - quantity)": 0.5, "SIGN(price - quantity)": -1.0}),
    Idiom("ROUND(a), ROUND(a, n)", "to the nearest, with n places; halves to the even one", {"ROUND(price)": 2.0, "ROUND(price * 1.3, 1)": 3.2}),
    Idiom("FLOOR(a), CEIL(a)", "down, up to a whole number; also CEILING(a)", {"FLOOR(price)": 2.0, "CEIL(price)": 3.0}),
    Idiom("PI()", "3.14159...", {"FLOOR(PI())": 3.0}),
)  # fmt: skip

TIMES = (
    Idiom("TIMESTAMP '...', DATE '...'", "a time in UTC, a day, written out", {"time >= TIMESTAMP '2016-04-07 01:00:00'": True, "time < DATE '2016-04-07'": False}),
    Idiom("a + INTERVAL '...', a - INTERVAL '...'", "so much later, earlier", {"time + INTERVAL '1 day' > DATE '2016-04-08'": True, "time - INTERVAL '90 minutes' > DATE '2016-04-07'": False}),
    Idiom("EXTRACT(YEAR FROM a)", "a part of a time as a number; also DATE_PART('year', a) and YEAR(a)", {"EXTRACT(YEAR FROM time)": 2016, "DATE_PART('month', time)": 4, "DAY(time)": 7}),
    Idiom("HOUR, MINUTE, SECOND", "parts for EXTRACT", {"EXTRACT(HOUR FROM time)": 1, "EXTRACT(MINUTE FROM time)": 2, "EXTRACT(SECOND FROM time)": 3}),
    Idiom("QUARTER, WEEK, ISOYEAR, DOY", "the same; DOY is the day of the year, WEEK and ISOYEAR are those of ISO 8601", {"EXTRACT(QUARTER FROM time)": 2, "EXTRACT(WEEK FROM time)": 14, "EXTRACT(ISOYEAR FROM time)": 2016, "EXTRACT(DOY FROM time)": 98}),
    Idiom("DOW, ISODOW", "the day of the week; Sunday is 0, or 7", {"EXTRACT(DOW FROM time)": 4, "EXTRACT(ISODOW FROM time)": 4}),
    Idiom("STRFTIME(a, form)", "as a text", {"STRFTIME(time, '%Y-%m-%d')": "2016-04-07", "STRFTIME(time, '%H:%M')": "01:02"}),
    Idiom("TRY_CAST(a AS DATE)", "its day", {"TRY_CAST(time AS DATE) = DATE '2016-04-07'": True}),
)  # fmt: skip

KINDS = (
    Idiom("'...', 12, 2.5, TRUE, FALSE, NULL", "text, numbers, truth, nothing; a quote within a text is doubled", {"'it''s'": "it's"}),
    Idiom("TRY_CAST(a AS DOUBLE)", "a text as a number, absent where it is none", {'TRY_CAST("attributes.n" AS DOUBLE) / 8': 1.5, "TRY_CAST(name AS DOUBLE)": None}),
    Idiom("TRY_CAST(a AS BIGINT)", "the same, a whole one; also INTEGER, SMALLINT", {'TRY_CAST("attributes.n" AS BIGINT) + 1': 13}),
    Idiom("TRY_CAST(a AS VARCHAR)", "a number or a time as a text", {"TRY_CAST(price AS VARCHAR)": "2.5"}),
)  # fmt: skip

IDIOMS = {
    "Comparing": COMPARING,
    "Choosing": CHOOSING,
    "Text": TEXT,
    "Patterns": PATTERNS,
    "Numbers": NUMBERS,
    "Times": TIMES,
    "Kinds": KINDS,
}

# What other databases offer, and how it is said here.
ELSEWHERE = {
    "CONTAINS": "a LIKE '%...%'",
    "DATE_TRUNC": "STRFTIME(a, '%Y-%m')",
    "INSTR": "STRPOS(a, p)",
    "LEN": "LENGTH(a)",
    "NVL": "COALESCE(a, b)",
    "REGEXP_EXTRACT": "REGEXP_REPLACE(a, '^.*(...).*$', '\\1')",
    "REGEXP_SUBSTR": "REGEXP_REPLACE(a, '^.*(...).*$', '\\1')",
    "SUBSTRING_INDEX": "SPLIT_PART(a, x, 1)",
    "TO_CHAR": "STRFTIME(a, form)",
}


def functions() -> list[str]:
    """Name all functions that a idiom or its meaning shows."""
    shown = " ".join(f"{idiom.said} {idiom.meaning}" for idioms in IDIOMS.values() for idiom in idioms)
    return sorted(set(re.findall(r"\b([A-Z_]+)\(", shown)))


def instead(function: str) -> str:
    """Say what to write in place of a function that is not here, if anything is near."""
    wanted = function.upper()
    return f"; write {ELSEWHERE[wanted]}" if wanted in ELSEWHERE else suggest(wanted, functions())


# What polars says of expressions that it has read and cannot work out, and what to do about it.
KIND = r"`?(?P<kind>[A-Za-z]+\d*)[^ `]*`?"
ENGINE: dict[re.Pattern[str], str] = {
    re.compile(r"cannot compare 'date/datetime/time' to a string"): (
        "a time is not compared with text; a time is TIMESTAMP '2016-04-07 00:00:00', a text stands in single quotes"
    ),
    re.compile(rf"'is_in' cannot check for {KIND} values in List\("): (
        "{kind} is not looked for among values of another kind; IN takes {listed} here"
    ),
    re.compile(r"arithmetic on dtypes|not allowed on"): (
        "cannot be calculated; texts are put together by ||, the number in a text is TRY_CAST(name AS DOUBLE), "
        "and a time moves by INTERVAL: time + INTERVAL '1 day'"
    ),
    re.compile(rf"expected `String`, got {KIND}"): (
        "{kind} stands where a function takes text; write TRY_CAST(... AS VARCHAR)"
    ),
    re.compile(
        rf"expected `Boolean`, got {KIND}|casting from {KIND.replace('kind', 'cast')} to Boolean|^& on|`bit\w+` operation"
    ): (
        "a condition should stand here, and what stands here is none; write a comparison, such as price > 1 or item_id IS NOT NULL"
    ),
    re.compile(r"(?P<what>[a-z]+)\S*(?: \S+)? operation not supported for dtype `(?:str|String)`"): (
        "{what} does not take text; the number in a text is TRY_CAST(name AS DOUBLE)"
    ),
    re.compile(
        r"conversion from `f\d+` to `i64` failed"
    ): "// divides whole numbers; of others it is FLOOR(a / b)",
    re.compile(r"division by zero"): "divides by zero; say what it is then: CASE WHEN b <> 0 THEN a / b END",
    re.compile(
        r"LIKE/ILIKE pattern must be a string literal"
    ): "LIKE takes a text that is written out: name LIKE 'Ad %'",
    re.compile(r'datatype "(?P<what>\w+)" is not'): (
        "there is no type {what}; TRY_CAST makes VARCHAR, DOUBLE, BIGINT, BOOLEAN and DATE"
    ),
    re.compile(r"invalid '(?:start|length)' for SUBSTRING"): (
        "SUBSTR counts signs, from 1: SUBSTR(name, 1, 3) are the first three"
    ),
}
PATTERN = re.compile(r"regex parse error:\n\s*(?P<pattern>.*)\n(?:.*\n)*?\s*error: (?P<what>.*)")
NAMED_KINDS = {"str": "text", "string": "text", "utf8view": "text", "f": "a number", "i": "a number", "u": "a number", "int": "a number",
               "float": "a number", "dyn": "a number", "datetime": "a time", "date": "a day", "bool": "a condition", "boolean": "a condition"}  # fmt: skip
WRITTEN_KINDS = {"text": "texts, IN ('a', 'b'),", "a number": "numbers, IN (1, 2),", "a time": "times, IN (TIMESTAMP '2016-04-07 00:00:00'),"}  # fmt: skip


def in_words(error: Exception) -> str | None:
    """Say what polars says of an expression in words of this SQL, and what to write; None where it says something new."""
    pattern = PATTERN.search(str(error))
    if pattern is not None:
        return f"the pattern is no regular expression: {pattern['what']}; a sign that means itself has \\ before it"
    said = str(error).strip().split("\n", 1)[0]
    for form, told in ENGINE.items():
        found = form.search(said)
        if found is not None:
            parts = {name: _kind(value) for name, value in found.groupdict("").items() if name != "what"}
            listed = WRITTEN_KINDS.get(parts.get("kind", ""), "values of its kind")
            return told.format(listed=listed, what=found.groupdict().get("what"), **parts)
    return None


def pattern_of(error: Exception) -> str | None:
    """Give the regular expression that an error complains of."""
    pattern = PATTERN.search(str(error))
    return pattern["pattern"] if pattern else None


def _kind(dtype: str) -> str:
    """Name a type of polars as one that writes SQL calls it."""
    return NAMED_KINDS.get(dtype.lower().rstrip("0123456789"), dtype)
