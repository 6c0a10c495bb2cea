"""Records that reach over several lines, each put onto its first one, so that line numbers stay."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from itertools import chain

from translate.archive import table
from translate.archive.drawing import Ends
from translate.archive.lines import DEPTH, TOKENS, Block, Damage, not_utf8

JOIN_LINES_MAX = 10_000
ARRAY_LINES_MAX = 1_000_000  # an array of events is as long as its file
BLANKS = b"\xef\xbb\xbf \t"
FIRST_KEY = re.compile(rb'\{\s*("[^"\\]*(?:\\.[^"\\]*)*")')
OPENING = (b"{", b"[")
# A form whose JSON stands in it as it is, over several lines perhaps.
FORM = re.compile(rb"[\w.=%+&-]*=[ \t]*[{\[]")
FOLLOWED = {b"{": b":", b"[": b"[,"}  # after what a bracket may open inside of another one
# How an object over several lines begins, and what within it might begin another one, so that each line has to be looked at.
OPENED = re.compile(rb"([ \t]*)\{")
DOUBTFUL = re.compile(rb"\r\r|\n(?:[{\[]|[ \t\r]*\n)")
PLAIN_BYTES_MAX = 1 << 20  # beyond, a search for the end may cost more than the look
DECODER = json.JSONDecoder()


def join_records(blocks: Iterator[Block]) -> Iterator[Block]:
    """Put each record that reaches over several lines onto its first one, be they JSON or rows of a table."""
    lines = _Lines(blocks)
    for line in lines:
        if isinstance(line, Damage) or not line.strip():
            yield line
            continue
        first: bytes | None = line
        if not _opens(line):
            first = yield from _join_rows(chain([line], lines))
        if first is not None:
            yield from _join_json(chain([first], lines), plain_ones=lines.plain_records)


class _Lines:
    """Lines of blocks, one after the other; or, where the next ones are records beyond doubt, all of these at once."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._text = b""
        self._at = 0

    def __iter__(self) -> Iterator[Block]:
        return self

    def __next__(self) -> Block:
        while self._at == len(self._text):
            block = next(self._blocks)
            if isinstance(block, Damage):
                return block
            self._text, self._at = block if block.endswith(b"\n") else block + b"\n", 0
        begin, self._at = self._at, self._text.index(b"\n", self._at) + 1
        return self._text[begin : self._at]

    def plain_records(self) -> bytes:
        """Pass over the plain objects that follow, and give each on its first line."""
        put_together = []
        while lines := _plain_object(self._text, self._at):
            record = lines.rstrip(b"\r\n").replace(b"\r\n", b" ").replace(b"\n", b" ")
            put_together.append(record + b"\n" * lines.count(b"\n"))
            self._at += len(lines)
        return b"".join(put_together)


def _plain_object(text: bytes, begin: int) -> bytes:
    """Give the lines of one object, each with its end; none where a look at every one of them could find anything else."""
    opening = OPENED.match(text, begin)
    if opening is None:
        return b""
    end = text.index(b"\n", begin) + 1
    if text[begin:end].rstrip().endswith(b"}"):
        line = text[begin:end]
        return line if Ends().first(line) == len(line.rstrip()) and not not_utf8(line, b"") else b""
    goes_on = text[end : end + 1] not in OPENING
    closing = text.find(b"\n" + opening[1] + b"}", begin, begin + PLAIN_BYTES_MAX) if goes_on else -1
    if closing < 0:
        return b""
    lines = text[begin : text.index(b"\n", closing + 1) + 1]
    return lines if _is_plain(lines) else b""


