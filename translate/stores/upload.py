"""Files on their way into a bucket: each appears there complete, in one step, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from translate.stores.bucket import Bucket
from translate.stores.refusals import StoreRefusedError

PIECE_BYTES = 16 * 2**20
PIECES_MAX = 10_000  # S3 takes no more
TOGETHER = 4
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
