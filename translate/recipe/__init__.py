"""Recipes: what one app's events mean to one target, as files with their own tests.

A file is read (`parse`, its rules by `phrases`, its tests by `trial`) into what it may say (`spec`); each expression is
proven before any row (`proof`, `kinds`, `mistakes`; `dialect` has the words, `expressions` what they see). Upon events come
personal data (`privacy`), the rules in order (`rules`, each by `steps` and `reshaping`) and what is taken at all (`selection`).
What they did is counted (`tallies`), what they missed looked out for (`watch`), and both told (`slips`, `proposal`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate import mapping
from translate.errors import Complaint, MappingError, UsageError, suggest
from translate.mapping.parse import parse as parse_mapping
from translate.mapping.sheet import read_toml
from translate.recipe import trial
from translate.recipe.parse import read
from translate.recipe.rules import Recipe
from translate.recipe.trial import failures
from translate.settings import KEYS, Settings

__all__ = ["Checked", "Recipe", "check", "demand", "failures", "load", "names"]


@dataclass(frozen=True, repr=False)
class Checked:
    """What was found in a mapping or a recipe, and how many tests ran."""

    file: str
    complaints: list[Complaint]
    tests: int = 0

    @property
    def verdict(self) -> str:
        """Give the words that say whether all is well."""
        wrong = f"{len(self.complaints)} wrong" if self.complaints else "ok"
        tests = f", {self.tests} test{'s' if self.tests != 1 else ''}" if self.tests else ""
        return f"{wrong}{tests}"

    def __repr__(self) -> str:
        return f"<Checked {self.file}: {self.verdict}>"

    def __str__(self) -> str:
        return "\n".join([*map(str, self.complaints), f"{self.file}: {self.verdict}"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001
        """Show the complaints in a notebook."""
        printer.text("Checked(...)" if cycle else str(self))


def names(mappings: Path | None = None) -> list[str]:
    """Name the shipped recipes, in alphabetical order."""
    return sorted(_shipped(mappings))


def load(recipe: str | os.PathLike[str], mappings: Path | None = None) -> Recipe:
    """Load a shipped recipe by its name, or one by its path; raise UsageError or MappingError."""
    return read(
        _find(os.fspath(recipe), Path(), mappings), lambda name, near: _find(name, near, mappings), mappings
    )


def check(path: str | os.PathLike[str], mappings: Path | None = None) -> Checked:
    """Check a mapping or a recipe, and run the tests inside it."""
    file = Path(path)
    try:
        table, _ = read_toml(file, file.name)
        if "layout" in table:
            parse_mapping(file)
            return Checked(file.name, [])
        recipe = load(file, mappings)
        return Checked(file.name, trial.failures(recipe, mappings), len(recipe.tests))
    except MappingError as error:
        return Checked(file.name, error.complaints)


def demand(recipe: Recipe, settings: Settings) -> None:
    """Ask by name for the settings that a recipe cannot do without; raise UsageError if one is missing."""
    missing = [name for name in recipe.needs if getattr(settings, name) is None]
    if missing:
        wanted = "; ".join(f"--set {name}=... ({KEYS[name]})" for name in missing)
        raise UsageError(f"{recipe.name}: nothing in the source says what this recipe needs; say {wanted}")


def _shipped(mappings: Path | None) -> dict[str, Path]:
    return mapping.files(mappings, "recipes")


def _find(name: str, near: Path, mappings: Path | None) -> Path:
    """Find a recipe: a shipped one of that name, else a file, its path relative to a folder."""
    shipped = _shipped(mappings)
    if name in shipped:
        return shipped[name]
    if (near / name).is_file():
        return near / name
    known = ", ".join(sorted(shipped))
    raise UsageError(f'no recipe "{name}"{suggest(name, shipped)} (recipes: {known}; or the path of a file)')
