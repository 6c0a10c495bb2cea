"""A prefix of a bucket as the target: parts are made here, and go there when they are complete; books and state lie apart.

Below the prefix lie rows alone, for a pipeline to take them in. What a run needs to be resumed, its rejects and its
report lie below another prefix, or in a folder of this machine.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from translate.archive.copies import folder_of
from translate.conversion import persistence
from translate.conversion.output import DATA, FILES, JOB, REPORT, STATE, WITNESS, Output
from translate.errors import OutputError, UsageError
from translate.stores import Listed, StoreRefusedError
from translate.stores.bucket import Bucket, bucket_of
from translate.stores.transfers import PIECE_BYTES, Encryption, download, side_by_side, upload

SCHEME = "s3://"
BESIDE = "-translate"
BOOKS = (REPORT, FILES)
PRIVATE = ("rejects", "erased")
TAG = "etag"
SHOWN = "shown"  # of each file of data that appear as a whole: that it went there
SHOW_AGAIN = "remove this file, and the same call puts there again what it speaks of"


@dataclass(frozen=True)
class Prefix:
    """A place in a bucket, under which keys begin."""

    bucket: Bucket
    key: str

    @classmethod
    def of(cls, address: str, shown: str) -> Prefix:
        """Read `s3://bucket/prefix`; raise UsageError where no prefix is named."""
        name, _, key = address.removeprefix(SCHEME).partition("/")
        if not name or not key.strip("/"):
            raise UsageError(
                f"{address}: {shown} should name a bucket and a prefix in it, s3://bucket/prefix"
            )
        return cls(bucket_of(name), key.rstrip("/"))

    def __str__(self) -> str:
        """Write the address."""
        return f"{SCHEME}{self.bucket.name}/{self.key}"

    @property
    def beside(self) -> Prefix:
        """Name the prefix beside it, for what no pipeline should take in."""
        return replace(self, key=f"{self.key}{BESIDE}")


@dataclass(frozen=True)
class BucketTarget:
    """Where rows go, and where a run's books and state lie: below another prefix, or in a folder."""

    rows: Prefix
    books: Prefix | Path
    encryption: Encryption = field(default_factory=Encryption)

    @property
    def places(self) -> list[str]:
        """Name the places where a run writes."""
        return [str(self.rows), str(self.books)]

    def __str__(self) -> str:
        """Write the address of the rows."""
        return str(self.rows)

    def output(self, job: dict[str, Any], attempt: str) -> Output:
        """Give the output there."""
        return BucketOutput(self, job, attempt)


def target_of(out: str, state: str | None, encryption: Encryption) -> BucketTarget:
    """Read what a call says of a target in a bucket; raise UsageError."""
    rows = Prefix.of(out, "--out")
    if state is None:
        return BucketTarget(rows, rows.beside, encryption)
    if not state.startswith(SCHEME):
        return BucketTarget(rows, Path(state), encryption)
    books = Prefix.of(state, "--state")
    if books.bucket.name == rows.bucket.name and f"{books.key}/".startswith(f"{rows.key}/"):
        raise UsageError(
            f"--state {state}: lies below --out, and whoever takes that in would take rejects in, too"
        )
    return BucketTarget(rows, books, encryption)


