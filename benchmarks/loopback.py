"""An S3 of this machine that counts its requests and misbehaves as told: python benchmarks/loopback.py [FOLDER] [--keys N].

It speaks as much of S3 as a reader and a writer of archives need: lists, whole objects and ranges, conditions, uploads
in parts. It checks no signature. Objects are the files below FOLDER in the bucket `archive`, or N synthetic keys in
hourly folders whose body is one file, in the bucket `synthetic`; what is put stays in memory. It prints its port.

What it was asked, and what it is to do wrong, goes by way of `/_told` (GET) and `/_faults` (PUT): a list of faults as
`{"verb": "GET", "every": 10, "do": "503"}`, where `do` is a status, `cut` (half of an answer, then the end), `reset`
(nothing), `hold` (no answer ever, and nothing done), `mute` (done, and no answer ever), or
`{"status": 403, "code": "AccessDenied"}`; `key` and `times` say which keys it is for, and how often, and `header` which
calls: those that carry it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus, unquote
from xml.sax.saxutils import escape

PAGE = 1000
MODIFIED = "2016-05-01T00:00:00.000Z"
MODIFIED_HTTP = "Sun, 01 May 2016 00:00:00 GMT"
SYNTHETIC, ARCHIVE = "synthetic", "archive"
REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 404: "Not Found", 412: "Precondition Failed"}


@dataclass
class Store:
    """What the buckets hold, and what was asked."""

    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    folder: Path | None = None
    synthetic: int = 0
    body: bytes = b""
    faults: list[dict[str, object]] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)  # by verb and key: for tests
    uploads: dict[str, tuple[str, str, dict[int, bytes]]] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  # those that an object came with
    _names: dict[str, list[str]] = field(default_factory=dict)

    def names(self, bucket: str, prefix: str, after: str) -> Iterator[tuple[str, int, str]]:
        """Give key, size and tag of what lies below a prefix, from after a key on."""
        if bucket == SYNTHETIC:
            tag = _tag(self.body)
            first = int(after.rpartition("-")[2].partition(".")[0]) + 1 if after else 0
            for number in range(first, self.synthetic):
                key = synthetic_key(number)
                if key.startswith(prefix):
                    yield key, len(self.body), tag
            return
        names = self._sorted(bucket)
        for key in names[bisect_right(names, after) if after else 0 :]:
            if key.startswith(prefix):
                body = self.read(bucket, key) or b""
                yield key, len(body), _tag(body)

    def _sorted(self, bucket: str) -> list[str]:
        if bucket == ARCHIVE and self.folder is not None:
            if bucket not in self._names:
                found = (path for path in self.folder.rglob("*") if path.is_file())
                self._names[bucket] = sorted(path.relative_to(self.folder).as_posix() for path in found)
            return self._names[bucket]
        return sorted(self.buckets.get(bucket, ()))

    def read(self, bucket: str, key: str) -> bytes | None:
        """Give an object's bytes."""
        if bucket == SYNTHETIC:
            return self.body
        if bucket == ARCHIVE and self.folder is not None:
            file = self.folder / key
            return file.read_bytes() if file.is_file() else None
        return self.buckets.get(bucket, {}).get(key)

    def has(self, bucket: str) -> bool:
        """Tell whether there is such a bucket."""
        return bucket in self.buckets or (bucket, bool(self.synthetic)) == (SYNTHETIC, True) or (
            bucket == ARCHIVE and self.folder is not None
        )  # fmt: skip


def synthetic_key(number: int) -> str:
    """Name a synthetic object: 100 an hour."""
    hours = number // 100
    return f"{2016 + hours // 8064}/{hours // 672 % 12 + 1:02}/{hours // 24 % 28 + 1:02}/{hours % 24:02}/part-{number:08}.gz"


def _tag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


