"""Hub events to the rows of a target, by its mapping; and what is lost on the way, as expressions to be counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from translate import events, notation
from translate.keys import MERGED, KeyRules, all_notes, notes_of_keys
from translate.limits import Rows, breaches
from translate.mapping.codecs import CONTAINERS, SCALARS, Container
from translate.mapping.spec import Field, Layout, Mapping
from translate.mapping.spelling import EventNames, legal_name, legal_user, with_hash
from translate.notation import by_distinct_value, members, quoted
from translate.reader.careful import note
from translate.report import Finding, Loss
from translate.settings import CLICKSTREAM_APP_ID, Settings

ROW = "_row"
NOTES = "_notes"
FILTERED = "_filtered"


@dataclass(frozen=True)
class Source:
    """What the writer has to know of where the events come from: which columns can hold something, and their places."""

    provided: frozenset[str]
    places: dict[str, str]
    set_by_recipe: frozenset[str] = frozenset()

    def place(self, column: str) -> str:
        """Name a hub column as the source spells it."""
        return self.places.get(column, column)


@dataclass
class Plan:
    """What a writer adds to a frame, and what it counts."""

    losses: list[Loss] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Writer:
    """Writes one layout."""

    def __init__(self, mapping: Mapping, layout: Layout, settings: Settings, source: Source) -> None:
        self.mapping = mapping
        self.layout = layout
        self.settings = settings
        self.source = source
        make_legal = layout.legal_names and not settings.keep_names
        self._names = EventNames(mapping, make_legal=make_legal)
        self._containers = {entry.place: entry for entry in layout.fields if entry.codec in CONTAINERS}
        self._presets: dict[str, list[Field]] = {place: [] for place in self._containers}
        for entry in layout.fields:
            if entry.path[0] in self._containers and entry.place not in self._containers:
                self._presets[entry.path[0]].append(entry)
        presets = [entry for entries in self._presets.values() for entry in entries]
        self._scalars = [entry for entry in layout.fields if entry.place not in self._containers and entry not in presets]
        self.columns = [entry for entry in self._scalars if self._is_wanted(entry)]
        self._rowwise = [entry for entry in self.columns if entry.codec in SCALARS and SCALARS[entry.codec].rowwise]
        self.containers = list(self._containers.values())
        self._rules = self._key_rules(make_legal=make_legal)
        self._make_legal = make_legal

    def _is_wanted(self, entry: Field) -> bool:
        """Leave out what no event can have; an optional column is there only if the recipe fills it."""
        if entry.optional:
            return entry.hub[0] in self.source.set_by_recipe
        if self.layout.records == "csv" or entry.required or entry.const is not None or entry.default is not None:
            return True
        return not entry.hub or any(column in self.source.provided for column in entry.hub)

    def _key_rules(self, *, make_legal: bool) -> KeyRules | None:
        if not self._containers:
            return None
        shared = any(entry.codec in ("mixed_map", "entities") for entry in self._containers.values())
        taken = {entry.path[1] for entries in self._presets.values() for entry in entries if not (entry.when and entry.hub)}
        return KeyRules(
            shared=shared,
            text_only=not shared,
            entities=any(entry.codec == "entities" for entry in self._containers.values()),
            make_legal=make_legal,
            taken=frozenset(taken) if shared else frozenset(),
            places={kind: self.source.place(kind) for kind in ("attributes", "metrics", "other")},
        )

    # -- rows -------------------------------------------------------------------------------------------------

    def rows(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Add each event's row: `_row` for JSON layouts, a column per field for CSV ones; and judge it.

        Rows that may not be written carry `code` and `message`; those that the layout does not take, the rule
        in `_filtered`. `_notes` tells the keys that are lost or changed.
        """
        prepared = frame.with_columns(
            _filtered=self._filtered(),
            _spelled=self._names.spelled(pl.col("name")),
            _care=self._rules.need_care() if self._rules else pl.lit(False),
        ).with_columns(_illegal=self._names.is_illegal(pl.col("_spelled")))
        frame = prepared.map_batches(
            self._work_rowwise,
            schema={**prepared.collect_schema(), **self._rowwise_schema()},
            validate_output_schema=False,
            streamable=True,
        )
        presets = [entry for entries in self._presets.values() for entry in entries if self._is_wanted(entry)]
        late = [entry for entry in presets if entry.codec == "original_names"]
        early = [entry for entry in [*self.columns, *presets] if entry not in [*late, *self._rowwise]]
        frame = frame.with_columns(**{f"={entry.place}": self._value(entry) for entry in early})
        if late:
            written = next(entry.place for entry in self.columns if entry.codec == "event_name")
            frame = frame.with_columns(_original=self._names.original(pl.col("name"), pl.col(f"={written}")))
            frame = frame.with_columns(**{f"={entry.place}": self._value(entry) for entry in late})
        if self.layout.records == "json-lines":
            frame = frame.with_columns(**self._presets_written())
            frame = frame.with_columns(**self._containers_written()).with_columns(**{ROW: self._json_row()})
        frame = frame.with_columns(**self._envelope_columns())
        code, message = self._verdict()
        return frame.with_columns(code=code, message=message, **{NOTES: self._notes()})

    def _rowwise_schema(self) -> dict[str, Any]:
        return {
            **(MERGED if self._rules else {}),
            "_legal": pl.String,
            "_item_count": pl.Int64,
            "_extra_members": pl.String,
            **{f"={entry.place}": pl.String for entry in self._rowwise},
        }

    def _work_rowwise(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Do what no expression can, in one step of the query: only batches that need it cost anything."""
        columns = self._rules.merge(batch) if self._rules else {}
        self._give_way(batch, columns)
        if batch["_illegal"].any():
            columns["_legal"] = by_distinct_value(batch["_spelled"], legal_name)
        else:
            columns["_legal"] = batch["_spelled"]
        columns["_item_count"] = _lengths(batch["items"])
        columns["_extra_members"] = _each(batch["extra"], members)
        given = {name: batch[name] for entry in self._rowwise for name in entry.hub}
        if "user_properties" in given and batch["user_properties"].null_count() < batch.height:
            given |= self._legal_user(batch, columns)
        for entry in self._rowwise:
            rowwise = SCALARS[entry.codec].rowwise
            if rowwise:
                columns[f"={entry.place}"] = rowwise([given[name] for name in entry.hub])
        return pl.DataFrame([*batch.get_columns(), *(series.alias(name) for name, series in columns.items())])

    def _give_way(self, batch: pl.DataFrame, columns: dict[str, pl.Series]) -> None:
        """Rename the keys whose place one of the event's own columns takes, as `_product_id` in a purchase's."""
        presets = [entry for entries in self._presets.values() for entry in entries if entry.when and entry.hub]
        for entry in presets:
            kind, key = self._containers[entry.path[0]].hub[0], entry.path[1]
            there = batch["name"].is_in(list(entry.when)) & batch[entry.hub[0]].is_not_null()
            if not there.any():
                continue
            maps = columns[f"_{kind}"]
            meets = pl.DataFrame({"there": there, "map": maps}).select(
                pl.col("there") & pl.col("map").map.keys().list.contains(key)
            ).to_series().fill_null(value=False)
            if meets.any():
                renamed = [
                    {with_hash(key, key) if name == key else name: text for name, text in value.items()} if meet else value
                    for value, meet in zip(maps, meets, strict=True)
                ]
                columns[f"_{kind}"] = pl.Series(renamed, dtype=events.MAP)
                told = [note("changed", f"{self.source.place(kind)}.{key}")]
                columns["_key_notes"] = _more_notes(columns["_key_notes"], [told if meet else [] for meet in meets])

    def _legal_user(self, batch: pl.DataFrame, columns: dict[str, pl.Series]) -> dict[str, pl.Series]:
        """Give the user's properties under legal names, and tell which were renamed."""
        rows = zip(batch["user_properties"], batch["user_property_times"], strict=True)
        users = [legal_user(*row, make_legal=self._make_legal) for row in rows]
        renamed = [{name: key for key, name in names.items() if key != name} for _, _, names in users]
        if any(renamed):
            place = self.source.place("user_properties")
            told = [[note("changed", f"{place}.{key}") for key in names.values()] for names in renamed]
            columns["_key_notes"] = _more_notes(columns["_key_notes"], told)
            own = [f'"user_properties":{quoted(names)}' if names else None for names in renamed]
            columns["_names"] = pl.Series(
                [",".join(filter(None, both)) or None for both in zip(columns["_names"], own, strict=True)], dtype=pl.String
            )
        return {
            "user_properties": pl.Series([properties for properties, _, _ in users], dtype=events.MAP),
            "user_property_times": pl.Series([times for _, times, _ in users], dtype=events.MAP),
        }

    def _filtered(self) -> pl.Expr:
        taken = pl.col(FILTERED)
        only = self.layout.only
        if only is None:
            return taken
        wanted = pl.col(only.hub).is_not_null() | pl.col("name").is_in(list(only.names))
        rule = pl.when(pl.col("code").is_null() & ~wanted.fill_null(value=False)).then(pl.lit(only.rule))
        return pl.coalesce(taken, rule)

    def _value(self, entry: Field) -> pl.Expr:
        """Give what a field holds on the wire: text, whole number, flag, or JSON text."""
        applies = pl.col("name").is_in(list(entry.when)) if entry.when else None
        if entry.const is not None:
            value = pl.lit(entry.const)
        elif entry.codec == "original_names":
            value = self._original_names()
        else:
            value = self._coded(entry)
        if entry.default is not None:
            value = value.fill_null(entry.default)
        return value if applies is None else pl.when(applies).then(value)

    def _coded(self, entry: Field) -> pl.Expr:
        columns = [pl.col(name) for name in entry.hub]
        if entry.codec == "event_name":
            return pl.col("_legal")
        if entry.codec == "action":
            phases = {**events.PHASES, **self._names.phases()}
            return columns[0].fill_null(notation.exchanged(columns[1], phases, pl.lit("UPDATE")))
        if entry.codec == "app_id" and self.settings.app_ids:
            return notation.exchanged(columns[0], self.settings.app_ids)
        write = SCALARS[entry.codec].write
        value = write(columns) if write else pl.lit(None, pl.String)
        if entry.table:
            table = self.mapping.tables[entry.table]
            return notation.exchanged(value.str.to_lowercase(), table, value)
        return value

    def _original_names(self) -> pl.Expr:
        own = pl.concat_str(pl.lit('"name":'), notation.json_text(pl.col("_original")))
        written = pl.concat_str(pl.lit("{"), notation.joined([own, pl.col("_names")]), pl.lit("}"))
        return pl.when(pl.col("_original").is_not_null() | pl.col("_names").is_not_null()).then(written)

    def _json_row(self) -> pl.Expr:
        """Write an object: plain members by the engine's encoder, JSON texts and containers put in beside them."""
        plain = [entry for entry in self.columns if not _is_json(entry)]
        parts = [notation.members_of_struct(self._members(plain, 0))]
        parts += [
            _member(entry.place, pl.col(f"={entry.place}"))
            for entry in self.columns
            if _is_json(entry) and entry.hub != ("extra",)
        ]
        parts += [_member(place, pl.col(f"={place}")) for place in self._containers]
        if any(entry.hub == ("extra",) for entry in self.columns):
            parts.append(pl.col("_extra_members"))
        return pl.concat_str(pl.lit("{"), notation.joined(parts), pl.lit("}"))

    def _presets_written(self) -> dict[str, pl.Expr]:
        """Write the presets of each container, as members; an event may have none of them."""
        written = {}
        for place, entries in self._presets.items():
            presets = [entry for entry in entries if self._is_wanted(entry)]
            plain = {entry.path[1]: pl.col(f"={entry.place}") for entry in presets if not _is_json(entry)}
            if plain:
                written[f"_plain:{place}"] = notation.members_of_struct(plain)
        return written

    def _containers_written(self) -> dict[str, pl.Expr]:
        return {
            f"={place}": self._container(place, CONTAINERS[entry.codec]) for place, entry in self._containers.items()
        }

    def _members(self, entries: list[Field], depth: int) -> dict[str, pl.Expr]:
        """Nest fields into structs by the segments of their places."""
        members: dict[str, pl.Expr] = {}
        for entry in entries:
            head = entry.path[depth]
            if head in members:
                continue
            if len(entry.path) == depth + 1:
                members[head] = pl.col(f"={entry.place}")
            else:
                inner = [other for other in entries if other.path[: depth + 1] == entry.path[: depth + 1]]
                members[head] = pl.when(self._object_is_there(".".join(entry.path[: depth + 1]), inner)).then(
                    notation.struct_of(self._members(inner, depth + 1))
                )
        return members

    def _object_is_there(self, place: str, entries: list[Field]) -> pl.Expr:
        needs = self.layout.objects.get(place)
        if needs:
            return pl.all_horizontal([pl.col(f"={place}.{name}").is_not_null() for name in needs])
        return pl.any_horizontal([pl.col(f"={entry.place}").is_not_null() for entry in entries])

    def _container(self, place: str, container: Container) -> pl.Expr:
        """Write a container: its presets, then the free-form values."""
        presets = [entry for entry in self._presets[place] if self._is_wanted(entry)]
        kinds = [kind for kind in container.hub if kind != "other"]
        if container.name == "entities":
            parts = [_entities_from_members(part, names) for part, names in self._preset_parts(place, presets)]
            parts += [_entities_of(pl.col(f"_{kind}"), number=kind == "metrics") for kind in kinds]
            return pl.concat_str(pl.lit("["), notation.joined([*parts, pl.col("_other")]), pl.lit("]"))
        preset_parts = [part for part, _ in self._preset_parts(place, presets)]
        parts = preset_parts + [_members_of_map(pl.col(f"_{kind}"), number=kind == "metrics") for kind in kinds]
        if container.name == "mixed_map":
            parts.append(pl.col("_other"))
        written = pl.concat_str(pl.lit("{"), notation.joined(parts), pl.lit("}"))
        if container.name == "mixed_map":
            return written
        there = [*(pl.col(f"_{kind}") for kind in kinds), *preset_parts]
        return pl.when(pl.any_horizontal([part.is_not_null() for part in there])).then(written)

    def _preset_parts(self, place: str, presets: list[Field]) -> Iterator[tuple[pl.Expr, list[str]]]:
        """Give the presets that are there, as members, with the names that may be among them."""
        plain = [entry.path[1] for entry in presets if not _is_json(entry)]
        if plain:
            members = pl.col(f"_plain:{place}")
            yield pl.when(members != "").then(members), plain
        for entry in presets:
            if _is_json(entry):
                yield _member(entry.path[1], pl.col(f"={entry.place}")), [entry.path[1]]

    def _envelope_columns(self) -> dict[str, pl.Expr]:
        envelope = self.layout.envelope
        if envelope is None:
            return {}
        return {f"_{name}": self._coded(entry) for name, entry in envelope.fields.items()}

    # -- verdicts ---------------------------------------------------------------------------------------------

    def _verdict(self) -> tuple[pl.Expr, pl.Expr]:
        """Give the first reason why a row may not be written."""
        codes, messages = [pl.col("code")], [pl.col("message")]
        open_rows = pl.col("code").is_null() & pl.col(FILTERED).is_null()

        def judge(bad: pl.Expr, code: str, message: pl.Expr) -> None:
            codes.append(pl.when(open_rows & bad).then(pl.lit(code)))
            messages.append(pl.when(open_rows & bad).then(message))

        for place, column, required_for, hub in self._requirements():
            bad = column.is_null()
            if required_for:
                bad = bad & (pl.col("=action") == required_for)
            judge(bad, "missing_required", pl.lit(f"{self.layout.address} needs {place}, and the event has no {hub}"))
        for entry in self.columns:
            if entry.codec in ("worth", "money", "number"):
                number = pl.col(f"={entry.place}")
                judge(number.is_in(["NaN", "inf", "-inf"]).fill_null(value=False), "bad_number", pl.lit(f"{entry.place} is not a finite number"))
        for breach in breaches(self.layout, self._for_limits()):
            if breach.limit.hard:
                judge(breach.over, "over_limit", pl.lit(breach.message))
        return pl.coalesce(codes), pl.coalesce(messages)

    def _requirements(self) -> Iterator[tuple[str, pl.Expr, str | None, str]]:
        for entry in self.columns:
            if entry.required or entry.required_for:
                yield entry.place, pl.col(f"={entry.place}"), entry.required_for, " or ".join(entry.hub)
        if self.layout.envelope:
            for name, entry in self.layout.envelope.fields.items():
                yield entry.place, pl.col(f"_{name}"), None, " or ".join(entry.hub)

    def _for_limits(self) -> Rows:
        nothing = pl.lit(None, events.MAP)
        presets = [entry for entries in self._presets.values() for entry in entries if self._is_wanted(entry)]
        return Rows(
            text=pl.col(ROW) if self.layout.records == "json-lines" else None,
            attributes=pl.col("_attributes") if self._rules else nothing,
            metrics=pl.col("_metrics") if self._rules else nothing,
            other_count=pl.col("other").map.len().fill_null(0) if self._rules and self._rules.shared else pl.lit(0, pl.UInt32),
            item_count=pl.col("_item_count"),
            values=_NullWhereAbsent({entry.place: pl.col(f"={entry.place}") for entry in self.columns}),
            presets={entry.place: pl.col(f"={entry.place}") for entry in presets},
            texts={entry.place: pl.col(f"={entry.place}") for entry in presets if _is_text(entry)},
        )

    # -- losses -----------------------------------------------------------------------------------------------

    def _carried(self) -> set[str]:
        """Give the columns that arrive in every event."""
        carried: set[str] = set()
        entries = [*self.columns, *(entry for entries in self._presets.values() for entry in entries if not entry.when)]
        if self.layout.envelope:
            entries += self.layout.envelope.fields.values()
        for entry in entries:
            codec = SCALARS[entry.codec]
            carried |= set(entry.hub if entry.codec == "first_of" else entry.hub[: codec.carries])
        for entry in self._containers.values():
            carried |= set(CONTAINERS[entry.codec].hub)
        return carried

    def _carried_when(self) -> dict[str, tuple[str, ...]]:
        """Give the columns that arrive in some events only, and in which."""
        presets = [entry for entries in self._presets.values() for entry in entries if entry.when and entry.hub]
        return {entry.hub[0]: entry.when for entry in presets}

    def _notes(self) -> pl.Expr:
        """Put together the keys that the reader noted, that are renamed, and that have no place."""
        parts = [pl.col("notes"), pl.col("_recipe_notes")]
        if self._rules:
            parts.append(pl.col("_key_notes"))
        carried = self._carried()
        for name in ("attributes", "metrics", "other", "extra"):
            if name in carried or name not in self.source.provided:
                continue
            kind = "cannot" if name in self.layout.cannot else "not_mapped"
            place = "" if name == "extra" else f"{self.source.place(name)}."
            keys = notes_of_keys(pl.col(name), kind, place)
            if self.source.set_by_recipe:  # what a rule took its value from did arrive
                used = pl.col("_used").list.eval(pl.concat_str(pl.lit(note(kind, "")), pl.element()))
                keys = pl.when(pl.col("_used").list.len() > 0).then(keys.list.set_difference(used)).otherwise(keys)
            parts.append(keys)
        return all_notes(parts)

    def plan(self) -> Plan:
        """Say what is lost, and what there is to tell, as expressions over the written rows."""
        plan = Plan()
        carried, conditional = self._carried(), self._carried_when()
        for column in sorted(self.source.provided - carried):
            if column in ("file", "line", "attributes", "metrics", "other", "extra"):
                continue
            kind = "cannot" if column in self.layout.cannot else "not_mapped"
            why = self.layout.cannot.get(column, f"{self.layout.address} says no place for it")
            lost = pl.col(column).is_not_null()
            if column in conditional:
                kind, why = "cannot", f"{self.layout.address} has a place for it in some events only: {', '.join(conditional[column])}"
                lost = lost & ~pl.col("name").is_in(list(conditional[column]))
            plan.losses.append(Loss(self.source.place(column), kind, why, lost, pl.col(column)))
        for entry in [*self.columns, *(entry for entries in self._presets.values() for entry in entries)]:
            self._plan_entry(plan, entry)
        if self.layout.envelope:
            for name, entry in self.layout.envelope.fields.items():
                self._plan_exchanged(plan, entry, pl.col(f"_{name}"))
        self._plan_objects(plan)
        for breach in breaches(self.layout, self._for_limits()):
            if not breach.limit.hard:
                plan.findings.append(Finding("over_advice", breach.message, breach.over))
        return plan

    def _plan_objects(self, plan: Plan) -> None:
        """Count what an object that lacks what it needs would have held."""
        for place, needs in self.layout.objects.items():
            there = self._object_is_there(place, [])
            for entry in self.columns:
                if entry.path[:-1] == tuple(place.split(".")) and entry.hub[0] in self.source.provided:
                    why = f"{place} needs {' and '.join(needs)}"
                    column = pl.col(entry.hub[0])
                    plan.losses.append(Loss(self.source.place(entry.hub[0]), "cannot", why, column.is_not_null() & ~there, column))

    def _plan_entry(self, plan: Plan, entry: Field) -> None:
        columns = [pl.col(name) for name in entry.hub]
        codec = SCALARS[entry.codec]
        if not entry.hub or entry.hub[0] not in self.source.provided:
            if entry.default is not None:
                self._plan_default(plan, entry)
            if entry.codec != "first_of":
                return
        place = self.source.place(entry.hub[0])
        if codec.changed is not None:
            plan.losses.append(Loss(place, "changed", codec.why, codec.changed(columns), columns[0]))
        if entry.codec == "event_name":
            plan.losses.append(Loss(place, "changed", codec.why, pl.col("_spelled") != pl.col(f"={entry.place}"), columns[0]))
        if entry.codec == "first_of":
            self._plan_first_of(plan, entry)
        if entry.codec == "app_id" and self.mapping.model == "clickstream":
            legal = pl.col(f"={entry.place}").str.contains(rf"^{CLICKSTREAM_APP_ID.pattern}$")
            message = "application ids that Clickstream's console refuses; say --set app_ids.OLD=new"
            plan.findings.append(Finding("app_id_not_legal", message, ~legal))
        self._plan_exchanged(plan, entry, pl.col(f"={entry.place}"))
        if entry.table:
            known = columns[0].str.to_lowercase().is_in(list(self.mapping.tables[entry.table]))
            plan.findings.append(Finding("unknown_platform", f"{place}: not in the table of {self.mapping.model}, kept as it is", ~known))
        if entry.default is not None:
            self._plan_default(plan, entry)

    def _plan_exchanged(self, plan: Plan, entry: Field, written: pl.Expr) -> None:
        """Tell the values that a table of the mapping or of the settings exchanges for others."""
        by_settings = entry.codec == "app_id" and self.settings.app_ids
        if (entry.table or by_settings) and entry.hub[0] in self.source.provided:
            why = "exchanged by a table of values" if entry.table else SCALARS[entry.codec].why
            column = pl.col(entry.hub[0])
            plan.losses.append(Loss(self.source.place(entry.hub[0]), "changed", why, written != column, column))

    def _plan_default(self, plan: Plan, entry: Field) -> None:
        message = f"{entry.place} is unknown and required: {entry.default} was written"
        plan.findings.append(Finding("default_written", message, pl.col(entry.hub[0]).is_null()))

    def _plan_first_of(self, plan: Plan, entry: Field) -> None:
        """Count what stands behind the first one that is there, unless it is carried elsewhere."""
        elsewhere = {
            column
            for other in [*self.columns, *(preset for presets in self._presets.values() for preset in presets)]
            if other is not entry
            for column in other.hub[: SCALARS[other.codec].carries]
        }
        earlier = pl.lit(False)
        for name in entry.hub:
            column = pl.col(name)
            if name in self.source.provided:
                if name not in elsewhere:
                    lost = column.is_not_null() & earlier
                    plan.losses.append(Loss(self.source.place(name), "cannot", f"{entry.place} holds one id", lost, column))
                first = column.is_not_null() & ~earlier
                plan.findings.append(Finding(f"{entry.place.lower()}_from", f"{entry.place} is the event's {name}", first))
            earlier = earlier | column.is_not_null()


class _NullWhereAbsent(dict[str, pl.Expr]):
    """Places that a layout leaves out are null."""

    def __missing__(self, place: str) -> pl.Expr:
        return pl.lit(None, pl.String)


def _is_json(entry: Field) -> bool:
    return entry.codec in SCALARS and entry.const is None and SCALARS[entry.codec].wire in ("number", "json")


def _is_text(entry: Field) -> bool:
    return isinstance(entry.const, str) if entry.const is not None else SCALARS[entry.codec].wire == "text"


def _member(name: str, value: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(json.dumps(name, ensure_ascii=False) + ":"), value)


def _members_of_map(column: pl.Expr, *, number: bool) -> pl.Expr:
    """Write a map's members without braces; numbers lose the quotes that their digits got."""
    encoded = pl.struct(m=column).struct.json_encode()
    inner = encoded.str.slice(6).str.strip_suffix("}}")
    if number:
        inner = inner.str.replace_all(r'":"([-0-9.]+)"', '":$1')
    return pl.when(column.map.len() > 0).then(inner)


def _entities_of(column: pl.Expr, *, number: bool) -> pl.Expr:
    """Write a map's entries as objects of key and value, without brackets."""
    encoded = pl.struct(m=column.map.entries()).struct.json_encode()
    inner = encoded.str.slice(6).str.strip_suffix("]}")
    if number:
        inner = inner.str.replace_all(r'"value":"([-0-9.]+)"\}', '"value":$1}')
    return pl.when(column.map.len() > 0).then(inner)


def _entities_from_members(members: pl.Expr, names: list[str]) -> pl.Expr:
    """Turn the members of an object with known, plain names into entities.

    A quote inside of a text is escaped, so `"name":` stands only where a member begins.
    """
    either = "|".join(names)
    entities = members.str.replace_all(rf',"({either})":', '},{"key":"$1","value":')
    return entities.str.replace(rf'^"({either})":', '{"key":"$1","value":') + pl.lit("}")


def _each(series: pl.Series, function: Callable[[Any], str | None]) -> pl.Series:
    if series.null_count() == len(series):
        return pl.Series([None] * len(series), dtype=pl.String)
    return pl.Series([function(value) if value else None for value in series], dtype=pl.String)


def _more_notes(notes: pl.Series, more: list[list[str]]) -> pl.Series:
    """Add to each event's notes."""
    both = [[*(old if old is not None else ()), *new] or None for old, new in zip(notes, more, strict=True)]
    return pl.Series(both, dtype=pl.List(pl.String))


def _lengths(lists: pl.Series) -> pl.Series:
    """Count the elements of JSON lists."""
    if lists.null_count() == len(lists):
        return pl.Series([None] * len(lists), dtype=pl.Int64)
    return pl.Series([len(json.loads(text)) if text else None for text in lists], dtype=pl.Int64)
