"""Every command, query and program that README.md and the pages in docs/ show runs, on the sample archive.

Each section is followed by itself, from top to bottom, in a folder of its own: `ARCHIVE` there is the sample archive, the
endpoint is a rehearsal's, the bucket is on this machine. What a section says it leaves behind has to lie there.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import types
import urllib.request
from pathlib import Path

import boto3
import duckdb
import pytest
from commands import free_port, run_here, run_shell
from moto.server import ThreadedMotoServer
from pages import DOCS, PAGES, README, ROOT, address, text_of, without_blocks

import translate

ARCHIVE = ROOT / "sample_data" / "mobile_analytics" / "archive"
BLOCK = re.compile(r"^( *)```([a-z]+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)

# What a reader changes, and what the tests put in its place.
ENDPOINT, REHEARSAL_PORT, BUCKET = "https://ingest.example.com", "8080", "my-bucket"
RECORDS = {
    "python benchmarks/race.py": "--records 500 --rounds 1 --only convert",
}

# What is not run here, and why.
INSTALLS = "installs from a package index; .ci/run does it in an environment of its own"
ITSELF = "runs these tests; .ci/run calls it"
NOT_RUN = {
    "python3 -m venv .venv": INSTALLS,
    ".venv/bin/pip install .": INSTALLS,
    ".venv/bin/pip install -e '.[dev,docs]'": INSTALLS,
    "pip install -e '.[bench]'": INSTALLS,
    ".venv/bin/python -m pytest -n 2": ITSELF,
    "python -m pytest -n 2": ITSELF,
    ".ci/run": ITSELF,
    ".venv/bin/pip install '.[notebooks]'": INSTALLS,
    ".venv/bin/jupyter lab notebooks": "opens a browser",
    ".venv/bin/python -m ipykernel install --user --name translate": "writes into the user's own folder",
    ".ci/release": "builds in environments of its own, from a package index",
    "python docs/site/picture.py": "wants a browser, and writes the picture of the front page",
    "mkdocs build --strict": "writes into the checkout; tests/test_site.py does it elsewhere",
    "ruff check": ITSELF,
    "ruff format": ITSELF,
    "mypy": ITSELF,
    "translate replay ARCHIVE --to harbor --mappings sheets --set application_id=7 --journal moved --trial 100": "sends to a service that is not there",
    "TRANSLATE_ACCEPT=1 python -m pytest tests/test_docs.py": "writes these pages",
    "TRANSLATE_ACCEPT=1 python -m pytest tests/test_transcripts.py": "writes the transcripts",
}

# The sample archive holds events that these targets refuse, or names that become one in them.
FLAWED = {
    "translate convert ARCHIVE --to amplitude --out amplitude --sort",
    "translate convert ARCHIVE --to personalize/requests --set tracking_id=my-tracker --out calls",
    "translate convert ARCHIVE --to personalize --recipe ecommerce-to-personalize --out shop",
    "translate convert ARCHIVE --to personalize --set columns.DEVICE=device.platform --set columns.PRICE=price:double --out own",
    "translate convert ARCHIVE --to personalize --recipe my-recipe.toml --out shop",
    "translate convert ARCHIVE --to pinpoint/requests --out requests",
    "translate convert ARCHIVE --to mobile_analytics/requests --out requests",
    # the sample has a `purchase` of its own beside the one of the SDKs
    "translate convert sample_data/mobile_analytics/archive --to clickstream --out clicks",
    "translate convert ARCHIVE --to clickstream --out clicks --set app_ids.0123456789abcdef0123456789abcdef=my_game",
    "translate convert ARCHIVE --to clickstream --out counted --add first_open,session_number,profile_set,engagement",
    "translate convert ARCHIVE --to clickstream/raw --out buffer --set day=2026-11-21 --compression gzip",
    "translate convert ARCHIVE --to amplitude --recipe mobile_analytics-to-amplitude --out amplitude",
    "translate convert ARCHIVE --to learning_context --out context",
    "translate convert ARCHIVE --to learning_context/requests --out posts",
    "translate convert ARCHIVE --to clickstream --out y2017 --since 2017-01-01 --until 2018-01-01",
    "translate convert ARCHIVE --to clickstream --out some --limit 1000",
    "translate convert ARCHIVE --to clickstream --out unique --dedupe",
    "translate convert ARCHIVE --to clickstream --out clicks --census",
    "translate convert ARCHIVE --to clickstream --out clicks --erase people.txt",
    "translate convert ARCHIVE --to clickstream --out out",
    "translate dossier out --source ARCHIVE --html migration.html",
    "find ARCHIVE/ -name '*.gz' -exec zcat -f {} + | translate convert - --to clickstream --out - --rejects refused.ndjson > rows.ndjson",
    ".venv/bin/translate convert sample_data/mobile_analytics/archive --to clickstream --out out",
    "translate replay ARCHIVE --to clickstream --endpoint http://127.0.0.1:8080/collect --journal rehearsed --dedupe --accept age-limit,user-retention,redshift-retention",
    "translate replay ARCHIVE --to clickstream --endpoint https://ingest.example.com/collect --journal moved --dedupe --dry-run",
    "translate replay ARCHIVE --to clickstream --endpoint https://ingest.example.com/collect --journal moved --dedupe --accept $ACCEPTED --trial 100",
    "translate replay ARCHIVE --to amplitude --endpoint http://127.0.0.1:8080/amplitude/batch --journal rehearsed --dedupe --accept repeated-ids",
    "translate replay ARCHIVE --to amplitude --set region=eu --journal moved --dedupe --dry-run",
    "translate replay ARCHIVE --to harbor --mappings sheets --set application_id=7 --endpoint http://127.0.0.1:8080/harbor/v3/logs --journal rehearsed",
    "translate replay ARCHIVE --to harbor --mappings sheets --set application_id=7 --journal moved --dry-run",
    'translate replay ARCHIVE --to clickstream --endpoint https://ingest.example.com/collect --journal moved --dedupe --accept $ACCEPTED --rate "22:00-06:00=5000,else=500"',
}


def sections(page):
    """Give the blocks of each heading that has some: language and text, in their order."""
    lines = text_of(page).splitlines(keepends=True)
    unfenced = without_blocks("".join(lines)).splitlines()
    starts = [number for number, line in enumerate(unfenced) if re.match(r"#+ ", line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        text = "".join(lines[start:end])
        blocks = [(language, body) for _, language, body in BLOCK.findall(text) if language != "text"]
        if blocks:
            yield f"{address(page)}: {lines[start].lstrip('# ').strip()}", text, blocks


SECTIONS = {title: (text, blocks) for page in PAGES for title, text, blocks in sections(page)}


def commands(block):
    """Give the commands of a block, one by one, without comments."""
    for line in block.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s+)# .*$", "", line).strip()
        yield from filter(None, command.split(" && "))


SLOW = {
    "docs/replay.md: To a live endpoint",
    "docs/conversion.md: To Clickstream Analytics on AWS",
    "docs/conversion.md: A part of the archive",
}


@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=[pytest.mark.slow] if title in SLOW else []) for title in SECTIONS]
)
def test_section(title, scratch, sender):
    text, blocks = SECTIONS[title]
    for language, block in blocks:
        FOLLOWED[language](block, sender)
    made = {path.name for path in scratch.iterdir() if path.is_dir() and not path.is_symlink()}
    told = [
        name for name in re.findall(r"`([\w./=-]+)`", text) if "/" in name and name.partition("/")[0] in made
    ]
    assert [name for name in told if not (scratch / name).exists()] == []


def follow_shell(block, sender):
    for command in commands(block):
        if command not in NOT_RUN:
            sender.run(command)


def follow_python(block, sender):
    names = sender.names
    exec(compile(block, "page", "exec"), names)
    if "server" in names:
        assert names["server"].stats()["accepted"] == names["report"]["events"]["sent"] > 0
        return
    frames = {name: value.collect().height for name, value in names.items() if hasattr(value, "collect")}
    assert all(frames.values())
    if "rows" in frames:
        assert frames["rows"] == names["report"]["events"]["written"]


def follow_sql(block, _sender):
    """DuckDB reads the hub's Parquet, and its maps as maps."""
    rows = duckdb.sql(block).fetchall()
    assert sum(events for _, events, _ in rows) == 3103
    assert [name for name, _, score in rows if score is not None]


