"""What is told of a mistake: the place in an expression, the line in a file, the word that was meant, and who does not answer."""

import ast
import tomllib
from pathlib import Path

import pytest

import translate
from translate.delivery.answers import SENT, Answer
from translate.delivery.pace import FIRST_TOLD_SECONDS, TOLD_AGAIN_SECONDS, Contact
from translate.errors import OPTION, SAID_OTHERWISE, OutputError, SourceError, UsageError
from translate.mapping.sheet import lines_of
from translate.recipe.proof import condition
from translate.rehearsal.options import Options
from translate.wording.arguments import KINDS
from translate.wording.terminal import Paper

SAMPLE = Path(__file__).parent.parent / "sample_data" / "mobile_analytics" / "archive_full.jsonl"
RECIPE = '''# a comment: [[rule]]
to = "personalize/interactions"

[[rule]]
about = """
[[rule]]
when = "no key"
"""
when = "name = 'a'"
set."attributes.x" = "'y'"
set.session.id = "'z'"

[[rule]]   # the second
names = { a = "b", "c d" = "e" }

[rule.set]
item_id = "'i'"

[[test]]
expect = [
  { ITEM_ID = "[" },
]
event = { name = "a" }
'''


def test_lines_of_a_file():
    """Each table and key has its line; what stands in texts and lists of several lines is none."""
    lines = lines_of(RECIPE)
    tomllib.loads(RECIPE)
    assert lines["to"] == 2
    assert (lines["rule[1]"], lines["rule[1].when"], lines["rule[1].set.attributes.x"]) == (4, 9, 10)
    assert lines["rule[1].set.session.id"] == 11
    assert (lines["rule[2]"], lines["rule[2].names"], lines["rule[2].set.item_id"]) == (13, 14, 17)
    assert (lines["test[1].expect"], lines["test[1].event"]) == (20, 23)


def test_a_complaint_has_its_line(tmp_path):
    """A complaint tells the line in the file, or of what is around it, and so does a test that fails."""
    file = tmp_path / "own.toml"
    file.write_text(RECIPE.replace("name = 'a'", "nmae = 'a'").replace("ITEM_ID", "ITEM"))
    lines = {complaint.path: complaint.line for complaint in translate.check(file).complaints}
    assert lines["rule[1].when"] == 9
    assert lines["test[1].expect[1].ITEM"] == 20


def where(sql):
    with pytest.raises(UsageError) as refused:
        condition(sql, "--where")
    return str(refused.value).removeprefix("where: ").split("\n")


@pytest.mark.parametrize(
    ("sql", "told", "marked"),
    [
        ("event_type = 'a'", 'no hub column "event_type"; it is "name" here', "event_type"),
        ("name = 'a' AND USER_ID = 'u'", 'no hub column "USER_ID"; it is "user_id" here', "USER_ID"),
        ("client.client_id = 'c'", 'no hub column "client.client_id"; it is "client_id" here', "client.client_id"),
        ('"metric.x" > 1', 'no hub column "metric.x"; did you mean "metrics.x"?', '"metric.x"'),
        ("attribute.x = 'y'", 'write the name in quotes: "attributes.x"', "attribute.x"),
        ('name == "a b"', "no hub column \"a b\"; a text stands in single quotes: 'a b'", '"a b"'),
        ("name IN (purchase)", "no hub column \"purchase\"; a text stands in single quotes: 'purchase'", "purchase"),
        ("name IN ('a' 'b')", "is not an SQL expression: a comma or ) should follow, but there is 'b'", "'b'"),
        ("NOT (name = 'a'", "is not an SQL expression: this bracket is never closed", "("),
        ("name = 'a')", "is not an SQL expression: this bracket closes none", ")"),
        ("name = 'it", "is not an SQL expression: this text lacks its second quote", "'"),
        ("time > NOW()", "the time of day is not allowed: the same files must give the same rows", "NOW"),
        ("'x' < time", "a time is not compared with text; write TIMESTAMP 'x'", "'x'"),
        ("price BETWEEN '1' AND 3", "a number is not compared with text; write 1, without quotes", "'1'"),
        ("name = 'a' && price > 1", "&& is no operator here; write AND", "&&"),
        ("WHERE name = 'a'", "leave WHERE out: what follows it is all that is asked for", "WHERE"),
        ("name = 'a;';", "leave the semicolon out", ";"),
        ("name = \u2018a b\u2019", "a text stands in straight single quotes, 'purchase'", "\u2018"),
        ("time > 2017-01-01", "a day stands in quotes: DATE '2017-01-01'", "2017-01-01"),
        ("name = 'a' OR item_id != null", "nothing is ever = NULL or <> NULL; write IS NULL or IS NOT NULL", "!= null"),
        ("name IS NOT 'a'", "IS takes NULL, TRUE or FALSE; a text is compared by = or <>", "IS NOT"),
        ("name = _session.start", "no hub column \"_session.start\"; a text stands in single quotes: '_session.start'", "_session.start"),
        ("name = 'a' AND DATE(time) = DATE '2017-01-01'", "a time is not read from text: one that does not fit would stop the run; the day of a time is TRY_CAST(time AS DATE)", "DATE"),
        ("price > 1,5", "is not an SQL expression: an operator, or the end, should follow, but there is ,", ","),
        ("name = 'a' AND размер = 1", 'no hub column "размер"; a key of the event is "attributes.размер" or "metrics.размер"', "размер"),
        ("attributes.размер = 'a'", 'write the name in quotes: "attributes.размер"', "attributes.размер"),
        ("is_paying(name)", "is not an SQL expression: unsupported function 'is_paying'; those that there are stand in docs/dialect.md", "is_paying"),
    ],
)  # fmt: skip
def test_the_place_of_a_mistake(sql, told, marked):
    """A mistake is told with what was meant, the expression, and carets below the place."""
    message, shown, carets = where(sql)
    assert (message, shown.strip()) == (told, sql)
    start = carets.index("^")
    assert shown[start : len(carets)] == marked