class _Connection(asyncio.Protocol):
    def __init__(self, store: Store) -> None:
        self.store = store
        self.waiting = b""
        self.is_mute = False
        self.transport: asyncio.Transport = None  # type: ignore[assignment]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while True:
            head, found, rest = self.waiting.partition(b"\r\n\r\n")
            if not found:
                return
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                if headers.get("expect") and not rest:
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            self.waiting = rest[length:]
            verb, target, _ = first.split(" ")
            self._answer(verb, target, headers, rest[:length])

    def _answer(self, verb: str, target: str, headers: dict[str, str], body: bytes) -> None:
        path, _, query_text = target.partition("?")
        if path == "/_told":
            said = {
                "told": self.store.told,
                "asked": self.store.asked,
                "headers": self.store.headers,
                "uploads": len(self.store.uploads),
            }
            self._send(200, json.dumps(said).encode())
            return
        if path == "/_faults":
            self.store.faults = json.loads(body)
            self.store.told.clear()
            self.store.asked.clear()
            self._send(200, b"")
            return
        bucket, _, key = unquote(path[1:]).partition("/")
        query = dict(parse_qsl(query_text, keep_blank_values=True))
        kind = "LIST" if verb == "GET" and not key else verb
        self.store.told[kind] += 1
        self.store.asked[f"{kind} {bucket}/{key}{' ' + headers['range'] if 'range' in headers else ''}"] += 1
        self.store.headers[kind] = headers
        fault = self._fault(kind, key, headers)
        if isinstance(fault, dict):
            extra = {"x-amz-bucket-region": str(fault["region"])} if "region" in fault else {}
            self._refuse(
                int(fault["status"]), str(fault["code"]), str(fault.get("message", "told to")), extra
            )
        elif fault == "reset":
            self.transport.abort()
        elif fault == "hold":
            self.is_mute = True
        elif fault and fault not in ("cut", "mute"):
            self._refuse(int(fault), "SlowDown" if str(fault) == "503" else "InternalError", "told to")
        else:
            self.is_mute = self.is_mute or fault == "mute"
            self._serve(kind, bucket, key, query, headers, body, cut=fault == "cut")

    def _fault(self, kind: str, key: str, headers: dict[str, str]) -> object:
        for fault in self.store.faults:
            if fault["verb"] != kind or str(fault.get("key", "")) not in key:
                continue
            if "header" in fault and fault["header"] not in headers:
                continue
            seen = fault["seen"] = int(fault.get("seen", 0)) + 1  # type: ignore[call-overload]
            done = int(fault.get("done", 0))  # type: ignore[call-overload]
            if seen % int(fault.get("every", 1)) == 0 and done < int(fault.get("times", 1 << 60)):  # type: ignore[call-overload]
                fault["done"] = done + 1
                self.store.told["faults"] += 1
                return fault["do"]
        return None

    def _serve(
        self, kind: str, bucket: str, key: str, query: dict[str, str], headers: dict[str, str], body: bytes, *, cut: bool
    ) -> None:  # fmt: skip
        if kind == "PUT" and not key:
            self.store.buckets.setdefault(bucket, {})
            self._send(200, b"")
        elif not self.store.has(bucket):
            self._refuse(404, "NoSuchBucket", "The specified bucket does not exist")
        elif kind == "LIST":
            self._list_uploads(bucket, query) if "uploads" in query else self._list(bucket, query)
        elif kind in ("GET", "HEAD"):
            self._get(kind, bucket, key, headers, cut=cut)
        elif kind == "DELETE":
            if "uploadId" in query:
                self.store.uploads.pop(query["uploadId"], None)
            else:
                self.store.buckets[bucket].pop(key, None)
            self._send(204, b"")
        else:
            self._write(kind, bucket, key, query, headers, body, cut=cut)

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        prefix, after = query.get("prefix", ""), query.get("continuation-token", query.get("start-after", ""))
        most = min(int(query.get("max-keys", PAGE)), PAGE)
        found = []
        more = False
        for entry in self.store.names(bucket, prefix, after):
            if len(found) == most:
                more = True
                break
            found.append(entry)
        is_encoded = query.get("encoding-type") == "url"
        contents = "".join(
            f"<Contents><Key>{quote_plus(key, safe='/') if is_encoded else escape(key)}</Key><LastModified>{MODIFIED}</LastModified><ETag>{escape(tag)}</ETag>"
            f"<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for key, size, tag in found
        )
        token = f"<NextContinuationToken>{escape(found[-1][0])}</NextContinuationToken>" if more else ""
        self._send(200, (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(found)}</KeyCount><MaxKeys>{most}</MaxKeys>"
            f"{'<EncodingType>url</EncodingType>' if is_encoded else ''}"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"
        ).encode())  # fmt: skip

    def _list_uploads(self, bucket: str, query: dict[str, str]) -> None:
        begun = "".join(
            f"<Upload><Key>{escape(key)}</Key><UploadId>{name}</UploadId></Upload>"
            for name, (held_in, key, _) in self.store.uploads.items()
            if held_in == bucket and key.startswith(query.get("prefix", ""))
        )
        self._send(200, f"<ListMultipartUploadsResult>{begun}</ListMultipartUploadsResult>".encode())

    def _get(self, kind: str, bucket: str, key: str, headers: dict[str, str], *, cut: bool) -> None:
        body = self.store.read(bucket, key)
        if body is None:
            self._refuse(404, "NoSuchKey", "The specified key does not exist.")
            return
        tag = _tag(body)
        if headers.get("if-match", tag) != tag:
            self._refuse(
                412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
            )
            return
        extra = {"ETag": tag, "Last-Modified": MODIFIED_HTTP, "Accept-Ranges": "bytes"}
        status, whole = 200, body
        if "range" in headers:
            first, _, last = headers["range"].removeprefix("bytes=").partition("-")
            begin, end = int(first), min(int(last or len(body) - 1), len(body) - 1)
            extra["Content-Range"] = f"bytes {begin}-{end}/{len(body)}"
            status, body = 206, whole[begin : end + 1]
        self._send(status, body, extra, is_head=kind == "HEAD", cut=cut)

    def _write(
        self, kind: str, bucket: str, key: str, query: dict[str, str], headers: dict[str, str], body: bytes, *, cut: bool
    ) -> None:  # fmt: skip
        if query.get("uploadId", "") not in ("", *self.store.uploads):
            self._refuse(404, "NoSuchUpload", "The specified upload does not exist.")
            return
        if headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
            body = _unchunked(body)
        if kind == "POST" and "uploads" in query:
            name = f"upload-{len(self.store.uploads)}-{os.urandom(4).hex()}"
            self.store.uploads[name] = (bucket, key, {})
            self.store.headers[f"{bucket}/{key}"] = _told_with(headers)
            self._send(200, f"<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><UploadId>{name}</UploadId></InitiateMultipartUploadResult>".encode(), cut=cut)  # fmt: skip
        elif kind == "PUT" and "partNumber" in query:
            self.store.uploads[query["uploadId"]][2][int(query["partNumber"])] = body
            self._send(200, b"", {"ETag": _tag(body)})
        elif headers.get("if-none-match") == "*" and self.store.read(bucket, key) is not None:
            self._refuse(
                412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
            )
        elif kind == "POST":
            _, _, parts = self.store.uploads.pop(query["uploadId"])
            whole = b"".join(parts[number] for number in sorted(parts))
            self.store.buckets[bucket][key] = whole
            self._send(200, f"<CompleteMultipartUploadResult><ETag>{escape(_tag(whole))}</ETag></CompleteMultipartUploadResult>".encode(), cut=cut)  # fmt: skip
        else:
            self.store.buckets[bucket][key] = body
            self.store.headers[f"{bucket}/{key}"] = _told_with(headers)
            self._send(200, b"", {"ETag": _tag(body)})

    def _refuse(self, status: int, code: str, message: str, extra: dict[str, str] | None = None) -> None:
        self._send(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode(), extra)

    def _send(
        self, status: int, body: bytes, extra: dict[str, str] | None = None, *, is_head: bool = False, cut: bool = False
    ) -> None:  # fmt: skip
        if self.is_mute:
            return
        lines = "".join(f"{name}: {value}\r\n" for name, value in (extra or {}).items())
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode()
        self.transport.write(head if is_head else head + (body[: len(body) // 2] if cut else body))
        if cut:
            self.transport.close()


def _told_with(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("x-amz-")}


def _unchunked(body: bytes) -> bytes:
    """Take an upload out of the chunks that AWS clients send."""
    found = []
    while body:
        head, _, body = body.partition(b"\r\n")
        size = int(head.partition(b";")[0], 16)
        if size == 0:
            break
        found.append(body[:size])
        body = body[size + 2 :]
    return b"".join(found)


async def serve(store: Store, said: asyncio.Future[int] | None = None, port: int = 0) -> None:
    """Serve until cancelled."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(store), "127.0.0.1", port, backlog=256)
    chosen = server.sockets[0].getsockname()[1]
    if said is not None:
        said.set_result(chosen)
    else:
        print(chosen, flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def served(store: Store) -> Iterator[str]:
    """Serve beside a test; give the address."""
    loop = asyncio.new_event_loop()
    said = loop.create_future()
    task = loop.create_task(serve(store, said))
    beside = threading.Thread(target=_run, args=(loop, task), daemon=True)
    beside.start()
    while not said.done():
        beside.join(0.005)
    try:
        yield f"http://127.0.0.1:{said.result()}"
    finally:
        loop.call_soon_threadsafe(task.cancel)
        beside.join()


def _run(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--keys", type=int, default=0)
    parser.add_argument("--body", type=Path, help="what each synthetic key holds")
    parser.add_argument("--bucket", action="append", default=[], help="an empty bucket")
    parser.add_argument("--port", type=int, default=0)
    told = parser.parse_args()
    body = told.body.read_bytes() if told.body else b""
    store = Store({name: {} for name in told.bucket}, told.folder, told.keys, body)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(store, port=told.port))


if __name__ == "__main__":
    main()