def follow_toml(block, _sender):
    """A whole recipe is the reader's own, with its tests; a rule alone is right in a recipe. A data sheet lies in a folder of such."""
    title = re.match(r'title +=\s"(\w+)"', block)
    if title:
        file = Path("sheets", f"{title[1].lower()}.toml")
        file.parent.mkdir()
        file.write_text(block, encoding="utf-8")
        return
    is_whole = re.search(r"^(?:to|extends) ", block, re.MULTILINE) is not None
    file = Path("my-recipe.toml" if is_whole else "rule.toml")
    file.write_text(block if is_whole else f'to = "pinpoint/requests"\n{block}', encoding="utf-8")
    checked = translate.check(file)
    assert (checked.tests, list(checked.complaints)) == (block.count("[[test]]"), [])


def follow_json(block, _sender):
    """What is to be put in somewhere else is JSON."""
    json.loads(block)


FOLLOWED = {
    "json": follow_json,
    "sh": follow_shell,
    "python": follow_python,
    "sql": follow_sql,
    "toml": follow_toml,
}


class Sender:
    """Runs commands as they stand, but for the names that a reader changes too."""

    def __init__(self, scratch, monkeypatch):
        self.scratch = scratch
        self.monkeypatch = monkeypatch
        self.port = free_port()
        self.background = []
        self.variables = {}
        self.names = {}

    def run(self, command):
        if command.startswith("export "):
            name, _, value = shlex.split(command)[1].partition("=")
            self.monkeypatch.setenv(name, value)
            self.variables[name] = value
            return
        given = f"{command} {RECORDS.get(command, '')}".strip().removeprefix(".venv/bin/")
        given = given.replace(f" {REHEARSAL_PORT} ", f" {self.port} ").replace(
            f"127.0.0.1:{REHEARSAL_PORT}", f"127.0.0.1:{self.port}"
        )
        if ENDPOINT in given and not self.background:
            self.start(f"translate rehearse --port {self.port}")
        given = given.replace(ENDPOINT, f"http://127.0.0.1:{self.port}")
        for name, value in self.variables.items():
            given = given.replace(f"${name}", value)
        if given.endswith(" &"):
            self.start(given.removesuffix(" &"))
            return
        is_plain = given.startswith("translate ") and not re.search(
            r" [>|] | --(?:install|show)-completion", given
        )
        output, error, code = run_here(shlex.split(given)) if is_plain else run_shell(f"{given}\nexit $?")
        assert (command, code) == (command, 1 if command in FLAWED else 0), output + error
        assert "Traceback" not in error

    def start(self, command):
        words = [sys.executable, "-m", *shlex.split(command)]
        self.background.append(
            subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        )
        for _ in range(600):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stats", timeout=1),
            ):
                return
            time.sleep(0.1)
        raise AssertionError("the rehearsal does not listen")

    def stop(self):
        for process in self.background:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
            assert (process.returncode, said) == (0, "")


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """A folder that looks like a checkout, with the reader's archive in it."""
    for name in ("sample_data", "mappings", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "ARCHIVE").symlink_to(ARCHIVE)
    (tmp_path / "people.txt").write_text("ada@example.com\n", encoding="utf-8")  # whoever the reader lists
    home, programs = tmp_path / ".home", tmp_path / ".programs"
    home.mkdir()
    programs.mkdir()
    # As the installed command does it, which need not be on this path.
    installed = shlex.join(
        ["-c", "import sys; from translate.cli import main; sys.argv[0] = 'translate'; main()"]
    )
    for name, words in (("translate", installed), ("python", ""), ("aws", "-m awscli")):
        (programs / name).write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n', encoding="utf-8"
        )
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sender(scratch, monkeypatch, bucket):
    for name, value in bucket.items():
        monkeypatch.setenv(name, value)
    sender = Sender(scratch, monkeypatch)
    yield sender
    sender.stop()


