"""Signature Version 4 of a call, made with as little as it takes: a client's own way costs more than what it fetches."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
NOTHING = hashlib.sha256(b"").hexdigest()
PATH_SAFE = "/~"


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
        signed = {
            "host": host,
            **{name.lower(): " ".join(value.split()) for name, value in headers.items()},
            **made,
        }
        names = sorted(signed)
        listed = ";".join(names)
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        canonical = f"{verb}\n{path}\n{query}\n{lines}\n{listed}\n{payload}"
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{digest}"
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
