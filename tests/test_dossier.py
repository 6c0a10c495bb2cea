"""The page that somebody signs says what was there, was done, was lost and why, by figures and digests that anyone can count again."""

import gzip
import json
import re
import shutil
import subprocess

import pytest
from pages import ROOT
from whole_pages import Page, assert_all_can_read_it, assert_it_loads_nothing

import translate
from translate.cli import main
from translate.telling.signoff.pages import RECOUNT

ARCHIVE = ROOT / "sample_data" / "mobile_analytics" / "archive"
LOSING = "age-limit,user-retention,redshift-retention,repeated-ids"
EVIL = "<script>alert(1)</script>.json"


@pytest.fixture(scope="module")
def clicks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dossier") / "clicks"
    translate.convert(ARCHIVE, to="clickstream", out=folder)
    return folder


@pytest.fixture(scope="module")
def bought(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dossier") / "bought"
    translate.convert(ARCHIVE, to="personalize", recipe="ecommerce-to-personalize", out=folder)
    return folder


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dossier") / "sent"
    with translate.Rehearsal() as server:
        translate.replay(
            ARCHIVE, to="clickstream", journal=folder, endpoint=server.addresses["clickstream"], accept=LOSING, set_=["tracking_id=t"],
        )  # fmt: skip
    return folder


def page_of(found, folder):
    found.write_html(folder / "page.html")
    return (folder / "page.html").read_text(encoding="utf-8")


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["translate", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr()


def test_the_page_is_of_one_hand_with_the_others(clicks, bought, journal, tmp_path):
    """Of a conversion, of several, and of a journal it loads nothing, and all can read it."""
    for found in (
        translate.dossier(clicks),
        translate.dossier([clicks, bought, journal], source=ARCHIVE),
    ):
        page = page_of(found, tmp_path)
        assert_it_loads_nothing(page)
        assert_all_can_read_it(page)


def test_each_of_several_runs_has_its_own_recipe(tmp_path):
    """Recipes of one's own go to the runs that had them."""
    rule = '\n[[rule]]\nwhen = "name = \'heartbeat\'"\ndrop = "noise"\n'
    folders, recipes = [], []
    for model in ("pinpoint", "mixpanel"):
        recipes.append(tmp_path / f"to_{model}.toml")
        recipes[-1].write_text(f'to = "{model}"{rule}')
        folders.append(tmp_path / model)
        translate.convert(ARCHIVE, to=model, recipe=recipes[-1], out=folders[-1], limit=50)
    assert len(translate.dossier(folders, source=ARCHIVE, recipe=recipes).compared) == len(folders)


def test_digests_are_what_a_shell_counts(clicks, bought):
    """The digest of the outputs is that of the command which the page shows; the one of the inputs that of the source's files."""
    for folder in (clicks, bought):
        told = translate.dossier(folder).conversions[0]
        counted = subprocess.run(
            ["bash", "-c", RECOUNT], cwd=folder, capture_output=True, text=True, check=True
        )
        assert told.outputs.digest == f"sha256:{counted.stdout.split()[0]}"
        again = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
        there = subprocess.run(["bash", "-c", again], cwd=ARCHIVE, capture_output=True, text=True, check=True)
        assert told.inputs.digest == f"sha256:{there.stdout.split()[0]}"


def test_what_is_open_is_told(clicks, bought, tmp_path):
    """A finding to settle, rejects, a difference that nothing explains, a source that changed: each is open, and nothing else."""
    assert ["2 event types became" in point for point in translate.dossier(clicks, source=ARCHIVE).open] == [
        True
    ]
    assert translate.dossier(bought).open == ["12 events rejected"]
    endangered = "By the end of the archive clickstream/events would lose data: age-limit (2,939 events), "
    assert any(sentence.startswith(endangered) for sentence in translate.dossier(clicks).verdict)
    first = tmp_path / "archive"
    shutil.copytree(ARCHIVE, first)
    files = sorted(path for path in first.rglob("*") if path.is_file())
    files[1].write_bytes(files[0].read_bytes())
    points = translate.dossier(clicks, source=first).open
    assert any("file of the source is not as when it was converted" in point for point in points)
    assert any("between the figures that nothing explains" in point for point in points)


def test_what_damaged_files_held_is_told_as_lost(tmp_path):
    """Rejects count a damaged rest as one, however much it was: whoever signs is told that nobody counted it; and pages say codes in words."""
    source = tmp_path / "archive"
    source.mkdir()
    lines = gzip.compress(
        (ROOT / "sample_data" / "mobile_analytics" / "archive_full.jsonl").read_bytes() * 50
    )
    (source / "whole.gz").write_bytes(lines)
    (source / "torn.gz").write_bytes(lines[: len(lines) // 2])
    (source / "other.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    translate.convert(source, to="pinpoint", out=tmp_path / "out")
    found = translate.dossier(tmp_path / "out", source=source)
    assert "1 file damaged: the rest of what they held is lost, and not counted" in found.open
    assert "1 file is of no layout that can be read: what was in there is not counted" in found.open
    assert "the file is damaged, its rest is lost (damaged_file)" in page_of(found, tmp_path)
    page = page_of(translate.inspect(source), tmp_path)
    assert "1 damaged file (the rest of each is lost, and not counted)" in page
    assert "1 file of no layout that can be read (what is in there is not counted)" in page


@pytest.mark.parametrize("width", [40, 80, 120])
def test_digests_are_whole_however_narrow_the_terminal(clicks, width):
    """What does not fit beside its name stands below it."""
    text = translate.dossier(clicks).to_text(width)
    assert len(re.findall(r"sha256:[0-9a-f]{64}$", text, re.MULTILINE)) == 4
    digests = text[text.index("  inputs (") :]
    assert width < 80 or max(map(len, digests.splitlines())) <= width


def test_a_clean_migration_has_nothing_open(tmp_path, monkeypatch, capsys):
    """Then the exit code is 0, and the verdict says so in three sentences."""
    source = ROOT / "sample_data" / "mobile_analytics" / "archive_full.jsonl"
    translate.convert(source, to="clickstream", out=tmp_path / "out")
    found = translate.dossier(tmp_path / "out", source=source)
    assert found.open == []
    assert (
        repr(found)
        == "<Dossier mobile_analytics/archive \N{RIGHTWARDS ARROW} clickstream/events: nothing is open>"
    )
    assert found.verdict == [
        "2 events of mobile_analytics/archive (1 file): 2 written as clickstream/events, 0 rejected.",
        "The figures on both sides are the same.",
        "Nothing is open.",
    ]
    code, told = run(
        monkeypatch, capsys, "dossier", tmp_path / "out", "--source", source, "--html", tmp_path / "page.html"
    )
    assert (code or 0, told.err) == (0, "")
    assert "Nothing is open." in told.out
    assert (tmp_path / "page.html").exists()


def test_exit_codes(bought, tmp_path, monkeypatch, capsys):
    """1 where something is open, 2 for what is no directory of a run; JSON is what the call gives."""
    code, told = run(monkeypatch, capsys, "dossier", bought, "--json")
    assert code == 1
    assert json.loads(told.out) == json.loads(json.dumps(translate.dossier(str(bought)).to_json()))
    code, told = run(monkeypatch, capsys, "dossier", tmp_path)
    assert code == 2
    assert "name one with report.json or journal.ndjson" in told.err
    code, told = run(monkeypatch, capsys, "dossier", bought, "--html", tmp_path / "none" / "page.html")
    assert code == 2
    assert "there is no such folder" in told.err


def test_sources_are_one_for_all_or_one_for_each(clicks, bought):
    """Any other number leaves it open which belongs to which."""
    found = translate.dossier([clicks, bought], source=[ARCHIVE, ARCHIVE])
    assert len(found.compared) == 2
    with pytest.raises(translate.UsageError, match="2 sources for 1 conversions"):
        translate.dossier(clicks, source=[ARCHIVE, ARCHIVE])


def test_hazards_stand_with_the_words_that_accepted_them(journal, tmp_path):
    """The journal holds what was accepted, and when; a second run accepts nothing anew."""
    found = translate.dossier(journal)
    (sent,) = found.replays
    assert list(sent.accepted) == ["age-limit", "user-retention", "redshift-retention", "repeated-ids"]
    assert sent.events == {"total": 3103, "sent": 3103, "rejected": 0, "left": 0}
    page = page_of(found, tmp_path)
    assert f"<code>--accept age-limit</code>, {journal}, {sent.accepted['age-limit']}" in page
    assert "not asked" not in page
    assert not any("nobody accepted that" in sentence for sentence in found.verdict)
    text = (journal / "journal.ndjson").read_text()
    assert text.count('"accepted"') == 1


def test_what_was_not_sent_is_open(tmp_path):
    """A replay that stopped early has events left, and says why."""
    with translate.Rehearsal() as server:
        translate.replay(
            ARCHIVE, to="clickstream", journal=tmp_path / "sent", endpoint=server.addresses["clickstream"], accept=LOSING,
            set_=["tracking_id=t"], bounds=translate.Bounds(requests=2),
        )  # fmt: skip
    points = translate.dossier(tmp_path / "sent").open
    assert any(re.search(r"events not sent yet: ", point) for point in points)


def test_it_holds_no_texts_of_the_archive_and_nothing_becomes_markup(tmp_path):
    """Rejects are named by file and line, not by what they say; a file's name is text."""
    good = {
        "event_type": "e",
        "event_timestamp": 1_500_000_000_000,
        "application": {"app_id": "a"},
        "client": {"client_id": "c"},
    }
    bad = {**good, "event_timestamp": "SECRET"}
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / EVIL.replace("/", "_")).write_text(
        f"{json.dumps(good)}\n{json.dumps(bad)}\n", encoding="utf-8"
    )
    translate.convert(tmp_path / "in", to="clickstream", out=tmp_path / "out")
    found = translate.dossier(tmp_path / "out", source=tmp_path / "in")
    page = page_of(found, tmp_path)
    for text in (page, found.to_text(), json.dumps(found.to_json()), found._repr_html_()):
        assert "SECRET" not in text
    assert Page(page).tags.count("script") == 1
    assert "&lt;script&gt;" in page


def test_an_erasure_is_told_and_compared_by_its_own_list(tmp_path, monkeypatch, capsys):
    """The page says what was proved; figures are compared by the list that the run had, and by no other."""
    client = translate.scan(ARCHIVE).select("client_id").collect()["client_id"][0]
    listed = tmp_path / "listed.txt"
    listed.write_text(f"{client}\n", encoding="utf-8")
    translate.convert(ARCHIVE, to="pinpoint", out=tmp_path / "out", erase=listed)
    with pytest.raises(translate.UsageError, match="say erase= with the list"):
        translate.dossier(tmp_path / "out", source=ARCHIVE)
    other = tmp_path / "other.txt"
    other.write_text("somebody-else\n", encoding="utf-8")
    with pytest.raises(translate.UsageError, match="is not the list that the run had"):
        translate.dossier(tmp_path / "out", source=ARCHIVE, erase=other)
    found = translate.dossier(tmp_path / "out", source=ARCHIVE, erase=listed)
    assert found.open == []
    page = page_of(found, tmp_path)
    assert "none of them stands there" in page
    assert client not in page
    code, told = run(monkeypatch, capsys, "parity", ARCHIVE, tmp_path / "out", "--erase", listed)
    assert (code or 0, told.err) == (0, "")


def test_a_lake_is_not_compared_as_if_it_were_events(tmp_path):
    """Its columns have names of SQL, which is said in place of figures that would be missing."""
    translate.convert(ARCHIVE, to="hub", out=tmp_path / "lake", lake=True)
    with pytest.raises(translate.UsageError, match="is a lake"):
        translate.parity(ARCHIVE, tmp_path / "lake")
    found = translate.dossier(tmp_path / "lake", source=ARCHIVE)
    assert (found.open, found.compared) == ([], {})
    assert "A lake is asked by SQL" in page_of(found, tmp_path)