@pytest.fixture(scope="module")
def bucket():
    """The environment that leads to a bucket of this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_bucket(Bucket=BUCKET)
    for file in sorted(ARCHIVE.rglob("*.gz"))[:2]:
        client.upload_file(str(file), BUCKET, f"awsma/{file.name}")
    yield {"AWS_ENDPOINT_URL_S3": address, **keys}
    server.stop()


def test_what_is_not_run_is_on_a_page():
    shown = {
        command
        for _, blocks in SECTIONS.values()
        for language, block in blocks
        if language == "sh"
        for command in commands(block)
    }
    assert sorted({*NOT_RUN, *FLAWED, *RECORDS} - shown) == []
    assert sorted(SLOW - set(SECTIONS)) == []


def test_every_block_is_followed():
    languages = [language for page in PAGES for _, language, _ in BLOCK.findall(text_of(page))]
    assert set(languages) == {*FOLLOWED, "text"}
    followed = sum(len(blocks) for _, blocks in SECTIONS.values())
    assert followed == len(languages) - languages.count("text")


def test_pages_say_what_their_archive_is():
    """A page that takes a reader's archive leads to where that is explained."""
    explained = "(../README.md#the-first-five-minutes)"
    assert [
        address(page) for page in DOCS if ("ARCHIVE" in text_of(page)) != (explained in text_of(page))
    ] == []


def test_the_account_on_the_page_is_what_is_said():
    """The account in the first minutes holds lines of the transcript, but for its folder's name."""
    told = next(
        body for _, language, body in BLOCK.findall(text_of(README)) if language == "text" and "->" in body
    ).splitlines()
    transcript = (ROOT / "tests" / "transcripts" / "convert.md").read_text(encoding="utf-8")
    said = transcript.partition("\n% ")[2].partition("\n% ")[0].splitlines()
    assert [line for line in told[:-1] if line.strip() != "..." and line not in said] == []
    assert told[-1] == "report: clicks/report.json"


@pytest.mark.skipif(shutil.which("bash") is None, reason="completes in bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("conv", ["convert"]),
        ("convert --com", ["--compression"]),
        (
            "convert ARCHIVE --to clicks",
            ["clickstream", "clickstream/events", "clickstream/raw", "clickstream/requests"],
        ),
        ("replay ARCHIVE --to pers", ["personalize"]),
        ("why FILE:2 --to hub", ["hub", "hub/events"]),
        ("parity ARCHIVE TARGET --to personalize/i", ["personalize/interactions"]),
        ("convert ARCHIVE --recipe eco", ["ecommerce-to-personalize"]),
    ],
)
def test_completion(typed, offered, scratch):
    """Bash, asked as the tabulator asks it, offers what fits."""
    words = ["translate", *typed.split()]
    script = f"""
        eval "$(translate --show-completion)"
        COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}
        _translate_completion translate
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    output, _, code = run_shell(script)
    assert (code, output.splitlines()) == (0, offered)
