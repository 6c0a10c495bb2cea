"""Bytes to whole lines of UTF-8, each record on one of them; damage comes in the place of a line."""

from __future__ import annotations

import base64
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from translate.archive import table

JOIN_LINES_MAX = 10_000
ARRAY_LINES_MAX = 1_000_000  # an array of events is as long as its file
BLANKS = b"\xef\xbb\xbf \t"
TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\]]')
FIRST_KEY = re.compile(rb'\{\s*("[^"\\]*(?:\\.[^"\\]*)*")')
OPENING = (b"{", b"[")
FORM = re.compile(
    rb"[\w.=%+&-]*=[ \t]*[{\[]"
)  # a form whose JSON stands in it as it is, over several lines perhaps
FOLLOWED = {b"{": b":", b"[": b"[,"}  # after what a bracket may open inside of another one
DEPTH = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}


@dataclass(frozen=True)
class Damage:
    """Something in a file that is no line of text: told as a reject in the place of a line.

    `doubtful` tells how many lines right before it were read, but failed a checksum with it.
    """

    code: str
    message: str
    raw: str | bytes  # bytes are base64: what is no text
    doubtful: int | None = None


Block = bytes | Damage


def blocks_of_lines(chunks: Iterator[Block]) -> Iterator[Block]:
    """Cut a stream into blocks of whole lines; a record that damage cuts off is part of the damage."""
    carried: list[bytes] = []
    for chunk in chunks:
        if isinstance(chunk, Damage):
            yield from _cut_off(b"".join(carried), chunk)
            return
        whole, newline, rest = chunk.rpartition(b"\n")
        if newline:
            yield b"".join([*carried, whole, newline])
            carried = [rest]
        else:
            carried.append(chunk)
    last = b"".join(carried)
    if last:
        yield last + b"\n"


def _cut_off(line: bytes, damage: Damage) -> Iterator[Block]:
    """Keep the whole records of the line before the damage; what has a text of its own cut nothing off."""
    end = len(line) if damage.raw else _end_of_records(line)
    is_kept = bool(line[:end].strip())
    if is_kept:
        yield line[:end] + b"\n"
    doubtful = None if damage.doubtful is None else damage.doubtful + is_kept
    yield replace(damage, raw=damage.raw or _as_raw(line[end:]), doubtful=doubtful)


def _end_of_records(line: bytes) -> int:
    """Tell where the last whole record of a line ends."""
    end = depth = 0
    for token in TOKENS.finditer(line):
        depth += DEPTH.get(token[0], 0)
        if depth == 0 and token[0] == b"}":
            end = token.end()
    return end


def _as_raw(line: bytes) -> str | bytes:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return base64.b64encode(line)


def not_utf8(line: bytes, record: bytes) -> Damage | None:
    """Say where a line is not UTF-8, if it is not, and what record is damaged by that."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text: {error.reason} at byte {error.start + 1} of the line"
        return Damage("bad_encoding", message, base64.b64encode(record.rstrip(b"\n")))
    return None


def join_records(blocks: Iterator[Block]) -> Iterator[Block]:
    """Put each record that reaches over several lines onto its first one, be they JSON or rows of a table."""
    lines = _single_lines(blocks)
    for line in lines:
        if isinstance(line, Damage) or not line.strip():
            yield line
            continue
        first: bytes | None = line
        if not _opens(line):
            first = yield from _join_rows(chain([line], lines))
        if first is not None:
            yield from _join_json(chain([first], lines))


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


def _join_json(lines: Iterator[Block], *, arrays: bool = True) -> Iterator[Block]:
    """Put each record that reaches over several lines onto its first one; the line numbers stay.

    A record ends where its brackets are balanced. An object that never ends, or reaches to where the next record
    begins, is put together too, for the careful reader to refuse it as one; of such an array the elements are.
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
    if waiting:
        yield from _broken_off(waiting)


def _opens(line: bytes) -> bool:
    return line.lstrip(BLANKS).startswith(OPENING) or _is_form(line)


def _is_form(line: bytes) -> bool:
    return FORM.match(line.lstrip(BLANKS)) is not None


def _is_array(line: bytes) -> bool:
    return line.lstrip(BLANKS).startswith(b"[")


def _is_full(waiting: list[bytes]) -> bool:
    return len(waiting) >= (
        ARRAY_LINES_MAX if _is_array(waiting[0]) or _is_form(waiting[0]) else JOIN_LINES_MAX
    )


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


def _single_lines(blocks: Iterator[Block]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Damage):
            yield block
        else:
            yield from (line + b"\n" for line in block.removesuffix(b"\n").split(b"\n"))


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
