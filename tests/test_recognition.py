"""What a file is shows in its content: every layout, under any name, compressed or not, alone or among others."""

from __future__ import annotations

import gzip
import json

import pytest
from canonical import SAMPLES

import translate
from translate.archive.sources import find
from translate.errors import SourceError
from translate.reader.looks import head
from translate.reader.recognition import recognise

KINDS = ("_minimal", "_full", "_bodies", "_run_together", "_mixed")
FILES = sorted(
    file for kind in KINDS for file in SAMPLES.glob(f"*/*{kind}.*") if not file.name.endswith(".schema.json")
)


def address_of(file):
    """Give the layout that a sample's name says."""
    stem = file.name.partition(".")[0]
    return f"{file.parent.name}/{next(stem.removesuffix(kind) for kind in KINDS if stem.endswith(kind))}"


def recognised(*paths, address=None):
    """Recognise files by their content, among the layouts of a model if one is named."""
    return recognise(find(list(map(str, paths))), address)


def layouts_of(found):
    """Name the layout of each file that is read."""
    named = {file.shown: source.layout.address for source in found.sources for file in source.files}
    return {name: address for name, address in named.items() if name not in found.refused}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_each_sample_by_its_content_alone(file, tmp_path):
    """A sample is recognised under a name that says nothing, and compressed."""
    plain, packed = tmp_path / "a", tmp_path / "b"
    plain.write_bytes(file.read_bytes())
    packed.write_bytes(gzip.compress(file.read_bytes()))
    paths = [plain] if file.suffix == ".parquet" else [plain, packed]
    assert set(layouts_of(recognised(*paths)).values()) == {address_of(file)}


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.suffix in (".jsonl", ".json")],
    ids=lambda file: f"{file.parent.name}/{file.name}",
)
def test_each_sample_after_a_broken_line(file, tmp_path):
    """A broken first line hides nothing of the lines after it."""
    broken = tmp_path / "a"
    broken.write_bytes(b'{"half":\n' + file.read_bytes())
    assert recognised(broken).address == address_of(file)


@pytest.mark.parametrize("model", sorted({file.parent.name for file in FILES}))
def test_a_model_that_is_named_leaves_its_layouts_open(model):
    """With a model and no layout named, the content still tells the layout."""
    for file in FILES:
        if file.parent.name == model:
            assert recognised(file, address=model).address == address_of(file)


def test_records_that_reach_over_lines(tmp_path):
    """A record that is spread over lines for people shows its layout as well."""
    request = json.loads((SAMPLES / "pinpoint" / "requests_minimal.jsonl").read_text(encoding="utf-8"))
    pretty = tmp_path / "a"
    pretty.write_text(json.dumps(request, indent=4), encoding="utf-8")
    assert recognised(pretty).address == "pinpoint/requests"
    assert translate.scan(pretty).collect()["name"].to_list() == ["Level Complete"]


EITHER = {
    "event_type": "a", "event_id": "e", "timestamp": 1460000000, "app_id": "shop", "attributes": {},
    "action": "UPDATE", "type": "a", "entities": [],
}  # fmt: skip


def test_doubt_names_the_candidates(tmp_path):
    """A record that may be of two models is an error that names both, and the way out."""
    doubtful = tmp_path / "doubtful"
    doubtful.write_text(json.dumps(EITHER), encoding="utf-8")
    with pytest.raises(SourceError) as told:
        recognised(doubtful)
    for word in ("doubtful", "clickstream/events", "learning_context/events", "from_="):
        assert word in str(told.value)
    assert recognised(doubtful, address="learning_context").address == "learning_context/events"


