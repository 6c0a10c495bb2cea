"""The page that somebody signs once a migration is done: what was there, what was done, what was lost and why, and how one can tell."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from translate.conversion.arguments import checked
from translate.conversion.calls import Folder, Given, Sources
from translate.errors import UsageError
from translate.telling.figures import parity
from translate.telling.signoff.result import Dossier
from translate.telling.signoff.trails import ConversionTrail, ReplayTrail, changed_inputs, trails_of

__all__ = ["Dossier", "dossier"]


@checked
def dossier(
    folder: Sources, *, source: Sources = (), recipe: Sources | None = None,
    settings: Given = None, set_: Sequence[str] = (), mappings: Folder | None = None,
    erase: str | os.PathLike[str] | None = None,
) -> Dossier:  # fmt: skip
    """Put together what tells of a migration: directories that `convert` left, and journals of `replay`, one or several.

    With `source` the figures on both sides are compared, as `parity` does, and the source's files are held against the
    digests of the run: one source for all directories, or one for each conversion, in order. `recipe` is one of your own that a run
    had, or several of them, `erase` the list of those whom runs left out. Nothing is changed. Raise UsageError, MappingError or
    SourceError.

    >>> import translate
    >>> report = translate.convert("sample_data/mobile_analytics/archive_full.jsonl", to="clickstream", out="signed")
    >>> translate.dossier("signed", source="sample_data/mobile_analytics/archive_full.jsonl")
    <Dossier mobile_analytics/archive → clickstream/events: nothing is open>
    """
    trails = [trail for each in _listed(folder) for trail in trails_of(each)]
    conversions = [trail for trail in trails if isinstance(trail, ConversionTrail)]
    replays = [trail for trail in trails if isinstance(trail, ReplayTrail)]
    sources = _sources(_listed(source), len(conversions))
    compared, changed = {}, {}
    for trail, origin in zip(conversions, sources, strict=False):
        changed[trail.folder] = changed_inputs(trail, origin)
        if trail.is_lake:
            continue
        compared[trail.folder] = parity(
            origin, trail.folder, recipe=_recipe(trail, _listed(recipe or ())), settings=settings, set_=set_, mappings=mappings,
            erase=erase if "erasure" in trail.report else None,
        )  # fmt: skip
    return Dossier(tuple(conversions), tuple(replays), compared, changed)


def _listed(given: Sources) -> list[str | os.PathLike[str]]:
    return [given] if isinstance(given, str | os.PathLike) else list(given)


def _sources(given: list[str | os.PathLike[str]], conversions: int) -> list[str | os.PathLike[str]]:
    """Give each conversion its source; raise UsageError where it is not clear which."""
    if len(given) not in (0, 1, conversions):
        raise UsageError(
            f"{len(given)} sources for {conversions} conversions: name one for all of them, or one for each, in order"
        )
    return given * conversions if len(given) == 1 else given


def _recipe(trail: ConversionTrail, given: list[str | os.PathLike[str]]) -> str | os.PathLike[str] | None:
    """Give a run that one of these recipes of one's own that it had."""
    names = {name.removesuffix(".toml") for name in trail.report["mapping"]}
    return next((recipe for recipe in given if Path(recipe).name.removesuffix(".toml") in names), None)
