"""What a mapping may say: frozen types, no file format, no engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Records = Literal["json-lines", "csv", "parquet"]


@dataclass(frozen=True)
class Spelling:
    """How a model spells one well-known event: its name there and, for some, its phase."""

    name: str
    phase: str | None = None


@dataclass(frozen=True)
class Field:
    """One place in a model's record, the hub columns that it stands for, and the codec between them."""

    place: str
    hub: tuple[str, ...]
    codec: str = "text"
    required: bool = False
    required_for: str | None = None
    when: tuple[str, ...] = ()
    table: str | None = None
    default: Any = None
    const: Any = None
    optional: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        """Split the place into its segments."""
        return tuple(self.place.split("."))


@dataclass(frozen=True)
class Limit:
    """A number that the receiver documents; hard means that it refuses or drops what is beyond."""

    name: str
    value: int
    hard: bool
    source: str


@dataclass(frozen=True)
class Only:
    """Which events a layout takes: those with this hub column, and those of these well-known names."""

    hub: str
    names: tuple[str, ...]
    rule: str


@dataclass(frozen=True)
class Envelope:
    """How rows are packed into requests."""

    shape: str
    fields: dict[str, Field]
    events_max: int
    bytes_max: int


@dataclass(frozen=True)
class Layout:
    """One way in which a model's events lie in files."""

    model: str
    name: str
    about: str
    source: str
    records: Records
    fields: tuple[Field, ...]
    default: bool = False
    read: bool = True
    write: bool = True
    legal_names: bool = False
    schema: str | None = None
    objects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limits: dict[str, Limit] = field(default_factory=dict)
    cannot: dict[str, str] = field(default_factory=dict)
    only: Only | None = None
    envelope: Envelope | None = None

    @property
    def address(self) -> str:
        """Write the layout as the command line takes it."""
        return f"{self.model}/{self.name}"


@dataclass(frozen=True)
class Mapping:
    """The data sheet of one model."""

    model: str
    title: str
    source: str
    names: dict[str, Spelling]
    tables: dict[str, dict[str, str]]
    layouts: dict[str, Layout]
    digest: str
    file: str

    def default_layout(self) -> Layout:
        """Give the layout that is written where none is named."""
        return next(layout for layout in self.layouts.values() if layout.default)
