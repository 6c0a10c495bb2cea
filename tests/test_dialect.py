"""The SQL that docs/dialect.md shows is what expressions may say: each example gives what stands there, and none is left out."""

from __future__ import annotations

import json
import time

import polars as pl
import pytest

from translate.recipe import dialect, proof, trial
from translate.recipe.expressions import evaluate
from translate.recipe.mistakes import Unfit

EXAMPLES = {
    sql: gives
    for idioms in dialect.IDIOMS.values()
    for idiom in idioms
    for sql, gives in idiom.examples.items()
}
NUMBER = 'TRY_CAST("attributes.n" AS BIGINT)'
# The list allows what polars may make of SQL; its present version makes none of these of anything.
NEVER_MADE = {
    ("Boolean", "AllHorizontal"), ("Boolean", "AnyHorizontal"), ("Boolean", "IsBetween"), ("Boolean", "IsIn"), ("Sql", "ToFloat"),
    ("StringExpr", "Head"), ("StringExpr", "Tail"), ("StringExpr", "StripPrefix"), ("StringExpr", "StripSuffix"),
    ("TemporalExpr", "Date"), ("TemporalExpr", "Millisecond"),
}  # fmt: skip


@pytest.mark.parametrize("sql", EXAMPLES)
def test_an_example_gives_what_the_page_says(sql):
    given, wanted = value(sql), EXAMPLES[sql]
    assert (given, type(given)) == (wanted, type(wanted))


def value(sql):
    """Give what an expression makes of the event of the page."""
    read = proof.read(sql, exploded=False)
    frame = evaluate(trial.frame([dialect.EVENT]), read.columns, {"given": read.expr})
    return frame.collect()["given"][0]


@pytest.mark.parametrize(
    ("sql", "given"),
    [
        ("LENGTH(name) - 9", -2),
        ("OCTET_LENGTH(name) * 1000000000", 7000000000),
        ("EXTRACT(MONTH FROM time) * 100 + EXTRACT(DAY FROM time)", 407),
        ("EXTRACT(DOY FROM time) * 1000", 98000),
        ("STRPOS(name, 'x') - 3", -3),
        ('TRY_CAST("attributes.n" AS SMALLINT) * 30000', 360000),
        ('TRY_CAST("attributes.n" AS BIGINT) * 1000000000000000000', None),
        ('TRY_CAST("attributes.n" AS BIGINT) + 9223372036854775800', None),
        ('9223372036854775800 - TRY_CAST("attributes.n" AS BIGINT) * -1', None),
        ('TRY_CAST("attributes.n" AS BIGINT) % 5', 2),
        ('TRY_CAST("attributes.n" AS BIGINT) // -5', -2),
        ('TRY_CAST("attributes.n" AS BIGINT) // 0', None),
        ('TRY_CAST("attributes.n" AS BIGINT) * 0 - 9223372036854775807 - 1', -(2**63)),
        ('(TRY_CAST("attributes.n" AS BIGINT) * 0 - 9223372036854775807 - 1) // -1', None),
        ("'12' || STRPOS('^', '^a|x*')", "121"),
        ("STRPOS(name, '^A')", 1),
        ('TRY_CAST("attributes.n" AS BIGINT) / 7.0', 12 / 7),
        ('-TRY_CAST("attributes.n" AS BIGINT)', -12),
    ],
)
def test_a_whole_number_is_its_value_or_none(sql, given):
    """What counts in few bits, or gives more than 64, would else come out as another number, and nothing would say so."""
    assert value(sql) == given


@pytest.mark.parametrize(
    ("sql", "given"),
    [
        ("STRPOS(TRIM(\"attributes.city\"), 'l')", 3),
        ('SUBSTR("attributes.city", STRPOS("attributes.city", \'l\'), 2)', "ln"),
        ("LEFT(name, -3)", "Ad V"),
        ("LEFT(name, STRPOS(name, ' ') - 1)", "Ad"),
        ("SUBSTR(name, 1, LENGTH(name) - 1)", "Ad Vie"),
        ('SUBSTR("attributes.none", 1, LENGTH("attributes.none") - 1)', ""),
        ("SUBSTR(name, -1, 4)", "Ad"),
        ("RIGHT(name, 8)", "Ad View"),
        ("RIGHT('00' || \"attributes.n\", 5)", "0012"),
        ("SUBSTR(name, 0 - LENGTH(name))", "Ad View"),
        ("STRPOS(item_id, 'x')", None),
        ("STRPOS(item_id, 'x') + 1", None),
        ("SUBSTR(name, 1, TRY_CAST(name AS BIGINT))", None),
        ("LEFT(name, TRY_CAST(name AS BIGINT))", None),
    ],
)
def test_places_in_a_text_are_its_characters(sql, given):
    assert value(sql) == given


@pytest.mark.parametrize("text", ["NaN", "inf", "-Infinity", "1e400", ""])
def test_a_text_that_is_no_number_is_none(text):
    """Scripts write `NaN` for a number that they lack; it is larger than any, if it is one."""
    assert value(f"TRY_CAST('{text}' AS DOUBLE)") is None
    assert value(f"TRY_CAST('{text}' AS DOUBLE) > 1") is None


@pytest.mark.parametrize(
    ("sign", "link", "gives"),
    [
        ("||", "'v'", "v" * 100),
        ("+", "1", 100),
        ("OR", "name = 'w'", False),
        ("AND", "quantity + 1 > 1", True),
        ("*", NUMBER, None),
        ("%", NUMBER, 0),
        ("//", NUMBER, 0),
    ],
)
def test_a_long_chain_is_taken(sign, link, gives):
    """A hundred links are an expression as two are, however deep their tree."""
    assert value(f" {sign} ".join([link] * 100)) == gives


