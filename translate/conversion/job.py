"""What a run is asked to do, told to every step of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from translate import mapping
from translate.errors import UsageError
from translate.mapping.columns import Column
from translate.mapping.personal import Marked, Spot, marked
from translate.mapping.portions import Files
from translate.mapping.settings import Settings
from translate.mapping.spec import Layout, Mapping
from translate.recipe.erasure import Erasing
from translate.recipe.privacy import chosen
from translate.recipe.rules import ALL_EVENTS, Recipe, Selection

if TYPE_CHECKING:
    from translate.reader.recognition import Origin

HUB_MODEL = "hub"
VERIFY: Literal["verify"] = "verify"
# Whether each key is accounted for: as the kernel tallies it, or verified by a scanner of its own.
Census = bool | Literal["verify"]


@dataclass(frozen=True)
class Job:
    """What a run was asked to do."""

    source_mapping: Mapping
    source_layout: Layout
    target: tuple[Mapping, Layout] | None  # or the hub
    recipe: Recipe | None = None
    settings: Settings = field(default_factory=Settings)
    selection: Selection = ALL_EVENTS
    examples: bool = False
    careful_only: bool = False
    census: Census = False
    lake: bool = False  # hub events by day, client and time
    sort: bool = False  # rows in the order that their receiver wants over all files
    columns: tuple[Column, ...] = ()  # those of the target's own that are named
    part_bytes: int | None = None  # how much of the source becomes a part, if it was said

    @property
    def target_layout(self) -> Layout | None:
        """Give the layout that is written, where it is none of the hub's."""
        return self.target[1] if self.target else None

    def reading(self, origin: Origin) -> Job:
        """Give the job for files of one of the source's layouts."""
        if origin.layout is self.source_layout:
            return self
        return replace(self, source_mapping=origin.mapping, source_layout=origin.layout)

    @cached_property
    def marked(self) -> list[Marked]:
        """Find the personal data that the source's sheet marks, or any sheet where the source is the hub."""
        if self.source_layout.model == HUB_MODEL:
            return mapping.marked_anywhere(self.settings.mappings)
        return marked(self.source_layout)

    @cached_property
    def treated(self) -> dict[Spot, str]:
        """Say what the recipe does with personal data, by where it lies."""
        return chosen(self.recipe.personal, self.marked) if self.recipe else {}

    def erasing(self) -> Erasing | None:
        """Begin to leave out those whom the job was asked to erase, if it was."""
        listed = self.selection.erase
        return Erasing(listed, self.marked) if listed else None

    @property
    def order(self) -> Files | None:
        """Say in which files rows are wanted that the job is to put in order, if it is."""
        return self.target_layout.files if self.sort and self.target_layout else None

    @property
    def needs_ids(self) -> bool:
        """Tell whether the target has a place for event ids."""
        if self.target_layout is None:
            return True
        return any("event_id" in entry.hub for entry in self.target_layout.all_fields)


def refuse_uncounted(layouts: Iterable[Layout]) -> None:
    """Raise UsageError for a layout whose files have no text: there is nothing to take a census from."""
    for layout in layouts:
        if layout.records == "parquet":
            raise UsageError(
                f"--census: counts the keys in the text of a source, and {layout.address} has none: leave --census out"
            )
