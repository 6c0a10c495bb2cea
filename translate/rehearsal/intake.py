"""Bodies of requests, taken in piece by piece: with a length, or in chunks."""

from __future__ import annotations

KEPT_BYTES_MAX = 8 << 20  # twice the largest limit of the five: what is beyond is counted and let go
TAKEN_BYTES_MAX = 256 << 20
CHUNK_LINE_MAX = 4096


class Malformed(Exception):  # noqa: N818 - it names the request, not a fault of this program
    """A request that breaks HTTP's rules; the connection ends with it."""

    def __init__(self, status: int = 400) -> None:
        super().__init__(status)
        self.status = status


class Intake:
    """A body that is coming in; `bytes` is what was sent so far, `body` what was kept of it."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.bytes = 0

    def feed(self, buffer: bytearray) -> bool:
        """Take from the buffer what belongs to the body; tell whether the body is complete."""
        raise NotImplementedError

    def _take(self, buffer: bytearray, count: int) -> None:
        self.bytes += count
        if self.bytes > TAKEN_BYTES_MAX:
            raise Malformed(413)
        if self.bytes <= KEPT_BYTES_MAX:
            self.body += buffer[:count]
        else:
            self.body.clear()
        del buffer[:count]


class Sized(Intake):
    """A body whose length was told."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._left = length

    def feed(self, buffer: bytearray) -> bool:
        """Take up to the length that was told."""
        count = min(len(buffer), self._left)
        if count:
            self._take(buffer, count)
            self._left -= count
        return not self._left


class Chunked(Intake):
    """A body in chunks: sizes in hexadecimal digits, an empty chunk, and trailers, which are let go."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 0
        self._begun = self._ended = False

    def feed(self, buffer: bytearray) -> bool:
        """Take whole lines and as much of a chunk as is there."""
        while True:
            if self._left:
                count = min(len(buffer), self._left)
                if not count:
                    return False
                self._take(buffer, count)
                self._left -= count
                continue
            line = self._line(buffer)
            if line is None:
                return False
            if self._ended and not line:
                return True
            if self._ended:
                continue  # a trailer
            if self._begun:  # the end of the chunk's line
                if line:
                    raise Malformed
                self._begun = False
                continue
            self._open(line)

    def _open(self, line: bytes) -> None:
        digits = line.split(b";")[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise Malformed
        self._left = int(digits, 16)
        self._begun, self._ended = self._left > 0, not self._left

    @staticmethod
    def _line(buffer: bytearray) -> bytes | None:
        end = buffer.find(b"\n")
        if end > CHUNK_LINE_MAX or (end < 0 and len(buffer) > CHUNK_LINE_MAX):
            raise Malformed
        if end < 0:
            return None
        line = bytes(buffer[:end]).rstrip(b"\r")
        del buffer[: end + 1]
        return line


def intake_of(headers: dict[str, str]) -> Intake:
    """Choose how a request's body is taken in, by its headers."""
    coding = headers.get("transfer-encoding", "").strip().lower()
    if coding:
        if coding != "chunked":
            raise Malformed(501)
        if "content-length" in headers:  # two lengths are how requests are smuggled
            raise Malformed
        return Chunked()
    length = headers.get("content-length", "0").strip()
    if not (length.isascii() and length.isdigit()):
        raise Malformed
    return Sized(int(length))
