"""What a call says: its source, target, settings and selection, as the job of a run."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from translate import mapping
from translate import recipe as recipes
from translate.archive.sources import S3_SPELLED, find, near
from translate.conversion.job import HUB_MODEL, Census, Job
from translate.errors import STORE, MappingError, UsageError, refuse_store
from translate.mapping.columns import Column
from translate.mapping.settings import Settings, parse_time, read_settings
from translate.mapping.spec import Layout
from translate.mapping.spec import Mapping as Sheet
from translate.reader.recognition import Recognised, recognise
from translate.recipe import trial
from translate.recipe.erasure import listed_in
from translate.recipe.privacy import key_of_environment
from translate.recipe.proof import condition
from translate.recipe.rules import ALL_EVENTS, Recipe, Selection
from translate.stores.transfers import Encryption
from translate.writer import dataset

if TYPE_CHECKING:
    from translate.conversion.bucket_output import BucketTarget

Sources = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Folder = str | os.PathLike[str]
Erased = Folder | Collection[str] | None  # the path of a list of ids, or the ids
Given = Settings | Mapping[str, Any] | str | os.PathLike[str] | None  # what calls take as `settings`
SIZE = re.compile(r"(?P<number>[0-9]+) ?(?P<unit>[kKmMgG]?)(?:i?[bB])?")
KMS = "aws:kms"
ENCRYPTIONS = ("AES256", KMS, f"{KMS}:dsse")
Moment = str | dt.date | None  # a time is a date too


# -- what a call says -------------------------------------------------------------------------------------------


def job_of(
    source: Sources, *, to: str, from_: str | None, recipe: str | os.PathLike[str] | None = None,
    mappings: Folder | None = None, settings: Settings | None = None, selection: Selection = ALL_EVENTS,
    examples: bool = False, careful: bool = False, census: Census = False, trust_folders: float | None = None,
    drawn: bool = False, lake: bool = False, places: Sequence[str] = (),
) -> tuple[Job, Recognised]:  # fmt: skip
    """Give the job that a call asks for, and its recognised source; raise UsageError, MappingError or SourceError."""
    settings = settings_of(settings, (), mappings)
    if lake and to.partition("/")[0] != HUB_MODEL:
        raise UsageError(f"--lake lays down hub events; say --to {HUB_MODEL}")
    written = _written_as(to, settings.mappings)
    layout = written[1] if written else None
    chosen = recipe_of(recipe, layout.address if layout else HUB_MODEL, settings.mappings)
    if chosen is not None:
        recipes.demand(chosen, settings)
        if chosen.needs_key:
            key_of_environment()
    settings = legal_app_ids(settings, layout)
    files, trusted = find(listed(source), drawn=drawn, apart=places), None
    if trust_folders is not None:
        files, trusted = near(files, selection.since, selection.until, trust_folders)
    recognised = recognise(files, from_, settings.mappings)
    recognised.trusted = trusted
    columns: tuple[Column, ...] = ()
    if written:
        layout, columns = dataset.of_job(*written, chosen.columns if chosen else (), settings, recognised)
        written = written[0], layout
    first = recognised.sources[0]
    job = Job(
        first.mapping, first.layout, written, chosen, settings, selection, examples=examples, careful_only=careful, census=census, lake=lake, columns=columns,
    )  # fmt: skip
    return job, recognised


def _written_as(to: str, mappings: Path | None) -> tuple[Sheet, Layout] | None:
    """Find what is to be written; nothing where that are the hub's own events."""
    if to in (HUB_MODEL, f"{HUB_MODEL}/events"):
        return None
    if to.partition("/")[0] == HUB_MODEL:
        raise UsageError(f'hub has no layout "{to.partition("/")[2]}" (layouts: events)')
    sheet, layout = mapping.find_layout(to, mappings)
    if not layout.write:
        known = ", ".join(name for name, other in sheet.layouts.items() if other.write) or "none"
        raise UsageError(f"{layout.address} cannot be written (writable layouts of {sheet.model}: {known})")
    return sheet, layout


def listed(source: Sources) -> list[str | os.PathLike[str]]:
    """Give what one source, or several, were named as."""
    return [source] if isinstance(source, str | os.PathLike) else list(source)


def reading_job(
    source: Sources, from_: str | None, settings: Settings, selection: Selection = ALL_EVENTS, *, examples: bool = False
) -> tuple[Job, Recognised]:  # fmt: skip
    """Give the job of a call that only reads, and its recognised source; raise UsageError, MappingError or SourceError."""
    recognised = recognise(find(listed(source)), from_, settings.mappings)
    first = recognised.sources[0]
    job = Job(first.mapping, first.layout, None, settings=settings, selection=selection, examples=examples)
    return job, recognised