def test_texts_and_keys_as_others_write_them(tmp_path):
    """A text that a rule sets without its quotes, and a key that a test says as rules do, are told how they are written."""
    file = tmp_path / "own.toml"
    file.write_text(
        'to = "personalize"\n[[rule]]\nset.name = "View"\nset.item_id = "shelf"\n'
        '[[test]]\nevent = { name = "a", time = 2016-04-07T00:00:00Z, "attributes.sku" = "x" }\nexpect = []\n'
    )
    told = {complaint.path: complaint.message for complaint in translate.check(file).complaints}
    assert told["rule[1].set.name"] == "is not an SQL expression; a text stands in single quotes: 'View'"
    assert told["rule[1].set.item_id"] == "no hub column \"shelf\"; a text stands in single quotes: 'shelf'"
    assert (
        told["test[1].event.attributes.sku"]
        == 'no hub column "attributes.sku"; write attributes = { sku = ... }'
    )


def test_an_expression_that_says_nothing():
    """An empty expression is told as that, without a place in it."""
    assert where("  ") == ["is empty; write an expression, for example name = 'purchase'"]


def test_a_long_expression_is_shown_in_part():
    """Of a long expression the part around the place is shown, of several lines the one that has it."""
    _, shown, carets = where(" OR ".join(["name = 'abcdefgh'"] * 20) + " OR nmae = 'x'")
    assert len(shown) < 110
    assert shown[carets.index("^") : len(carets)] == "nmae"
    _, shown, carets = where("name = 'a'\n  OR nmae = 'x'")
    assert (shown, carets) == ("      OR nmae = 'x'", "         ^^^^")


def test_a_run_tells_of_an_unknown_application_id(tmp_path):
    """An old id that no event has is told with what there is; one that is there is not."""
    report = translate.convert(
        SAMPLE, to="clickstream", out=tmp_path / "out",
        set_=["app_ids.0123=game", "app_ids.0123456789abcdef0123456789abcdef=shop"],
    )  # fmt: skip
    (told,) = report.unmatched_app_ids()
    assert told == "app_ids.0123: matched nothing; the archive has: 0123456789abcdef0123456789abcdef"


class TestContact:
    """Who does not answer."""

    refused = Answer.all_again(1, "connection_refused", "refused")

    def told(self, moments, answers=()):
        said = []
        contact = Contact(said.append, 30, 0.0)
        contact.tried()
        for answer in answers:
            contact.answered(answer)
        for moment in moments:
            contact.look(moment)
        return said

    def test_silence_is_told_within_ten_seconds(self):
        """It is told once after a while, then once a minute, with the last reason."""
        assert FIRST_TOLD_SECONDS < 10
        assert self.told([1.0, FIRST_TOLD_SECONDS - 0.1]) == []
        said = self.told([6.0, 7.0, 6.0 + TOLD_AGAIN_SECONDS], [self.refused])
        assert [round(one.seconds) for one in said] == [6, 66]
        assert (said[0].tries, said[0].why, said[0].attempts_max) == (1, "refused", 30)

    def test_whoever_answers_and_takes_nothing_is_told(self):
        """An answer of HTTP that takes no event is told as one, until the first is taken."""
        busy = Answer.all_again(1, "501", "not implemented", status=501)
        (said,) = self.told([6.0, 7.0], [busy])
        assert (said.answers, said.why) == (True, "not implemented")
        assert self.told([6.0, 90.0], [busy, Answer(verdicts=[SENT], status=200)]) == []


@pytest.mark.parametrize(
    ("sql", "marked"),
    [
        ("count(*) > 3", "count"),
        ("name = 'max' AND Max(time) IS NULL", "Max"),
        ("name = 'x' OR SUM(price) OVER (PARTITION BY name) > 1", "OVER"),
        ("unnest(name) = 'x'", "unnest"),
        ("cast(price AS INT) = 1", "cast("),
        ("name AS other", "AS"),
    ],
)
def test_what_sees_more_than_an_event_is_shown(sql, marked):
    """The word that is refused has the carets below it, in capitals or not, and never one within a text."""
    with pytest.raises(translate.UsageError) as raised:
        condition(sql, "--where")
    *_, shown, carets = str(raised.value).splitlines()
    assert shown[carets.index("^") : carets.rindex("^") + 1] == marked


