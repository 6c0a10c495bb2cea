"""Who asks a store, and where it is, as the AWS CLI takes and finds it; how each call is signed (Signature Version 4), and over what it goes."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any
from urllib.parse import quote, urlsplit

from translate.errors import UsageError
from translate.stores import said

ALGORITHM = "AWS4-HMAC-SHA256"
NOTHING = hashlib.sha256(b"").hexdigest()
PATH_SAFE = "/~"
BUCKET_NAME = re.compile(r"arn:.+|[A-Za-z0-9._-]{1,255}")


@dataclass(frozen=True)
class Signer:
    """Signs calls of one service in one region by one key; the key of a day is made once."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
    region: str
    service: str
    _keys: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def sign(
        self, verb: str, host: str, path: str, query: str, headers: Mapping[str, str], payload: str = NOTHING
    ) -> dict[str, str]:
        """Give the headers that a call needs beside those given: path and query are percent-encoded and sorted already."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        made = {"x-amz-date": moment}
        if self.service == "s3":
            made["x-amz-content-sha256"] = payload
        if self.token:
            made["x-amz-security-token"] = self.token
        given = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        signed = {"host": host, **given, **made}
        names = sorted(signed)
        listed = ";".join(names)
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        canonical = f"{verb}\n{path}\n{query}\n{lines}\n{listed}\n{payload}"
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key(moment[:8]), text.encode(), "sha256").hex()
        made["Authorization"] = (
            f"{ALGORITHM} Credential={self.access_key}/{scope}, SignedHeaders={listed}, Signature={signature}"
        )
        return made

    def _key(self, day: str) -> bytes:
        key = self._keys.get(day)
        if key is None:
            key = f"AWS4{self.secret_key}".encode()
            for part in (day, self.region, self.service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._keys.clear()
            self._keys[day] = key
        return key


def encoded_path(path: str) -> str:
    """Percent-encode a path as S3 signs it."""
    return quote(path, safe=PATH_SAFE)


def encoded_query(query: Mapping[str, str]) -> str:
    """Percent-encode a query in the order in which it is signed."""
    return "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))


# -- who asks, and where: profile, region, endpoint and credentials ------------------------------------------

REGION = "us-east-1"  # where one is needed and none is named, as botocore has it
SIGNED_FOR = "X-Amz-Credential="


@dataclass(frozen=True)
class Access:
    """What a call says of it; the rest comes from the environment and from the files of the AWS CLI."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    request_payer: bool = False
    sign_requests: bool = True

    @cached_property
    def _session(self) -> Any:
        import botocore.session  # noqa: PLC0415  slow to import, and few runs need it
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        try:
            session = botocore.session.Session(profile=self.profile)
            session.get_scoped_config()
        except BotoCoreError as error:
            raise UsageError(f"{error}; name a profile of ~/.aws/config, or leave --profile out") from None
        return session

    @cached_property
    def _credentials(self) -> Any:
        return self._session.get_credentials() if self.sign_requests else None

    def signer(self, region: str, service: str) -> Signer | None:
        """Give who signs, with credentials that are valid now; None where there are none, or none are wanted."""
        if self._credentials is None:
            return None
        held = self._credentials.get_frozen_credentials()
        return _signer(held.access_key, held.secret_key, held.token, region, service)

    def place(self, bucket: str, region: str | None = None) -> BucketAddress:
        """Find where a bucket answers; raise UsageError for what can be no bucket's name or no endpoint."""
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        if not BUCKET_NAME.fullmatch(bucket):
            raise UsageError(f's3://{bucket}: "{bucket}" can be no bucket; write s3://bucket/prefix')
        try:
            # Nobody signs in here, so that a machine without credentials finds the way, too.
            client = self._session.create_client(
                "s3", region_name=region or self.region, endpoint_url=self.endpoint_url,
                aws_access_key_id="NOBODY", aws_secret_access_key="NOTHING",  # noqa: S106
                config=Config(signature_version="s3v4"),
            )  # fmt: skip
            url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "KEY"})
        except (BotoCoreError, ValueError) as error:
            raise UsageError(f"s3://{bucket}: {error}") from None
        parts = urlsplit(url)
        _, _, signed_region, service, _ = parts.query.partition(SIGNED_FOR)[2].partition("&")[0].split("%2F")
        is_own = bool(self.endpoint_url) or not (parts.hostname or "").rstrip(".").endswith(
            (".amazonaws.com", ".amazonaws.com.cn")
        )
        return BucketAddress(
            f"{parts.scheme}://{parts.netloc}", parts.path.removesuffix("KEY"), signed_region, service, is_own
        )

    @property
    def looked_for(self) -> str:
        """Say where credentials were looked for."""
        profile = self._session.get_config_variable("profile") or "default"
        return (
            f'AWS_ACCESS_KEY_ID in the environment, the profile "{profile}" in ~/.aws/credentials and ~/.aws/config, '
            "a web identity, a container's role, an instance's role"
        )


@dataclass(frozen=True)
class BucketAddress:
    """Where a bucket answers: address, path before the key, the region and service that calls are signed for."""

    address: str
    path: str
    region: str
    service: str
    is_own: bool  # an endpoint that somebody named: no region leads to another one


