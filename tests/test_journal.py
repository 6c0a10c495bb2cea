"""The journal by itself: cut at any byte, written out of order, on a full disk, or not a journal at all."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translate.delivery import journal as journals
from translate.delivery.answers import Answer, Pile, Verdict
from translate.delivery.journal import Journal, lock, refuse_another_job
from translate.delivery.records import NAME, Settled, positions_of, read, status, text_of
from translate.errors import OutputError, UsageError
from translate.reader.shipments import Shipment

JOB = {"inputs": "a", "to": "clickstream/requests", "endpoint": "http://127.0.0.1/collect"}
NEVER = Verdict(Pile.NEVER, "Invalid", "too lönġ")


def shipment(line: int, *events: int) -> Shipment:
    return Shipment("part-0.ndjson", line, events, {"body": list(events)})


def sent_and_answered(journal: Journal, line: int, answer: Answer, *events: int, of: int = 3) -> int:
    whole = shipment(line, *events)
    number = journal.sending(whole, of, "d", 1)
    journal.answered(number, whole, answer)
    return number


def a_journal(folder: Path) -> bytes:
    """Write a journal of each kind of line: three lines of three events, one of them settled piece by piece."""
    with Journal(folder, JOB) as journal:
        sent_and_answered(journal, 1, Answer.all_sent(3, status=200, request_id="r-1"), 0, 1, 2)
        sent_and_answered(journal, 2, Answer.all_again(3, "503", "busy", status=503, throttled=True), 0, 1, 2)
        journal.sending(shipment(3, 0, 1, 2), 3, "d", 1)
        sent_and_answered(journal, 2, Answer.all_refused(3, "Invalid", "no", status=400), 0, 1, 2)
        sent_and_answered(journal, 2, Answer((Verdict(Pile.SENT), NEVER)), 0, 2)
        sent_and_answered(journal, 2, Answer.all_again(1, "reset", "cut", lost=True), 1)
        sent_and_answered(journal, 2, Answer.all_sent(1), 1)
        journal.stopped("7 requests were asked for")
    return (folder / NAME).read_bytes()


@given(st.sets(st.integers(0, 300)))
def test_positions_come_back(positions: set[int]):
    """Positions written as ranges are read as the same ones, in order."""
    assert positions_of(text_of(positions)) == sorted(positions)


def test_positions_are_short():
    """A run of positions is written by its ends."""
    assert text_of([3, 1, 2, 0, 7, 9, 10, 10]) == "0-3,7,9-10"
    assert positions_of("") == []


@given(st.permutations([(line, position) for line in range(1, 6) for position in range(3)]))
def test_lines_settle_in_any_order(order: list[tuple[int, int]]):
    """Whatever the order of answers, a line is whole when all its events are, and nothing is kept of whole ones."""
    settled, seen = Settled(), set()
    for line, position in order:
        settled.settle("p", line, [position], 3)
        seen.add((line, position))
        for other in range(1, 6):
            held = {at for at in range(3) if (other, at) in seen}
            assert settled.is_whole("p", other) == (len(held) == 3)
            assert settled.is_whole("p", other) or settled.of_line("p", other) == held
    assert (settled.through, settled.beyond, settled.positions) == ({"p": 5}, {"p": set()}, {})
    settled.settle("p", 2, [1], 3)
    settled.settle("q", 1, [], 3)
    assert (settled.through, settled.beyond, settled.positions) == ({"p": 5}, {"p": set()}, {})


def test_what_a_journal_adds_up_to(tmp_path: Path):
    """Sent, refused, throttled and lost are counted; the request without an answer is lost with all its events."""
    a_journal(tmp_path)
    found = read(tmp_path / NAME)
    assert (found.last_number, list(found.unanswered)) == (7, [3])
    tally = found.close().tally
    assert (tally.sent, tally.never, tally.requests, tally.throttled) == (5, 1, 7, 1)
    assert (tally.lost_answers, tally.lost_events, tally.codes) == (2, 4, {"Invalid": 1})
    assert found.settled.through == {"part-0.ndjson": 2}
    assert not found.settled.of_line("part-0.ndjson", 3)


def test_cut_anywhere(tmp_path: Path):
    """Wherever a journal is cut, going on with it twice says the same, uses no number again, and loses no line."""
    text = a_journal(tmp_path)
    whole = [json.loads(line) for line in text.splitlines()]
    ends = [position + 1 for position, sign in enumerate(text) if sign == ord("\n")]
    head = ends[0]  # a journal gets its name with its whole head
    for cut in sorted(
        {*range(head, len(text), 97), *(end - beyond for end in ends[1:] for beyond in (0, 1, 2))}
    ):
        (tmp_path / NAME).write_bytes(text[:cut])
        with Journal(tmp_path, JOB) as first:
            before = first.tally
            told = [
                record
                for record in whole[: text[: cut + 1].count(b"\n")]
                if "send" in record or "done" in record
            ]
            assert first.number == max([0, *(record["send"] for record in told if "send" in record)])
            assert before.sent == sum(
                len(positions_of(record["sent"])) for record in told if "done" in record
            )
            sent_and_answered(first, 9, Answer.all_sent(3), 0, 1, 2)
            number, lost = first.number, before.lost_events
        with Journal(tmp_path, JOB) as second:
            assert second.number == number
            assert second.settled.is_whole("part-0.ndjson", 9)
            assert (second.tally.sent, second.tally.lost_events) == (before.sent, lost)
        lines = (tmp_path / NAME).read_bytes().split(b"\n")
        assert sum(line != b"" and not line.endswith(b"}") for line in lines) <= 1


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: a write that goes further writes a part, the next fails."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk(tmp_path: Path):
    """What cannot be written down whole is not sent; later lines stand by themselves, and the same call goes on."""
    with Journal(tmp_path, JOB) as journal:
        whole = shipment(1, 0, 1, 2)
        number = journal.sending(whole, 3, "d", 1)
        with room_for((tmp_path / NAME).stat().st_size + 10), pytest.raises(OutputError, match=r"make room"):
            journal.sending(shipment(2, 0), 1, "d", 1)
        journal.answered(number, whole, Answer.all_sent(3))
    with Journal(tmp_path, JOB) as journal:
        assert (journal.tally.sent, journal.tally.lost_answers) == (3, 0)
        assert journal.settled.is_whole("part-0.ndjson", 1)


def refused_line(folder: Path) -> int | None:
    """Give the line that a journal is refused for, if it is: by a replay as by whoever asks for its status, which change nothing."""
    text = (folder / NAME).read_bytes()
    told = set()
    for look in (lambda: status(folder), lambda: Journal(folder, JOB).close()):
        try:
            look()
            told.add(None)
        except UsageError as error:
            told.add(int(str(error).partition("line ")[2].split()[0]))
            assert "is not as it was written; put it back" in str(error)
            assert (folder / NAME).read_bytes() == text
    (line,) = told
    return line


def test_a_changed_line_is_named(tmp_path: Path):
    """One changed number, in whatever line, is noticed, and so is a line that stands twice, elsewhere, or not at all."""
    lines = a_journal(tmp_path).splitlines(keepends=True)
    last = len(lines) - 1
    for at, line in enumerate(lines):
        digit = max(
            place for place, sign in enumerate(line[: line.index(b', "chain"')]) if chr(sign).isdigit()
        )
        changed = line[:digit] + bytes([line[digit] ^ 1]) + line[digit + 1 :]
        elsewhere = [*lines[:at], *lines[at + 1 :]]
        for what, edited, named in [
            ("changed", [*lines[:at], changed, *lines[at + 1 :]], at + 1),
            ("doubled", [*lines[: at + 1], line, *lines[at + 1 :]], at + 2),
            (
                "taken out",
                elsewhere,
                None if at == last else at + 1,
            ),  # without its last lines a journal is a shorter one
            ("moved to the end", [*elsewhere, line], None if at == last else at + 1),
        ]:
            if at == 0 and what in ("taken out", "moved to the end"):
                continue  # what has no head is no journal
            (tmp_path / NAME).write_bytes(b"".join(edited))
            assert refused_line(tmp_path) == named, (what, at)


def test_a_flipped_byte_is_named(tmp_path: Path):
    """A flipped bit is noticed in any line after the head, the last byte of the last line included."""
    text = a_journal(tmp_path)
    first = text.index(b"\n") + 1
    for place in [*range(first, len(text), 41), *range(len(text) - 32, len(text))]:
        (tmp_path / NAME).write_bytes(text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :])
        assert refused_line(tmp_path) == text[:place].count(b"\n") + 1, place


def test_a_line_that_was_torn_stays_sound(tmp_path: Path):
    """What a kill tore is vouched for by the line after it: it may not be changed either."""
    text = a_journal(tmp_path)
    (tmp_path / NAME).write_bytes(text[:-40])
    a_journal(tmp_path)
    lines = (tmp_path / NAME).read_bytes().splitlines(keepends=True)
    torn = next(at for at, line in enumerate(lines) if b"chain" not in line)
    lines[torn] = lines[torn].replace(b"stopped", b"sTopped")
    (tmp_path / NAME).write_bytes(b"".join(lines))
    assert refused_line(tmp_path) == torn + 1


def test_a_sound_beginning_goes_on(tmp_path: Path):
    """What stands before a changed line is sound: with these lines alone the replay goes on."""
    lines = a_journal(tmp_path).splitlines(keepends=True)
    (tmp_path / NAME).write_bytes(b"".join(lines[:4]))
    with Journal(tmp_path, JOB) as journal:
        assert (journal.tally.sent, journal.number) == (3, 2)


def test_lost_answers_of_an_earlier_process_are_not_under_way(tmp_path: Path):
    """While a replay that was killed goes on, its status tells the old lost answers from what is under way now."""
    a_journal(tmp_path)
    with lock(tmp_path), Journal(tmp_path, JOB) as journal:
        journal.sending(shipment(3, 0, 1, 2), 3, "d", 1)
        found = status(tmp_path)
    assert (found["running"], found["under_way"], found["lost_answers"], found["lost_events"]) == (
        True,
        1,
        2,
        4,
    )
    found = status(tmp_path)
    assert (found["running"], found["under_way"], found["lost_answers"], found["lost_events"]) == (
        False,
        0,
        3,
        7,
    )


def test_asking_for_the_status_keeps_nobody_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A replay that begins in the moment in which somebody asks for its status waits for it."""
    a_journal(tmp_path)
    asking = lock(tmp_path)
    monkeypatch.setattr(journals.time, "sleep", lambda _: asking.close())
    lock(tmp_path).close()


