"""What stands beside the table: conversions and well-known names in plain words, tables of values, limits, what a recipe does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from translate import events
from translate.mapping.personal import KINDS, marked
from translate.mapping.portions import ORDERS, Files
from translate.mapping.sending import CHECKS
from translate.mapping.settings import Settings
from translate.mapping.spec import Field, Layout, Mapping
from translate.recipe.privacy import chosen
from translate.telling.explanation.sides import HUB_LAYOUT
from translate.vocabulary.spelling import Spelling, legal_name
from translate.vocabulary.words.scalars import TEXT
from translate.wording.rendering import many
from translate.writer.findings import arrivals, destination
from translate.writer.shape import Shape

if TYPE_CHECKING:
    from translate.recipe.rules import Recipe


PLAIN = TEXT.about
AS_IT_IS = "as it is"

LISTED = 6  # of a longer list of values, the first are shown


def conversion(reads: Iterable[str], writes: str) -> str:
    """Say how values are read, and how they are written if that is another thing."""
    read = [text for text in dict.fromkeys(reads) if text and text != writes]
    if not writes:
        return "; ".join(read) or AS_IT_IS
    others = [text for text in read if text != PLAIN]
    return f"{'; '.join(others)} -> {writes}" if others else writes


def options(entry: Field) -> Iterator[str]:
    """Say what else the mapping asks of a field."""
    if entry.table is not None:
        yield f"by the table {entry.table}"
    if entry.default is not None:
        yield f"{json.dumps(entry.default)} where there is none"
    if entry.absent is not None:
        yield f"{json.dumps(entry.absent)} where there is none, which is read as nothing"
    if entry.when:
        yield f"only for {', '.join(entry.when)}"
    if entry.setting is not None and entry.hub:
        yield f"--set {entry.setting}=... {'where there is none' if entry.fills else 'goes before it'}"
    if entry.asked is not None:
        yield f"only with --set {entry.asked}=true"
    if entry.unless is not None:
        yield f"left out with --set {entry.unless}=true"
    if entry.required:
        yield "required"
    if entry.required_for is not None:
        yield f"required where the phase is {entry.required_for}"


def is_declined(entry: Field, settings: Settings) -> bool:
    """Tell whether a setting keeps a field out that is written without it."""
    return entry.unless is not None and bool(getattr(settings, entry.unless))


def off(entry: Field, settings: Settings) -> str:
    """Say why a field is left out."""
    if is_declined(entry, settings):
        return f"left out because of --set {entry.unless}=true"
    return f"left out unless {f'--set {entry.asked}=true' if entry.asked else 'a rule sets it'}"


def fixed(entry: Field) -> str | None:
    """Say what a field holds that no event says; None if events say it."""
    if entry.const is not None:
        return f"always {json.dumps(entry.const)}"
    if entry.word.is_stamp or entry.word.travels_with_names:
        return entry.word.about
    if entry.setting is not None and not entry.hub:
        return f"what --set {entry.setting}=... says; left out without it"
    return None


def not_read(entry: Field) -> str:
    """Say why a source's field gives nothing to any event."""
    if entry.const is not None and entry.when:
        return f"{json.dumps(entry.const)} in events of {', '.join(entry.when)}: it says nothing that their name does not"
    if entry.const is not None:
        return f"always {json.dumps(entry.const)}, so it says nothing of the event"
    if entry.word.is_stamp:
        made = "" if entry.word.is_left_out else ", made anew for each request"
        return f"not read: {entry.word.about}{made}"
    return "not read: it says nothing of the event"


def changes_of_keys(entry: Field, layout: Layout) -> Iterator[str]:
    """Say what may become of the keys and values in a container."""
    if entry.word.write_as_text:
        yield "numbers and other values become text"
    elif not entry.word.shared and "other" in entry.hub:
        yield "values that are neither text nor number become JSON text"
    if layout.legal_names:
        yield "keys are made legal"
    if entry.word.shared:
        yield "keys that meet one another are renamed"


def names(
    source: Mapping, source_layout: Layout, target: Mapping, target_layout: Layout
) -> Iterator[dict[str, Any]]:
    """Give the well-known events that a side has a name for: the hub's, the source's, the target's."""
    for hub, about in events.WELL_KNOWN.items():
        read, written = (
            Spelling(hub) if layout is HUB_LAYOUT else model.names.get(hub)
            for model, layout in ((source, source_layout), (target, target_layout))
        )
        if read is None and written is None:
            continue
        legal = legal_name(hub) if target_layout.legal_names else hub
        told = {"name": hub, "about": about, "from": _shown(read), "to": _shown(written or Spelling(legal))}
        yield {**told, "note": "; ".join(_notes(hub, source, source_layout, target, target_layout))}


def _shown(spelling: Spelling | None) -> str:
    if spelling is None:
        return ""
    return f"{spelling.name} with {spelling.phase}" if spelling.phase else spelling.name


def _notes(
    hub: str, source: Mapping, source_layout: Layout, target: Mapping, target_layout: Layout
) -> Iterator[str]:
    first = _first_of_one_spelling(source, hub)
    if first != hub:
        helper = _original_names(source_layout)
        yield f"read as {first}{f' unless {helper} says this' if helper else ''}"
    if _first_of_one_spelling(target, hub) != hub:
        helper = _original_names(target_layout)
        yield f"{helper} tells it apart" if helper else f"reads like {_first_of_one_spelling(target, hub)}"
    only = target_layout.only
    if only is not None and hub not in only.names:
        yield f"only with {only.hub}"