@cache
def _signer(access_key: str, secret_key: str, token: str | None, region: str, service: str) -> Signer:
    return Signer(access_key, secret_key, token, region, service)


def current() -> Access:
    """Give what this process was told last."""
    return Access(**said)


# -- connections that stay open, one to each thread that asks: TLS and proxies as botocore finds them -------

TIMEOUT_SECONDS = 60
USUAL_PORTS = {"https": 443, "http": 80}
UNREACHABLE = (OSError, http.client.HTTPException)  # what a connection raises; a call may be repeated

PLAIN_HEAD = re.compile(rb"HTTP/1\.1 (20[06])((?: [^\r\n]*)?)((?:\r\n[!-9;-~]+:[^\r\n]*)+)\r\n\r\n")
UNPLAIN = {"transfer-encoding", "connection"}
LENGTH = re.compile("[0-9]{1,18}")
OF_SEVERAL_LINES = re.compile(r"[\r\n]")


class StoreAnswer(http.client.HTTPResponse):
    """An answer whose head is read here where it is plain and there at once: the library has a parser of mail read it, which takes a third of a small object's way."""

    def begin(self) -> None:
        """Read the head; leave what is not plain to the library."""
        head = PLAIN_HEAD.match(self.fp.peek())
        lines = head[3].decode("iso-8859-1").split("\r\n")[1:] if head else []
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = LENGTH.fullmatch(headers.get("content-length", ""))
        is_plain = len(headers) == len(lines) and UNPLAIN.isdisjoint(headers)
        if head is None or length is None or not is_plain:
            super().begin()
            return
        self.fp.read(head.end())
        self.version, self.status, self.reason = 11, int(head[1]), head[2].strip().decode("iso-8859-1")
        self.headers = self.msg = headers  # type: ignore[assignment]  # by their names in small letters
        self.length, self.chunked, self.will_close = int(length[0]), False, False


@dataclass(frozen=True)
class Connections:
    """Connections to one address; a thread has its own, so that none waits for another."""

    address: str  # scheme and host
    _here: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    @cached_property
    def host(self) -> str:
        """Name host and port as a call's headers do, which leave the usual port out."""
        parts = urlsplit(self.address)
        return parts.netloc.rpartition("@")[2].removesuffix(f":{USUAL_PORTS[parts.scheme]}").removesuffix(":")

    def ask(
        self, verb: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> http.client.HTTPResponse:
        """Send a call; give the answer, whose body the caller reads to its end. Raise one of UNREACHABLE."""
        told = {"Host": self.host, **headers, **({} if body is None else {"Content-Length": str(len(body))})}
        lines = [f"{name}: {value}" for name, value in told.items()]
        if any(map(OF_SEVERAL_LINES.search, lines)):
            raise ValueError("a header of several lines")
        head = "\r\n".join([f"{verb} {target} HTTP/1.1", *lines, "\r\n"]).encode("iso-8859-1")
        line = self._line()
        try:
            for piece in filter(None, (head, body)):
                line.sendall(piece)
            answer = self._here.answer = StoreAnswer(line, method=verb)
            answer.begin()
        except BaseException:  # an interruption, too: half a call is no beginning of the next one
            self.drop()
            raise
        if answer.will_close:
            self._here.__dict__.pop("line").close()  # the answer is read to its end all the same
        return answer

    def drop(self) -> None:
        """Close this thread's connection: what is left of an answer is not read."""
        for name in ("answer", "line"):
            if (held := self._here.__dict__.pop(name, None)) is not None:
                held.close()

    def _line(self) -> socket.socket:
        last: StoreAnswer | None = getattr(self._here, "answer", None)
        if last is not None and not last.isclosed():
            self.drop()  # what is left of it is no answer to the next call
        line: socket.socket | None = getattr(self._here, "line", None)
        if line is None:
            line = self._here.line = _connected(self.address)
        return line


def _connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    port = parts.port or USUAL_PORTS[parts.scheme]
    proxy = _proxy(address)
    host, at = (proxy.hostname or "", proxy.port or 80) if proxy else (parts.hostname or "", port)
    kind: Any = http.client.HTTPConnection
    if parts.scheme == "https":
        kind = partial(http.client.HTTPSConnection, context=_trust())
    connection = kind(host, at, timeout=TIMEOUT_SECONDS)
    if proxy:
        connection.set_tunnel(parts.hostname or "", port)
    connection.connect()
    line: socket.socket = connection.sock
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _proxy(address: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  urlsplit names its types for text and bytes
    from botocore.utils import get_environ_proxies  # noqa: PLC0415

    found = get_environ_proxies(address).get(urlsplit(address).scheme)
    return urlsplit(found if "://" in found else f"http://{found}") if found else None


def _trust() -> ssl.SSLContext:
    """Trust whom botocore trusts: the bundle that the environment names, or its own."""
    from botocore.httpsession import get_cert_path  # noqa: PLC0415

    named = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    return ssl.create_default_context(cafile=named or get_cert_path(verify=True))
