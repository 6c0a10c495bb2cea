"""What happened to the data: counts that add up, losses, findings, and which files they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from translate.conversion.naming import Names
from translate.errors import ConservationError
from translate.wording.nearness import Watched

COUNTS = ("read", "added", "written", "rejected", "filtered", "duplicates", "merged")
NAMES_MAX = 1000  # names of events that are listed for each reason to leave them out


@dataclass
class RunReport:
    """The account of a run, or of one unit of it; accounts add up, but for what only a unit's tells: its files."""

    events: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    filtered: Counter[str] = field(default_factory=Counter)
    losses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, str], str] = field(default_factory=dict)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    careful: int = 0
    requests: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, Counter[str | None]] = field(default_factory=dict)  # of what is filtered, the names
    tallies: Counter[str] = field(default_factory=Counter)  # what rules and selection did, by their flags
    watched: Watched = field(default_factory=Watched)
    names: Names = field(default_factory=Names)

    def add(self, other: RunReport) -> None:
        """Add another unit's account."""
        self.events += other.events
        self.rejects += other.rejects
        self.filtered += other.filtered
        self.losses.update(other.losses)
        self.findings.update(other.findings)
        for key, example in other.examples.items():
            self.examples[key] = min(example, self.examples.get(key, example))
        self.careful += other.careful
        self.requests += other.requests
        self.tallies.update(other.tallies)
        self.watched.add(other.watched)
        for reason, names in other.left_out.items():
            self.left_out[reason] = commonest(self.left_out.get(reason, Counter()) + names)
        self.names.add(other.names)

    def lose(self, field: str, kind: str, why: str, events: int, example: str | None = None) -> None:
        """Count a loss."""
        if events:
            key = (field, kind, why)
            self.losses[key] += events
            if example is not None:
                self.examples[key] = min(example, self.examples.get(key, example))

    def find(self, code: str, message: str, events: int) -> None:
        """Count a finding."""
        if events:
            self.findings[code, message] += events

    def check(self, where: str) -> None:
        """Raise ConservationError unless every event that went in came out somewhere."""
        went_in = self.events["read"] + self.events["added"]
        came_out = sum(self.events[name] for name in COUNTS if name not in ("read", "added"))
        if went_in != came_out:
            counts = ", ".join(f"{name} {self.events[name]}" for name in COUNTS)
            raise ConservationError(
                f"{where}: events do not add up ({counts}); please report this with the archive's layout"
            )

    @property
    def careful_share(self) -> float:
        """Give the share of the records that the careful reader read."""
        return round(self.careful / self.events["read"], 6) if self.events["read"] else 0.0

    def to_json(self) -> dict[str, Any]:
        """Give the account as JSON values, in an order that does not depend on the run's."""
        return {
            "events": {name: self.events[name] for name in COUNTS},
            "rejects": dict(sorted(self.rejects.items())),
            "filtered": dict(sorted(self.filtered.items())),
            **({"filtered_names": self._names_left_out()} if self.left_out else {}),
            "findings": [
                {"code": code, "message": message, "events": count}
                for (code, message), count in sorted(self.findings.items())
            ],
            "losses": [
                {"field": name, "kind": kind, "why": why, "events": count, **self._example(name, kind, why)}
                for (name, kind, why), count in sorted(self.losses.items())
            ],
            "careful": self.careful,
            "careful_share": self.careful_share,
            **({"requests": self.requests} if self.requests else {}),
        }

    def _example(self, *key: *tuple[str, str, str]) -> dict[str, str]:
        example = self.examples.get(key)
        return {} if example is None else {"example": example}

    def _names_left_out(self) -> dict[str, list[dict[str, Any]]]:
        """Give the names of what is filtered, the frequent ones first, and last, without a name, all that are too rare."""
        return {
            reason: [{"name": name, "events": count} for name, count in sorted(names.items(), key=_weight)]
            for reason, names in sorted(self.left_out.items())
        }

    def to_record(self) -> dict[str, Any]:
        """Give all that a later run needs to add the account up again."""
        return {
            **self.to_json(),
            "files": self.files,
            "tallies": self.tallies,
            "watched": self.watched.to_json(),
            "names": self.names.to_json(),
        }

    @classmethod
    def from_record(cls, values: dict[str, Any]) -> RunReport:
        """Read back what `to_record` gave."""
        report = cls.from_json(values, values["files"])
        report.tallies = Counter(values["tallies"])
        report.watched = Watched.from_json(values["watched"])
        report.names = Names.from_json(values["names"])
        return report

    @classmethod
    def from_json(cls, values: dict[str, Any], files: Iterable[dict[str, Any]] = ()) -> RunReport:
        """Read an account back."""
        report = cls(
            events=Counter({name: count for name, count in values["events"].items() if count}),
            rejects=Counter(values["rejects"]),
            filtered=Counter(values["filtered"]),
            careful=values["careful"],
            requests=values.get("requests", 0),
            files=list(files),
        )
        for reason, names in values.get("filtered_names", {}).items():
            report.left_out[reason] = Counter({entry["name"]: entry["events"] for entry in names})
        for loss in values["losses"]:
            report.lose(loss["field"], loss["kind"], loss["why"], loss["events"], loss.get("example"))
        for finding in values["findings"]:
            report.find(finding["code"], finding["message"], finding["events"])
        return report


def commonest(names: Counter[str | None]) -> Counter[str | None]:
    """Keep the most frequent names; the others count together, under none."""
    if len(names) <= NAMES_MAX:
        return names
    ordered = sorted(((name, count) for name, count in names.items() if name is not None), key=_weight)
    kept: Counter[str | None] = Counter(dict(ordered[:NAMES_MAX]))
    kept[None] = names.total() - kept.total()
    return kept


def _weight(entry: tuple[str | None, int]) -> tuple[bool, int, str]:
    name, count = entry
    return name is None, -count, name or ""