def _first_of_one_spelling(mapping: Mapping, hub: str) -> str:
    """Name the meaning that a model's spelling of this one is read as."""
    own = mapping.names.get(hub)
    return next((other for other, spelling in mapping.names.items() if spelling == own), hub)


def _original_names(layout: Layout) -> str | None:
    return next((entry.place for entry in layout.fields if entry.word.travels_with_names), None)


def tables(mapping: Mapping, layout: Layout) -> Iterator[dict[str, Any]]:
    """Give the tables of values by which the target's fields are written."""
    for name in dict.fromkeys(entry.table for entry in layout.all_fields if entry.table is not None):
        fields = list(dict.fromkeys(entry.place for entry in layout.all_fields if entry.table == name))
        yield {"table": name, "fields": fields, "values": mapping.tables[name]}


def limits(source: Layout, layout: Layout) -> Iterator[dict[str, Any]]:
    """Give what the target takes and refuses; `effect` is `takes`, `keeps`, `rejects`, `alters`, `advises`, `packs`, `cuts` or `sorts`."""
    if source.address == layout.address:
        yield _limit("keeps", "members of a record that no field names, where they were", "")
    if layout.only is not None:
        names_taken = f", and {', '.join(layout.only.names)} without it" if layout.only.names else ""
        yield _limit("takes", f"only events with {layout.only.hub}{names_taken}", layout.only.rule)
    for limit in (*layout.limits.values(), *layout.checks.values()):
        what = f"{limit.name.replace('_', ' ')}: {', '.join(limit.places)}"
        effect = "rejects" if limit.hard else "alters" if limit.alters else "advises"
        altered = f": the receiver {limit.alters}" if limit.alters else ""
        yield _limit(effect, f"{what}{_value(limit.value)}{altered}", limit.source)
    request = layout.request
    for most, what in ((request.events_max, "events"), (request.bytes_max, "bytes")) if request else ():
        if most is not None:
            yield _limit("packs", f"at most {most:,} {what} into a request", "")
    if layout.files is not None:
        yield from _files(layout.files)


def ages(mapping: Mapping, layout: Layout) -> Iterator[dict[str, Any]]:
    """Give what the target's receiver takes and alters because of its age."""
    for hazard in mapping.delivery.altering(layout.name).values() if mapping.delivery else ():
        age = "" if hazard.value is None else f" ({hazard.value:,} {hazard.unit})"
        what = f"{hazard.name.replace('-', ' ')}: {CHECKS[hazard.check].about}{age}"
        yield _limit("alters", f"{what}: the receiver {hazard.alters}", hazard.source)


def _files(files: Files) -> Iterator[dict[str, Any]]:
    """Say in which files the target's receiver wants the rows."""
    if files.events_max is not None:
        yield _limit("cuts", f"files of at most {files.events_max:,} events", files.source)
    if files.bytes_max is not None:
        yield _limit("cuts", f"files of at most {files.bytes_max:,} bytes, compression aside", files.source)
    if files.order is not None:
        days = "" if files.days_max is None else f", each file of {many(files.days_max, 'day')} at most"
        yield _limit("sorts", f"with --sort: {ORDERS[files.order]}{days}", files.source)
    if files.bytes_min is not None:
        least = (
            f"with --sort: files of at least {files.bytes_min:,} bytes, compression aside, unless all is less"
        )
        yield _limit("packs", least, files.source)


def _value(value: Any) -> str:
    """Write a limit's value after the places that it holds for; a long list is cut."""
    if isinstance(value, dict):
        return "".join(f"; {name}{_value(inner)}" for name, inner in value.items())
    values = value if isinstance(value, list) else [value]
    texts = [f"{each:,}" if isinstance(each, int) else str(each) for each in values]
    rest = f" and {len(texts) - LISTED} more" if len(texts) > LISTED else ""
    return "" if value is None else f" ({', '.join(texts[:LISTED])}{rest})"


def _limit(effect: str, what: str, source: str) -> dict[str, Any]:
    return {"effect": effect, "what": what, "source": source}


def rules(recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Give what each rule of a recipe does, in their order."""
    for rule in recipe.rules:
        does = [f"sets {target} = {expression.sql}" for target, expression in rule.sets.items()]
        does += [f"calls {old} {new}" for old, new in rule.names.items()]
        does += [f"renames {old} to {new}" for old, new in rule.renames.items()]
        does += [f"removes {name}" for name in rule.removes]
        if rule.explode:
            does.append("makes one row per element of items")
        if rule.cut:
            does += rule.cut.described()
        if rule.drop is not None:
            does.append(f"drops: {rule.drop}")
        if rule.keep is not None:
            does.append(f"keeps only these, else: {rule.keep}")
        when = rule.when.sql if rule.when else ""
        yield {"rule": rule.address, "about": rule.about, "when": when, "does": does}


def personal(source: Layout, recipe: Recipe | None, shape: Shape | None) -> Iterator[dict[str, Any]]:
    """Give the personal data that a source's sheet marks: where it goes in a target's shape, and what a recipe does with it."""
    treated = chosen(recipe.personal, marked(source)) if recipe else {}
    arriving = arrivals(shape)
    for place in marked(source):
        kept = [spot for spot in place.spots if treated.get(spot) != "remove"]
        goes_to = dict.fromkeys(found for spot in kept if (found := destination(spot, shape, arriving)))
        acts = dict.fromkeys(treated[spot] for spot in place.spots if spot in treated)
        told = {"place": place.place, "kind": place.kind, "about": KINDS[place.kind]}
        yield {**told, "goes_to": " and ".join(goes_to), "treatment": ", ".join(acts)}
