"""Files on their way into a bucket, where each appears complete, in one step, or not at all; and on their way back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from translate.stores.bucket import Bucket, Listed
from translate.stores.refusals import StoreRefusedError

PIECE_BYTES = 16 * 2**20
PIECES_MAX = 10_000  # S3 takes no more
TOGETHER = 4
OWNER_ONLY = 0o600
NO_ACL = "AccessControlListNotSupported"  # the bucket's owner owns whatever lies there


@dataclass(frozen=True)
class Encryption:
    """How the store is to encrypt what it is given, as the AWS CLI says it."""

    sse: str | None = None
    kms_key_id: str | None = None

    def headers(self) -> dict[str, str]:
        """Give the headers that say so."""
        told = {
            "x-amz-server-side-encryption": self.sse,
            "x-amz-server-side-encryption-aws-kms-key-id": self.kms_key_id,
        }
        return {name: value for name, value in told.items() if value}


def upload(
    bucket: Bucket, key: str, file: Path, headers: Mapping[str, str], *, is_private: bool = False
) -> str:
    """Put a file, a large one in pieces side by side; give its tag. Raise StoreRefusedError, with nothing left behind."""
    if is_private:
        try:
            return upload(bucket, key, file, {**headers, "x-amz-acl": "private"})
        except StoreRefusedError as error:
            if error.code != NO_ACL:
                raise
    size = file.stat().st_size
    if size <= PIECE_BYTES:
        return bucket.put(key, file.read_bytes(), headers)
    return _in_pieces(bucket, key, file, size, headers)


def download(bucket: Bucket, key: str, file: Path) -> None:
    """Bring an object as it lies there now, a large one in pieces side by side; raise StoreRefusedError."""
    gone = Listed(key, 0, "", "")  # which the store says in its own words
    about = next((entry for entry in bucket.listed(key, 1) if entry.key == key), gone)
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as content:
        content.truncate(about.bytes)

        def take(place: int, piece: bytes) -> None:
            os.pwrite(content.fileno(), piece, place)

        def fetch(first: int) -> None:
            count = None if about.bytes <= PIECE_BYTES else min(PIECE_BYTES, about.bytes - first)
            bucket.fetch(key, about.tag, take, first, count)

        with ThreadPoolExecutor(TOGETHER) as workers:
            list(workers.map(fetch, range(0, about.bytes or 1, PIECE_BYTES)))


def _in_pieces(bucket: Bucket, key: str, file: Path, size: int, headers: Mapping[str, str]) -> str:
    piece_bytes = max(PIECE_BYTES, -(-size // PIECES_MAX))
    begun = bucket.begin_upload(key, headers)

    def put(number: int) -> str:
        with file.open("rb") as content:
            content.seek(number * piece_bytes)
            return bucket.put_part(key, begun, number + 1, content.read(piece_bytes))

    workers = ThreadPoolExecutor(TOGETHER)
    try:
        tags = list(workers.map(put, range(-(-size // piece_bytes))))
        return bucket.close_upload(key, begun, tags)
    except BaseException:
        workers.shutdown(cancel_futures=True)  # what arrives after the end would stay, and cost
        with contextlib.suppress(StoreRefusedError):
            bucket.abort_upload(key, begun)
        raise
    finally:
        workers.shutdown()
