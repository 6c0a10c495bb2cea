"""Objects that are looked at only when they are read: there is no room to keep them from the look to the reading."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

from translate.archive import spool
from translate.archive.stored import SourceFile
from translate.errors import SourceError
from translate.reader.reader import Damage

FOREIGN = "foreign"  # no records


@dataclass
class Unseen:
    """Objects that are looked at only when they are read, for there was no room to keep them from the look to the reading."""

    names: set[str]
    layout_of: Callable[[SourceFile], str]
    address: str
    others: Container[str]  # layouts that are known
    message: str

    def look_at(self, files: Iterable[SourceFile], refused: dict[str, Damage]) -> None:
        """Refuse those that are no records; raise SourceError for one that is of another layout than all before."""
        for file in files:
            if file.shown not in self.names:
                continue
            name = self.layout_of(file)
            if name == FOREIGN:
                refused[file.shown] = Damage("not_recognised", self.message, "")
            elif name != self.address and name in self.others:
                raise SourceError(
                    f"{file.location}: is {name}, and what was looked at before the work is {self.address}; convert "
                    "the two one by one with --from, each from a folder or a glob of its own"
                )
            self.names.discard(file.shown)


def by_room(files: list[SourceFile]) -> tuple[list[SourceFile], list[SourceFile]]:
    """Part the files that are looked at before the work from the objects that could not be kept until they are read."""
    early: list[SourceFile] = []
    late: list[SourceFile] = []
    room = spool.KEPT_BYTES
    for file in files:
        room -= file.bytes if file.is_remote else 0
        (early if room >= 0 or not file.is_remote else late).append(file)
    return (early, late) if early else (late[:1], late[1:])