def _is_plain(lines: bytes) -> bool:
    """Tell whether several lines are whole JSON, and none of them is empty or begins with an opening bracket at the margin."""
    if lines.count(b"\n") > JOIN_LINES_MAX or DOUBTFUL.search(lines):
        return False
    try:
        DECODER.decode(lines.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _join_rows(lines: Iterator[Block]) -> Generator[Block, None, bytes | None]:
    """Put the rows of a table together whose quoted cells hold line breaks, as the reader of tables will take them apart.

    Give the first line that can be no row, for it begins as JSON does: what came before was no table.
    """
    waiting: list[bytes] = []
    for line in lines:
        if isinstance(line, Damage):
            yield from (_as_row([part]) for part in waiting)
            waiting = []
            yield line
            continue
        if not waiting and (line.lstrip(BLANKS).startswith(b'{"') or line.strip() == b"{" or _is_form(line)):
            return line
        waiting.append(line)
        inside = table.is_open(line.rstrip(b"\r\n").decode("latin-1"), inside=len(waiting) > 1)
        if not inside or len(waiting) >= JOIN_LINES_MAX:
            yield from _placed(waiting, _as_row(waiting))
            waiting = []
    yield from (_as_row([part]) for part in waiting)
    return None


def _as_row(lines: list[bytes]) -> bytes:
    parts = [*(line.removesuffix(b"\n") for line in lines[:-1]), lines[-1].rstrip(b"\r\n")]
    return table.on_one_line(parts) + b"\n" * len(lines)


def _join_json(
    lines: Iterator[Block], *, arrays: bool = True, plain_ones: Callable[[], bytes] = bytes
) -> Iterator[Block]:
    """Put each record that reaches over several lines onto its first one; the line numbers stay.

    A record ends where its brackets are balanced. An object that never ends, or reaches to where the next record
    begins, is put together too, for the careful reader to refuse it as one; of such an array the elements are.
    After each of them `plain_ones` gives, and passes over, those that need no look at each line.
    """
    waiting: list[bytes] = []
    still_open = b""
    for line in lines:
        if waiting and (
            isinstance(line, Damage) or _is_full(waiting) or _begins(line, waiting[-1], still_open)
        ):
            yield from _broken_off(waiting)
            waiting, still_open = [], b""
        if isinstance(line, Damage):
            yield line
            continue
        if waiting or (_opens(line) if arrays else line.lstrip(BLANKS).startswith(b"{")):
            waiting.append(line)
            still_open = _brackets_after(line, still_open)
            if not still_open:
                yield from _put_together(waiting)
                waiting = []
        else:
            yield table.on_one_line([line])
        if not waiting and (plain := plain_ones()):
            yield plain
    if waiting:
        yield from _broken_off(waiting)


def _opens(line: bytes) -> bool:
    return line.lstrip(BLANKS).startswith(OPENING) or _is_form(line)


def _is_form(line: bytes) -> bool:
    return FORM.match(line.lstrip(BLANKS)) is not None


def _is_array(line: bytes) -> bool:
    return line.lstrip(BLANKS).startswith(b"[")


def _is_full(waiting: list[bytes]) -> bool:
    is_long = _is_array(waiting[0]) or _is_form(waiting[0])
    return len(waiting) >= (ARRAY_LINES_MAX if is_long else JOIN_LINES_MAX)


def _broken_off(waiting: list[bytes]) -> Iterator[Block]:
    if _is_array(waiting[0]):
        yield waiting[0]
        yield from _join_json(iter(waiting[1:]), arrays=False)
        return
    starts = (
        at for at in range(1, len(waiting)) if _is_record(waiting[at:]) and not _is_element(waiting, at)
    )
    end = next(starts, len(waiting))
    yield from _put_together(waiting[:end])
    yield from _join_json(iter(waiting[end:]))


def _is_record(lines: list[bytes]) -> bool:
    """Tell whether lines begin with a whole object after which nothing goes on."""
    if not lines[0].lstrip(BLANKS).startswith(b"{"):
        return False
    still_open = b""
    for number, line in enumerate(lines):
        still_open = _brackets_after(line, still_open)
        if not still_open:
            after = next((following for following in lines[number + 1 :] if following.strip()), b"").lstrip()
            return line.rstrip().endswith(b"}") and not after.startswith((b"]", b"}", b","))
    return False


def _is_element(lines: list[bytes], at: int) -> bool:
    """Tell whether an object stands where an array's next element would, and begins with another key than the record."""
    before = lines[at - 1].rstrip()
    deeper = _indentation(lines[at]) - _indentation(before)
    is_next = deeper > 0 if before.endswith(b"[") else before.endswith(b",") and deeper == 0
    return is_next and _first_key(lines[at:]) != _first_key(lines)


def _indentation(line: bytes) -> int:
    return len(line) - len(line.lstrip(BLANKS))


def _first_key(lines: list[bytes]) -> bytes:
    found = FIRST_KEY.match(b"".join(lines[:2]).lstrip(BLANKS))
    return found[1] if found else b""


def _begins(line: bytes, before: bytes, still_open: bytes) -> bool:
    """Tell whether a line begins another record though the last one has not ended: it cannot go on like this.

    Within an object an object or array can only follow a colon, within an array a bracket or a comma, and no text
    goes on in the next line. What begins at the margin is taken for a record in any case, but for an array's elements.
    """
    opening = line.lstrip(BLANKS)[:1]
    if opening not in OPENING:
        return _is_form(line)
    end = before.rstrip()[-1:]
    cannot_follow = end not in FOLLOWED.get(still_open[-1:], b"") if end else not still_open.endswith(b"[")
    closing = b"}" if opening == b"{" else b"]"
    whole = line.startswith(opening) and line.rstrip().endswith(closing) and not _brackets_after(line, b"")
    if still_open == b"[":
        return cannot_follow or (whole and opening == b"[")
    at_margin = line.startswith(b'{"') or whole
    return at_margin or cannot_follow


def _put_together(lines: list[bytes]) -> Iterator[Block]:
    return _placed(lines, b" ".join(line.rstrip(b"\r\n") for line in lines) + b"\n" * len(lines))


def _placed(lines: list[bytes], record: bytes) -> Iterator[Block]:
    """Give the record that some lines make; one that is not UTF-8 as a damage on the line where that shows."""
    for number, line in enumerate(lines):
        damage = not_utf8(line, record)
        if damage is not None:
            yield from (b"\n" * number, damage, b"\n" * (len(lines) - number - 1))
            return
    yield record


def _brackets_after(line: bytes, still_open: bytes) -> bytes:
    """Give the brackets that are open after a line; a quote at the end stands for a text that never ends."""
    for token in TOKENS.findall(line):
        change = DEPTH.get(token, 0)
        if token == b'"' or change > 0:
            still_open += token
        elif change < 0:
            still_open = still_open[:-1]
    return still_open