def test_a_second_process(tmp_path: Path):
    """A journal has one writer."""
    with lock(tmp_path), pytest.raises(UsageError, match="another process is replaying with this journal"):
        lock(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a shopping list\n", "is no journal"),
        ('{"send": 1}\n', "is no journal"),
        ("", "is empty"),
        ('{"journal": 2, "at"', "is torn"),
    ],
)
def test_what_is_no_journal_stays_as_it_is(text: str, told: str, tmp_path: Path):
    """A file that happens to have the name, or lost what it held, is refused, and not written to."""
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        Journal(tmp_path, JOB)
    assert (tmp_path / NAME).read_text(encoding="utf-8") == text


def test_a_journal_of_another_form(tmp_path: Path):
    """An earlier or a later version's journal is not misread, neither by a replay nor by whoever asks for its status."""
    for form in (1, 3):
        (tmp_path / NAME).write_text(
            json.dumps({"journal": form, "job": JOB}) + "\n" + '{"send": 1}\n', encoding="utf-8"
        )
        for look in (lambda: Journal(tmp_path, JOB), lambda: status(tmp_path)):
            with pytest.raises(
                UsageError,
                match=r"was written by another version of translate; go on with that one, or name another folder",
            ):
                look()


def test_another_job_is_named(tmp_path: Path):
    """The message says what changed."""
    with pytest.raises(UsageError, match=r"changed: endpoint, the source's files"):
        refuse_another_job(tmp_path, JOB, {**JOB, "inputs": "b", "endpoint": "http://[::1]/"})
    refuse_another_job(tmp_path, None, JOB)


def test_texts_that_utf_8_cannot_say(tmp_path: Path):
    """Half a surrogate pair in an event or in a receiver's words is written down all the same."""
    odd = Shipment("part-0.ndjson", 1, (0,), ["\ud800"])
    with Journal(tmp_path, JOB) as journal:
        number = journal.sending(odd, 1, journals.digest_of(odd), 1)
        journal.answered(number, odd, Answer((Verdict(Pile.NEVER, "x", "\udfff"),)))
    assert [
        line["never"]["0"][1]
        for line in map(json.loads, (tmp_path / NAME).open(encoding="utf-8"))
        if "done" in line
    ] == ["\udfff"]


def test_a_journal_is_its_owners(tmp_path: Path):
    """Others on the machine cannot read it."""
    a_journal(tmp_path)
    assert os.stat(tmp_path / NAME).st_mode & 0o777 == 0o600
