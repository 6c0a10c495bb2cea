"""One bucket of S3: its list, its objects, whole or in ranges, and what is put there, each call repeated where that helps."""

from __future__ import annotations

import hashlib
import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

from translate.stores import Listed, StoreRefusedError
from translate.stores.access import (
    NOTHING,
    UNREACHABLE,
    Access,
    BucketAddress,
    Connections,
    current,
    encoded_path,
    encoded_query,
)  # fmt: skip
from translate.stores.refusals import fault_of, told

ATTEMPTS = 8
FIRST_WAIT_SECONDS = 0.1
WAIT_SECONDS_MAX = 20.0
LISTED = "{http://s3.amazonaws.com/doc/2006-03-01/}"
PIECE = 1 << 20
BROKEN_OFF = "the store breaks its list off, and does not say how it goes on; it has to know lists of version 2 (ListObjectsV2)"
NO_ROOM = "what comes from there cannot be written ({reason}); make room, or say TMPDIR, and repeat the call: it resumes"
OTHER_RANGE = (
    "the store answers with other bytes than those asked for; it has to know ranges of objects (Range)"
)
REDIRECTS = (
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.BAD_REQUEST,
)


Answer = tuple[http.client.HTTPMessage | Mapping[str, str], bytes]  # headers are asked for in small letters


