"""Mappings: one file per model, found in a folder of the caller's, inside the package, or in the checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from translate.errors import MappingError, UsageError, suggest
from translate.mapping.parse import parse
from translate.mapping.spec import Layout, Mapping

__all__ = ["Layout", "Mapping", "MappingError", "find_layout", "folder", "load", "models"]

HUB = "hub"  # no file says what it is, but it can be named like a model
PACKAGED = Path(__file__).resolve().parent.parent / "mappings"
CHECKOUT = Path(__file__).resolve().parent.parent.parent / "mappings"


def folder() -> Path:
    """Give the folder of the shipped mappings: the wheel's own copy, else the checkout's."""
    return PACKAGED if PACKAGED.is_dir() else CHECKOUT


def models(mappings: Path | None = None) -> list[str]:
    """Name the models, in alphabetical order."""
    return sorted(path.stem for path in (mappings or folder()).glob("*.toml"))


@cache
def _load(path: Path) -> Mapping:
    return parse(path)


def load(model: str, mappings: Path | None = None) -> Mapping:
    """Load one model's mapping; raise UsageError for an unknown model, MappingError for a wrong file."""
    known = models(mappings)
    if model not in known:
        known = sorted([*known, HUB])
        raise UsageError(f'no model "{model}"{suggest(model, known)} (models: {", ".join(known)})')
    return _load((mappings or folder()) / f"{model}.toml")


def find_layout(address: str, mappings: Path | None = None) -> tuple[Mapping, Layout]:
    """Find `model` or `model/layout`; raise UsageError that names the near and the known ones."""
    model, _, name = address.partition("/")
    mapping = load(model, mappings)
    if not name:
        return mapping, mapping.default_layout()
    if name not in mapping.layouts:
        known = ", ".join(mapping.layouts)
        raise UsageError(f'{model} has no layout "{name}"{suggest(name, mapping.layouts)} (layouts: {known})')
    return mapping, mapping.layouts[name]