def place_of(
    out: str | os.PathLike[str], state: str | os.PathLike[str] | None, sse: str | None, kms_key_id: str | None
) -> Path | BucketTarget:
    """Give the target that a call names: a folder, or a prefix of a bucket; raise UsageError."""
    address = STORE.match(os.fspath(out))
    if address and address[1].lower() == "s3":
        if sse not in (None, *ENCRYPTIONS):
            raise UsageError(f"--sse {sse}: is none (one of: {', '.join(ENCRYPTIONS)})")
        if kms_key_id and not (sse or "").startswith(KMS):
            raise UsageError(f"--sse-kms-key-id names a key of KMS: say --sse {KMS}, too")
        from translate.conversion.bucket_output import target_of  # noqa: PLC0415  HTTP and TLS come with it

        books = None if state is None else os.fspath(state)
        return target_of(f"s3://{address[2]}", books, Encryption(sse, kms_key_id))
    if state or sse or kms_key_id:
        raise UsageError("--state, --sse and --sse-kms-key-id are for --out s3://bucket/prefix")
    if address and address[1].lower() in S3_SPELLED:
        raise UsageError(f"{os.fspath(out)}: write it as s3://{address[2]}")
    refuse_store(out, "--out")
    if not os.fspath(out):  # a path of no text is the folder that one stands in
        raise UsageError("--out is empty: name a new or empty directory")
    return Path(out)


def refuse_unordered(job: Job) -> None:
    """Raise UsageError where nobody says in which order rows are wanted."""
    layout = job.target_layout
    if layout is None:
        raise UsageError("--sort puts rows in the order that their receiver wants; for the hub say --lake")
    if layout.files is None or layout.files.order is None:
        raise UsageError(
            f"--sort: the receiver of {layout.address} wants no order, as far as its data sheet says; leave it out"
        )


def recipe_of(recipe: str | os.PathLike[str] | None, target: str, mappings: Path | None) -> Recipe | None:
    """Give the recipe of a call; raise UsageError where it leads elsewhere, MappingError where a test of it fails."""
    if recipe is None:
        return None
    chosen = recipes.load(recipe, mappings)
    if target not in (HUB_MODEL, *chosen.layouts):
        *others, last = chosen.layouts
        listed = f"{', '.join(others)} and {last}" if others else last
        raise UsageError(
            f"{chosen.name}: this recipe leads to {listed}, not to {target}; name another recipe, or another --to"
        )
    failed = trial.failures(chosen, mappings)
    if failed:
        raise MappingError(failed)
    return chosen


def legal_app_ids(settings: Settings, target: Layout | None) -> Settings:
    """Refuse new application ids that the target would refuse."""
    pattern = target.app_id_pattern if target else None
    for old, new in settings.app_ids.items():
        if pattern is not None and re.search(pattern, new) is None:
            raise UsageError(
                f'app_ids.{old}: {target.address if target else ""} does not take "{new}": it has to be like {pattern}'
            )
    return settings


def settings_of(settings: Given, assignments: Iterable[str], mappings: Folder | None = None) -> Settings:
    """Give a call's settings, read from a file if they are its name; assignments, and the folder named by the call, count more."""
    if isinstance(settings, Settings):
        told = settings
    elif settings is None or isinstance(settings, Mapping):
        told = read_settings(settings, assignments)
    else:
        told = read_settings(Path(settings), assignments)
    return told if mappings is None else dataclasses.replace(told, mappings=Path(mappings))


def selection_of(
    where: str | None, since: Moment, until: Moment, limit: int | None, erase: Erased = None
) -> Selection:
    """Give the part of the archive that a call asks for."""
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: at least one event has to be taken")
    wanted = condition(where, "--where") if where is not None else None
    first, last = _time(since, "--since"), _time(until, "--until")
    if first and last and first >= last:
        raise UsageError(f"--since {since} --until {until}: no time lies between them")
    return Selection(wanted, first, last, limit, None if erase is None else listed_in(erase))


def _time(value: Moment, option: str) -> dt.datetime | None:
    if value is None:
        return None
    if isinstance(value, dt.date):
        moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    try:
        return parse_time(value)
    except ValueError:
        raise UsageError(
            f"{option} {value}: is no ISO 8601 date or time, for example 2016-04-07 or 2016-04-07T12:00:00Z"
        ) from None


def part_bytes_of(size: int | str | None) -> int | None:
    """Read how large a part is to be, in bytes or with a unit; raise UsageError."""
    if size is None:
        return None
    found = SIZE.fullmatch(str(size).strip())
    if found is None or int(found["number"]) == 0:
        raise UsageError(f"--part-size {size}: should be a number of bytes above 0, or one like 64MB")
    unit: str = found["unit"].upper()
    return int(found["number"]) << (10 * "BKMG".index(unit or "B"))