class BucketOutput(Output):
    """A target in a bucket under construction: each part goes there in one step, its record after it."""

    kind = "prefix"

    def __init__(self, target: BucketTarget, job: dict[str, Any], attempt: str = "") -> None:
        self.target, self.data_address = target, f"{target.rows}/{DATA}"
        self._books = target.books if isinstance(target.books, Prefix) else None
        folder = folder_of(self) if isinstance(target.books, Prefix) else target.books
        super().__init__(folder, job, attempt)
        self._there: dict[str, tuple[int, str]] = {}  # size and tag of each part, as it was listed

    @property
    def shown(self) -> str:
        """Name the prefix of the rows."""
        return str(self.target)

    def place(self, name: str) -> str:
        """Say where a file of the books lies for whoever looks for it."""
        return f"{self._books}/{name}" if self._books else super().place(name)

    # -- the beginning ------------------------------------------------------------------------------------------

    def _claim(self) -> None:
        """Use a prefix where nothing is, or one that holds an unfinished run of the same job."""
        self.catch_up()
        is_begun = (self.state / JOB).exists()  # asked before: what is refused leaves no state of its own
        if self._there and not is_begun:
            raise UsageError(f"{self.target.rows}: is not empty; name a new or empty prefix")
        super()._claim()
        if self.resumed:
            self._abort_begun()

    def catch_up(self) -> None:
        """Take note of what lies there, whoever finished it."""
        rows = self.target.rows
        with self._told(rows):
            there = rows.bucket.listed(f"{rows.key}/")
            self._there = {entry.key: (entry.bytes, entry.tag) for entry in there}
        if self._books:
            self._fetch_state(self._books)

    def witness(self) -> str | None:
        """Read what lies there to prove that this place is reached."""
        if self._books is None:
            return super().witness()
        with self._told(self._books):
            held = self._books.bucket.read(f"{self._books.key}/{STATE}/{WITNESS}")
        return None if held is None else held.decode()

    def _fetch_state(self, books: Prefix) -> None:
        """Bring the state of an unfinished run here; whatever else lies there is for `_claim` to refuse."""

        def fetch(entry: Listed) -> None:
            name = entry.key.removeprefix(f"{books.key}/")
            place = self.directory / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if name.startswith(f"{STATE}/") and entry.bytes > PIECE_BYTES:
                download(books.bucket, entry.key, place)
            elif name.startswith(f"{STATE}/"):
                place.write_bytes(books.bucket.read(entry.key) or b"")
            else:
                place.touch()

        with self._told(books):
            side_by_side(fetch, books.bucket.listed(f"{books.key}/"))

    def _abort_begun(self) -> None:
        """Give up what was begun to upload, by a run that was killed or a call that was repeated: it would cost, and never appear."""
        for prefix in filter(None, (self.target.rows, self._books)):
            with contextlib.suppress(StoreRefusedError):  # not everybody may ask for that
                for key, begun in prefix.bucket.begun_uploads(f"{prefix.key}/"):
                    prefix.bucket.abort_upload(key, begun)

    # -- what goes there ----------------------------------------------------------------------------------------

    def _keep(self, file: Path, digest: str | None) -> dict[str, Any]:
        about = super()._keep(file, digest)
        if not self._is_part(file):
            self._put_book(file)
            return about
        key = self._key_of(file)
        with self._told(self.target.rows):
            tag = upload(self.target.rows.bucket, key, file, self.target.encryption.headers())
        file.unlink()
        self._there[key] = (about["bytes"], tag)
        return {**about, TAG: tag}

    def _is_kept(self, file: Path, about: dict[str, Any], *, trusted: bool = False) -> bool:
        if self._is_part(file):
            return self._there.get(self._key_of(file)) == (about["bytes"], about[TAG])
        return super()._is_kept(file, about, trusted=trusted)

    def _is_part(self, file: Path) -> bool:
        return file.is_relative_to(self.directory / DATA)

    def _key_of(self, part: Path) -> str:
        return f"{self.target.rows.key}/{part.relative_to(self.directory).as_posix()}"

    def show_whole(self, whole: Path) -> None:
        """Put data there that lie in a folder of their own, one file after the other, but for what a stopped run has put there."""
        super().show_whole(whole)
        files = sorted(file for file in (self.directory / DATA).rglob("*") if file.is_file())
        for number, file in enumerate(files):
            self._show(file, self.state / f"{SHOWN}-{number:05}.json")

    def _show(self, file: Path, record: Path) -> None:
        if record.exists():
            about = persistence.unsealed(record, SHOW_AGAIN)
            if self._is_kept(file, about) and about == {**persistence.described(file), TAG: about[TAG]}:
                file.unlink()
                return
        self.write_whole(record, persistence.sealed(self._keep(file, None)))

    def write_whole(self, file: Path, text: str) -> None:
        """Write a file of the books so that it appears only when it is complete, here and there."""
        super().write_whole(file, text)
        self._put_book(file)

    def _appear(self, whole: Path, place: Path) -> None:
        super()._appear(whole, place)
        self._put_book(place)

    def _put_book(self, file: Path) -> None:
        if self._books is None:
            return
        with self._told(self._books):
            key = f"{self._books.key}/{file.relative_to(self.directory).as_posix()}"
            headers = self.target.encryption.headers()
            upload(self._books.bucket, key, file, headers, is_private=file.name.startswith(PRIVATE))

    # -- what is read again -------------------------------------------------------------------------------------

    def written(self) -> list[PurePath]:
        """Name what lies there, rows and books."""
        names = super().written() if self._books is None else []
        places = [(self.target.rows, f"{DATA}/"), *([(self._books, "")] if self._books else [])]
        for prefix, folder in places:
            with self._told(prefix):
                below = prefix.bucket.listed(f"{prefix.key}/{folder}")
                names += [PurePosixPath(entry.key.removeprefix(f"{prefix.key}/")) for entry in below]
        return names

    @contextlib.contextmanager
    def at_hand(self, name: str) -> Iterator[Path]:
        """Bring what lies there, for as long as it is read."""
        prefix = self.target.rows if name.startswith(f"{DATA}/") else self._books
        if prefix is None:
            with super().at_hand(name) as file:
                yield file
            return
        file = self.scratch / f"again-{Path(name).name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._told(prefix):
                download(prefix.bucket, f"{prefix.key}/{name}", file)
            yield file
        finally:
            file.unlink(missing_ok=True)

    # -- the end ------------------------------------------------------------------------------------------------

    def _end_state(self) -> None:
        super()._end_state()
        if self.target.rows.bucket.calls["repeated"]:
            self._abort_begun()
        shutil.rmtree(self.directory / DATA, ignore_errors=True)  # the folders of parts that went away
        if self._books:
            with self._told(self._books):
                for entry in list(self._books.bucket.listed(f"{self._books.key}/{STATE}/")):
                    self._books.bucket.remove(entry.key)

    def result(self) -> dict[str, Any] | None:
        """Give the report of a complete run that lies there; anything else is none."""
        if self._books:
            with self._told(self._books):
                for name in BOOKS:
                    book = self._books.bucket.read(f"{self._books.key}/{name}")
                    if book is not None:
                        self.directory.mkdir(parents=True, exist_ok=True)
                        (self.directory / name).write_bytes(book)
        return super().result()

    def tidy(self) -> None:
        """Remove what a run that was killed after its report has left of its state."""
        if self._books:
            self.state.mkdir(parents=True, exist_ok=True)
        super().tidy()

    @contextlib.contextmanager
    def _told(self, prefix: Prefix) -> Iterator[None]:
        try:
            yield
        except StoreRefusedError as error:
            raise OutputError(f"{prefix}: {error}") from None