@dataclass
class Bucket:
    """A bucket, as who asks may see it; `calls` counts what was asked, those that were repeated apart."""

    name: str
    access: Access
    calls: Counter[str] = field(default_factory=Counter)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _region: str | None = None

    def __repr__(self) -> str:
        return f"Bucket({self.name!r})"

    # -- what is there ------------------------------------------------------------------------------------------

    def listed(self, prefix: str, most: int | None = None) -> Iterator[Listed]:
        """List the objects below a prefix, a thousand a call."""
        query = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
        if most is not None:
            query["max-keys"] = str(most)
        while True:
            _, body = self._call("LIST", "", query)
            page = ET.fromstring(body)  # noqa: S314  a service's own answer
            space = page.tag.partition("ListBucketResult")[0]
            is_encoded = page.findtext(f"{space}EncodingType") == "url"
            for entry in page.iter(f"{space}Contents"):
                about = {member.tag[len(space) :]: member.text or "" for member in entry}
                key = unquote_plus(about["Key"]) if is_encoded else about["Key"]
                yield Listed(key, int(about.get("Size") or 0), about.get("ETag", ""))
            token = page.findtext(f"{space}NextContinuationToken")
            if most is None and not token and page.findtext(f"{space}IsTruncated") == "true":
                raise StoreRefusedError("broken off", BROKEN_OFF)
            if not token or most is not None:
                return
            query["continuation-token"] = token

    def read(self, key: str) -> bytes | None:
        """Read a small object; nothing where there is none."""
        try:
            return self._call("GET", key, {})[1]
        except StoreRefusedError as error:
            if error.code == "NoSuchKey":
                return None
            raise

    def fetch(self, key: str, tag: str, take: Callable[[int, bytes], object], first: int = 0, count: int | None = None) -> None:  # fmt: skip
        """Read an object, or a range of it, with one call; `take` gets each piece with its place, after a repetition anew."""
        headers = {"If-Match": tag} if tag else {}
        if count is not None:
            headers["Range"] = f"bytes={first}-{first + count - 1}"

        def read(answer: http.client.HTTPResponse) -> bytes:
            place = first
            is_range = answer.status == HTTPStatus.PARTIAL_CONTENT
            while (is_range or count is None) and (piece := answer.read(PIECE)):
                try:
                    take(place, piece)
                except OSError as error:
                    self._connections.drop()
                    why = NO_ROOM.format(reason=error.strerror or error)
                    raise StoreRefusedError("no room", why) from None
                place += len(piece)
            if count is not None and place - first + (answer.length or 0) != count:
                self._connections.drop()
                raise StoreRefusedError("other range", OTHER_RANGE)
            if answer.length:
                raise http.client.IncompleteRead(b"", answer.length)
            return b""

        self._call("GET", key, {}, headers, read=read)

    # -- what is put there --------------------------------------------------------------------------------------

    def put(self, key: str, body: bytes, headers: Mapping[str, str] | None = None) -> str:
        """Put an object in one piece; give its tag."""
        answer, _ = self._call("PUT", key, {}, headers or {}, body)
        return answer.get("etag", "")

    def begin_upload(self, key: str, headers: Mapping[str, str]) -> str:
        """Begin an object that comes in parts; give the upload's id. Nothing is there until it is closed."""
        _, body = self._call("POST", key, {"uploads": ""}, headers, b"")
        return _text_of(body, "UploadId")

    def put_part(self, key: str, upload: str, number: int, body: bytes) -> str:
        """Put one part; give its tag."""
        answer, _ = self._call("PUT", key, {"partNumber": str(number), "uploadId": upload}, {}, body)
        return answer.get("etag", "")

    def close_upload(self, key: str, upload: str, tags: list[str]) -> str:
        """Have the parts become the object, in one step; give its tag."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
            for number, tag in enumerate(tags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()

        def read(answer: http.client.HTTPResponse) -> bytes:
            told = answer.read()
            if b"<Error>" in told:  # S3 answers 200 before it knows
                raise http.client.HTTPException(fault_of(answer.status, told, {}).code)
            return told

        _, answer = self._call("POST", key, {"uploadId": upload}, {}, body, read=read)
        return _text_of(answer, "ETag")

    def begun_uploads(self, prefix: str) -> list[tuple[str, str]]:
        """List the uploads below a prefix that were begun and neither closed nor aborted: key and id."""
        _, body = self._call("LIST", "", {"uploads": "", "prefix": prefix})
        found = []
        for upload in ET.fromstring(body).iter():  # noqa: S314  a service's own answer
            if upload.tag.endswith("}Upload") or upload.tag == "Upload":
                about = {member.tag.rpartition("}")[2]: member.text or "" for member in upload}
                found.append((about["Key"], about["UploadId"]))
        return found

    def abort_upload(self, key: str, upload: str) -> None:
        """Give the parts of an upload up."""
        self._call("DELETE", key, {"uploadId": upload})

    def remove(self, key: str) -> None:
        """Remove an object; one that is not there is removed already."""
        self._call("DELETE", key, {})

    # -- a call -------------------------------------------------------------------------------------------------

    def _call(
        self, kind: str, key: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None,
        body: bytes | None = None, read: Callable[[http.client.HTTPResponse], bytes] = http.client.HTTPResponse.read,
    ) -> Answer:  # fmt: skip
        """Ask until there is an answer, or a refusal that stays; raise StoreRefusedError."""
        for attempt in range(1, ATTEMPTS + 1):
            self._count(kind if attempt == 1 else "repeated")
            place = self._place
            try:
                answer = self._ask(kind, key, query, headers or {}, body)
                if answer.status < HTTPStatus.MULTIPLE_CHOICES:
                    return answer.headers, read(answer)
                fault = fault_of(answer.status, answer.read(), answer.headers)
            except UNREACHABLE as error:
                self._connections.drop()
                if attempt == ATTEMPTS:
                    reason = str(error) or type(error).__name__
                    raise StoreRefusedError(
                        "unreachable", f"{self._place.address} cannot be reached ({reason}); check the network, and repeat the call"
                    ) from None  # fmt: skip
                _wait(attempt)
                continue
            if answer.status in REDIRECTS and attempt < ATTEMPTS and self._follow(place, fault.region):
                continue
            if not fault.is_passing or attempt == ATTEMPTS:
                raise StoreRefusedError(fault.code, told(
                    fault, kind, self.name, key, who=self._who, region=self._place.region, attempts=ATTEMPTS
                ))  # fmt: skip
            _wait(attempt)
        raise AssertionError

    def _ask(
        self, kind: str, key: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        place, connections = self._place, self._connections
        verb = "GET" if kind == "LIST" else kind
        path, asked = encoded_path(place.path + key), encoded_query(query)
        given = {**headers, **({"x-amz-request-payer": "requester"} if self.access.request_payer else {})}
        made: Mapping[str, str] = {}
        if self.access.sign_requests:
            signer = self.access.signer(place.region, place.service)
            if signer is None:
                raise StoreRefusedError("no credentials", (
                    f"no AWS credentials were found (looked for: {self.access.looked_for}); name them, or say "
                    "--no-sign-request if the bucket is open to all"
                ))  # fmt: skip
            digest = NOTHING if body is None else _digest(body)
            made = signer.sign(verb, connections.host, path, asked, given, digest)
        return connections.ask(verb, f"{path}?{asked}" if asked else path, {**given, **made}, body)

    @property
    def _who(self) -> str:
        signer = self.access.signer(self._place.region, self._place.service)
        return f"the access key {signer.access_key}" if signer else "who does not sign"

    def _follow(self, place: BucketAddress, region: str) -> bool:
        """Turn to the region where the bucket is, if that is another one than was asked, and no endpoint was named."""
        if not region or region == place.region or place.is_own:
            return False
        with self._guard:
            self._region = region
            self.__dict__.pop("_place", None)
            self.__dict__.pop("_connections", None)
        return True

    @cached_property
    def _place(self) -> BucketAddress:
        return self.access.place(self.name, self._region)

    @cached_property
    def _connections(self) -> Connections:
        return Connections(self._place.address)

    def _count(self, what: str) -> None:
        with self._guard:
            self.calls[what] += 1


def _text_of(body: bytes, name: str) -> str:
    members = ET.fromstring(body).iter()  # noqa: S314  a service's own answer
    return next((member.text or "" for member in members if member.tag.endswith(name)), "")


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _wait(attempt: int) -> None:
    most = min(FIRST_WAIT_SECONDS * 2 ** (attempt - 1), WAIT_SECONDS_MAX)
    time.sleep(most * random.uniform(0.5, 1))  # noqa: S311  so that not all come again at once


def bucket_of(name: str) -> Bucket:
    """Give a bucket, as who asks now may see it."""
    return Bucket(name, current())