def test_carets_stand_below_wide_signs():
    """A sign of Chinese takes two places of a terminal, and so does its caret."""
    *_, carets = where("name = '咖啡' AND nmae = 'x'")
    assert carets == f"{' ' * 22}^^^^"
    *_, carets = where("name = 咖啡")
    assert carets == f"{' ' * 11}^^^^"


def test_a_path_as_reports_show_it(tmp_path, monkeypatch):
    """A path that lacks the folder which was given is told with it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "games" / "2016").mkdir(parents=True)
    (tmp_path / "games" / "2016" / "a.gz").touch()
    with pytest.raises(SourceError, match=r'^2016/a.gz: nothing there; did you mean "games/2016/a.gz"[?]$'):
        translate.why("2016/a.gz:1", to="clickstream")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("--where: no hub column", "where: no hub column"),
        ("--limit 0: at least one event has to be taken", "limit=0: at least one event has to be taken"),
        ("--since 2018-01-02 --until 2018-01-01: no time", 'since="2018-01-02" until="2018-01-01": no time'),
        ("away from --since and --until than that", "away from since= and until= than that"),
        ("say with --from which it is", "say with from_= which it is"),
        ("lake hub events; say --to hub", 'lake hub events; say to="hub"'),
        ("write --rate 500, --rate 15requests, or", 'write rate=500, rate="15requests", or'),
        ("needs --set day=YYYY-MM-DD: the day", 'needs set_="day=YYYY-MM-DD": the day'),
        ("all the same: --accept user-retention.", 'all the same: accept="user-retention".'),
        ("so --set app_ids comes too late", 'so set_="app_ids" comes too late'),
        ("a directory in place of --out -", 'a directory in place of out="-"'),
        ("say another --profile", "say another AWS_PROFILE"),
        ("(aws s3api --bucket b tells which)", "(aws s3api --bucket b tells which)"),
        (
            "instead: translate convert ... --to clickstream/raw --set day=YYYY-MM-DD; or --set day=N",
            'instead: translate.convert(..., to="clickstream/raw", set_="day=YYYY-MM-DD"); or set_="day=N"',
        ),
        ("and say so: --set freshness_hours=N. To send", 'and say so: set_="freshness_hours=N". To send'),
        ("say --set forwarded_address=... there", 'say set_="forwarded_address=..." there'),
        ("s3://bucket/a--b is no option, nor is --", "s3://bucket/a--b is no option, nor is --"),
    ],
)
def test_options_in_the_words_of_python(typed, told):
    """What is refused to a caller from Python names arguments, to whoever types a command options."""
    refused = UsageError(typed)
    assert (str(refused), refused.typed) == (told, typed)


def test_answers_in_the_words_of_python():
    """Whoever prints an answer in Python reads no options there; the command line goes on to say them."""
    archive = SAMPLE.parent / "archive"
    found = translate.inspect(archive)
    assert "--" not in str(found)
    assert "8 more with to_json()" in str(found)
    assert "8 more with --json" in found.on(Paper())
    shown = translate.preview(archive, to="clickstream", from_="clickstream")
    assert str(shown).startswith(f"{shown.verdict}\n\n".replace("--from", "from_="))


def test_a_page_that_cannot_be_written(tmp_path):
    """A folder in the place of a page is a mistake that is told as one."""
    found = translate.inspect(SAMPLE)
    with pytest.raises(
        OutputError, match=r"nowhere/page.html: No such file or directory; name a file that can be"
    ):
        found.write_html(tmp_path / "nowhere" / "page.html")
    with pytest.raises(OutputError, match="Is a directory; name a file that can be written"):
        found.write_html(tmp_path)


def test_rows_of_the_hub_are_no_target_of_write():
    with pytest.raises(UsageError, match=r"^hub: its rows are the events themselves; name another model$"):
        translate.write(translate.scan(SAMPLE), to="hub")


def test_a_dict_where_texts_are_wanted():
    with pytest.raises(UsageError, match=r"a dict of settings is given as settings=\{...\}$"):
        translate.preview(SAMPLE, to="clickstream", set_={"app_ids": {"a": "b"}})


def test_options_named_in_messages_are_arguments():
    """No module behind the command line tells of an option that a caller from Python could not say in some way."""
    arguments = {*KINDS, *Options.__dataclass_fields__, "no_sign_request", "engine", "share", "bucket"}
    for file in (Path(translate.__file__).parent).rglob("*.py"):
        if "cli" in file.parts or file.name == "build.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            for option in OPTION.finditer(text):
                name = option["name"].replace("-", "_")
                known = {name, f"{name}_"} & arguments or option["name"] in SAID_OTHERWISE
                assert known, f"{file.name}: --{option['name']}"