@pytest.mark.parametrize(
    ("inner", "outer", "levels", "gives"),
    [
        (NUMBER, "ABS({0})", 39, 12),
        (NUMBER, "({0} * 1)", 39, 12),
        (NUMBER, "({0} // 2)", 14, 0),
        (NUMBER, "(40 // {0})", 14, 13),
        ("name", "SUBSTR({0}, STRPOS({0}, ' ') + 1)", 5, "View"),
        ("quantity", "STRPOS(SUBSTR(name, {0}), 'V')", 5, 2),
        (NUMBER, "LENGTH(SUBSTR(name, 1, {0}))", 18, 7),
        ("name", "RIGHT({0}, LENGTH({0}) - 1)", 4, "iew"),
    ],
)
def test_what_nests_is_taken(inner, outer, levels, gives):
    for _ in range(levels):
        inner = outer.format(inner)
    started = time.perf_counter()
    assert value(inner) == gives
    assert time.perf_counter() - started < 3  # a slow machine's; it took minutes


@pytest.mark.parametrize(
    "outer", ["RIGHT({0}, LENGTH({0}) - 1)", "TRY_CAST(TRY_CAST({0} AS VARCHAR) AS DOUBLE)"]
)
def test_what_doubles_at_each_level_is_refused_in_time(outer):
    """Such a part is set in several times, and in each of them what is in it."""
    sql = "name"
    for _ in range(5 if "RIGHT" in outer else 18):
        sql = outer.format(sql)
    started = time.perf_counter()
    with pytest.raises(Unfit, match="nested too deeply"):
        proof.read(sql, exploded=False)
    assert time.perf_counter() - started < 1


def test_no_value_is_taken_for_a_pattern():
    """One that is no regular expression would stop the run at its row."""
    with pytest.raises(Unfit, match="a pattern must be written out"):
        proof.read('STRPOS(name, "attributes.skus") > 0', exploded=False)


def functions_of(node):
    """Name the engine's functions in the tree of an expression."""
    if isinstance(node, list):
        return set().union(*map(functions_of, node))
    if not isinstance(node, dict):
        return set()
    own = {proof._function_name(node["Function"]["function"])[:2]} if "Function" in node else set()
    return own.union(*map(functions_of, node.values()))


def test_whatever_is_allowed_is_on_the_page():
    allowed = {(family, name) for family, names in proof.FUNCTIONS.items() for name in names}
    trees = [json.loads(pl.sql_expr(sql).meta.serialize(format="json")) for sql in EXAMPLES]
    assert allowed - functions_of(trees) == NEVER_MADE


@pytest.mark.parametrize(
    ("sql", "way_out"),
    [
        ("NVL(name, 'x') = 'x'", "; write COALESCE(a, b)"),
        ("SUBSTRNG(name, 1) = 'x'", '; did you mean "SUBSTRING"?'),
        ("is_paying(name)", "; those that there are stand in docs/dialect.md"),
    ],
)
def test_a_function_of_elsewhere_leads_to_the_one_here(sql, way_out):
    with pytest.raises(Unfit) as caught:
        proof.read(sql, exploded=False)
    assert str(caught.value).endswith(f"unsupported function '{sql.partition('(')[0].lower()}'{way_out}")


@pytest.mark.parametrize(
    ("sql", "told", "marked"),
    [
        ("name + 1 = 2", "cannot be calculated; texts are put together by ||", None),
        ("time + 5 > time", "a time moves by INTERVAL: time + INTERVAL '1 day'", None),
        ("name IN (1, 2)", "IN takes texts, IN ('a', 'b'), here", None),
        ("price IN ('a')", "IN takes numbers, IN (1, 2), here", None),
        ("UPPER(price) = 'X'", "a number stands where a function takes text; write TRY_CAST(... AS VARCHAR)", None),
        ("NOT time", "a condition should stand here", None),
        ("price AND name = 'x'", "a condition should stand here", None),
        ("ABS(name) > 1", "abs does not take text; the number in a text is TRY_CAST(name AS DOUBLE)", None),
        ("REGEXP_LIKE(name, '[')", "the pattern is no regular expression: unclosed character class", "'['"),
        ("TRY_CAST(name AS FOO) = 1", "there is no type FOO; TRY_CAST makes VARCHAR", None),
        ("price // 2 = 1", "// divides whole numbers; of others it is FLOOR(a / b)", None),
        ("CASE WHEN price > 1 THEN 2.5 // 0 ELSE 1 END = 1", "divides by zero; say what it is then", None),
        ("name LIKE 5", "LIKE takes a text that is written out: name LIKE 'Ad %'", None),
        ('name = "session.stop"', "as a text it stands in single quotes: 'session.stop'", '"session.stop"'),
        ("UPPER(time) = 'X'", "a time is not compared with text", None),
    ],
)  # fmt: skip
def test_what_the_engine_says_is_told_in_words(sql, told, marked):
    """No words of polars' own stand before who writes an expression, and each says what to write instead."""
    with pytest.raises(Unfit) as refused:
        proof.read(sql, exploded=False)
    assert told in str(refused.value)
    assert "does not work" not in str(refused.value)
    if marked:
        line, below = refused.value.excerpt.splitlines()
        assert line[below.index("^") : below.rindex("^") + 1] == marked