def test_an_archive_and_a_stream_in_one_run(tmp_path):
    """Both are read in one run, each as what it is, and the account names each file's layout."""
    source = tmp_path / "in"
    source.mkdir()
    for name in ("mobile_analytics/archive_full.jsonl", "pinpoint/event_stream_mixed.json"):
        (source / name.replace("/", "-")).write_bytes((SAMPLES / name).read_bytes())
    report = translate.convert(source, to="hub", out=tmp_path / "out")
    assert report["events"]["read"] == report["events"]["written"] == 8
    told = [
        json.loads(line)
        for line in (tmp_path / "out" / "files.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    assert {(file["model"], file["layout"]): file["read"] for file in told} == {
        ("mobile_analytics", "archive"): 2,
        ("pinpoint", "event_stream"): 6,
    }


@pytest.mark.parametrize(
    "mark",
    [
        '"awsAccountId":"1"',
        '"endpoint":{}',
        '"client_context":{"custom":{}}',
        '"facets":{}',
        '"event_type":"_SMS.SUCCESS"',
    ],
)
def test_one_mark_makes_a_stream(mark, tmp_path):
    """One mark of Pinpoint in any record makes a file a stream; an event type that only looks like one does not."""
    record = '{"event_type":"a","event_timestamp":1460000000000,"application":{"app_id":"x"},"client":{"client_id":"c"}'
    (tmp_path / "a").write_text(f"{record}}}\n{record},{mark}}}\n", encoding="utf-8")
    (tmp_path / "b").write_text(
        f'{record},"attributes":{{"endpoint":"x","facets":"y"}}}}\n', encoding="utf-8"
    )
    assert layouts_of(recognised(tmp_path)) == {"a": "pinpoint/event_stream", "b": "mobile_analytics/archive"}


@pytest.mark.parametrize("between", ["\n", "\r\n \t\r\n"])
@pytest.mark.parametrize(
    ("line", "address"), [(19, "pinpoint/event_stream"), (20, "mobile_analytics/archive")]
)
def test_few_lines_are_looked_at_and_no_more_is_inflated(line, address, between, tmp_path):
    """A mark in the last of them counts, one behind it does not; blank lines are none of them."""
    records = [
        f'{{"event_type":"a","event_timestamp":1460000000000,"application":{{"app_id":"x"}},"client":{{"client_id":"{number}"}}'
        for number in range(20_000)
    ]
    records[line] += ',"facets":{}'
    file = tmp_path / "events.gz"
    file.write_bytes(gzip.compress("".join(f"{record}}}{between}" for record in records).encode()))
    assert layouts_of(recognised(file)) == {"events.gz": address}
    (found,) = find([str(file)])
    assert len(head(found)) <= 256 << 10


EVENT = {
    "event_type": "a", "event_timestamp": 1460000000000, "application": {"app_id": "x"}, "client": {"client_id": "c"},
}  # fmt: skip
STREAMED = {**EVENT, "facets": {}}


@pytest.mark.parametrize("before", ["it begins with an account of itself\n", '{"version":1}\n'])
@pytest.mark.parametrize("count", [60, 99, 100])
def test_more_lines_are_looked_at_where_few_show_nothing(before, count, tmp_path):
    """What stands before the first record may have nearly a hundred lines."""
    (tmp_path / "a").write_text(before * count + f"{json.dumps(STREAMED)}\n" * 90, encoding="utf-8")
    if count < 100:
        assert layouts_of(recognised(tmp_path / "a")) == {"a": "pinpoint/event_stream"}
    else:
        with pytest.raises(SourceError, match="is not of a layout that can be read"):
            recognised(tmp_path / "a")


@pytest.mark.parametrize("before", ["", "[]\n", '{"version":1}\n', "}\n"])
def test_a_record_that_reaches_over_lines_is_looked_at_whole(before, tmp_path):
    """What lies within it, on a line of its own, is no record, whatever stands before."""
    members = [f'"copy{number}":{json.dumps(EVENT)}' for number in range(40)]
    whole = ",\n".join([*members, json.dumps(STREAMED)[1:-1]])
    (tmp_path / "a").write_text(f"{before}{{\n{whole}\n}}\n", encoding="utf-8")
    assert layouts_of(recognised(tmp_path / "a")) == {"a": "pinpoint/event_stream"}


def test_elements_of_a_list_that_reaches_over_lines_are_no_records(tmp_path):
    """A file of such a list is refused, not read piece by piece."""
    listed = "\n,".join([json.dumps(EVENT)] * 40)
    (tmp_path / "a").write_text(f'{{"Records":[{listed}]}}\n', encoding="utf-8")
    with pytest.raises(SourceError, match="is not of a layout that can be read"):
        recognised(tmp_path / "a")


def test_a_foreign_file_among_others(tmp_path):
    """What is no archive is refused by name, and everything beside it is read."""
    source = tmp_path / "in"
    source.mkdir()
    (source / "events").write_bytes((SAMPLES / "pinpoint" / "flat_full.jsonl").read_bytes())
    (source / "README").write_text("What lies here, and why.\nNothing else.\n", encoding="utf-8")
    (source / "table").write_text("name,price\nbook,4.99\n", encoding="utf-8")
    (source / "empty").write_bytes(b"")
    report = translate.convert(source, to="hub", out=tmp_path / "out")
    assert report["events"]["written"] == 3
    rejects = [
        json.loads(line)
        for line in (tmp_path / "out" / "rejects.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    assert [(reject["file"], reject["code"]) for reject in rejects] == [
        ("README", "not_recognised"),
        ("table", "not_recognised"),
    ]


def test_text_of_another_encoding_is_told_as_that(tmp_path):
    """What a shell of Windows redirects is UTF-16: it is said so, and what turns it into what is read."""
    content = (SAMPLES / "mobile_analytics" / "archive_full.jsonl").read_text(encoding="utf-8")
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    (tmp_path / "b.json").write_text(content, encoding="utf-16")
    (file,) = translate.inspect(tmp_path).values["unreadable_files"]
    assert file["file"] == "b.json"
    assert file["reason"] == "is UTF-16 text: turn it into UTF-8 first, as iconv -f UTF-16 -t UTF-8 does"
    with pytest.raises(SourceError, match=r"b\.json is UTF-16 text: turn it into UTF-8 first"):
        translate.inspect(tmp_path / "b.json")


def test_layouts_of_other_forms_do_not_mix():
    """Files whose records have nothing in common are not taken for one archive."""
    with pytest.raises(
        SourceError, match=r"clickstream/events.*pinpoint/flat|pinpoint/flat.*clickstream/events"
    ):
        recognised(SAMPLES / "clickstream" / "events_full.jsonl", SAMPLES / "pinpoint" / "flat_full.jsonl")


@pytest.mark.parametrize("content", [b"", b"\n \n", gzip.compress(b"")], ids=["empty", "blank", "compressed"])
def test_nothing_but_empty_files(content, tmp_path):
    """A file that holds nothing is told to hold nothing; by its layout's name it is an archive without events."""
    for name in ("a.json", "b.parquet"):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(
        SourceError,
        match=r"^a\.json holds nothing that would show a layout; name what has records, or say from_=$",
    ):
        recognised(tmp_path / "a.json")
    with pytest.raises(SourceError, match=r"^the 2 files hold nothing"):
        recognised(tmp_path)
    assert (
        translate.convert(tmp_path, from_="pinpoint", to="hub", out=tmp_path / "out")["events"]["read"] == 0
    )


def test_nothing_but_foreign_files(tmp_path):
    """An archive in which nothing is known is an error that says what tells the layouts that could be read."""
    (tmp_path / "a").write_text('{"hello":"world"}\n', encoding="utf-8")
    with pytest.raises(
        SourceError, match=r"a is not of a layout .*\(translate.models\(\) lists them\); .* from_="
    ):
        recognised(tmp_path)
