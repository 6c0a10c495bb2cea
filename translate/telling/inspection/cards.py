"""Where an archive could go, on the page: a card for each model, its best layout first, the others a click away."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from translate.judging.hazards import duration, number
from translate.telling.inspection.grading import GradedTarget
from translate.telling.pages import Markup, element, folded, joined, paragraph, table
from translate.wording.rendering import many

ORDER = ("fits", "loses", "part", "drops", "none")
GRADES = {
    "fits": "everything arrives",
    "loses": "arrives, with losses",
    "part": "takes a part",
    "drops": "accepts it, then drops it",
    "none": "takes nothing as it is",
}
IN_VERDICT = {
    "fits": "all of it arrives in", "loses": "it arrives, with losses, in", "part": "a part of it is taken by",
    "drops": "it is accepted and then dropped by", "none": "nothing of it is taken, as it is, by",
}  # fmt: skip
HAS_ENDED = "the service has ended"
KINDS = {"cannot": "no place", "not_mapped": "no place", "on_purpose": "left out", "changed": "changed"}


class Model:
    """The layouts of one model, the best first."""

    def __init__(self, targets: Sequence[GradedTarget]) -> None:
        self.targets = sorted(targets, key=lambda target: ORDER.index(target.grade))
        self.best = self.targets[0]
        self.drops = self.best.grade != "drops" and any(target.grade == "drops" for target in targets)
        self.has_ended = self.best.has_ended

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Order models: those that are still there first, then by their best layout."""
        return self.has_ended, ORDER.index(self.best.grade), self.best.layout


def models_of(targets: Sequence[GradedTarget]) -> list[Model]:
    """Put the layouts of each model together, the best model first."""
    by_title: dict[str, list[GradedTarget]] = {}
    for target in targets:
        by_title.setdefault(target.title, []).append(target)
    return sorted((Model(mine) for mine in by_title.values()), key=lambda model: model.rank)


def verdict(targets: Sequence[GradedTarget], at_home: Collection[str] = ()) -> str:
    """Say in one sentence where an archive could go but home."""
    models = [model for model in models_of(targets) if model.best.title not in at_home]
    told = []
    for grade, words in IN_VERDICT.items():
        titles = [model.best.title for model in models if model.best.grade == grade and not model.has_ended]
        if titles:
            told.append(f"{words} {_listed(titles)}")
    dropped = [model.best.title for model in models if model.drops and not model.has_ended]
    if dropped:
        told.append(f"sent to {_listed(dropped)} now, it would be accepted and then dropped")
    ended = [model.best.title for model in models if model.has_ended]
    if ended:
        told.append(f"{_listed(ended)} {'has' if len(ended) == 1 else 'have'} ended")
    sentence = "; ".join(told)
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def _listed(titles: Sequence[str]) -> str:
    *first, last = titles
    return f"{', '.join(first)} and {last}" if first else last


def cards(targets: Sequence[GradedTarget]) -> Iterator[Markup]:
    """Write a card for each model."""
    if not targets:
        return
    yield paragraph(
        f"The first {targets[0].tried:,} events were tried on each, without a recipe; ages, users and repeats are those of all events."
        " A recipe can rename, fill in and drop: translate explain shows each field, translate convert does it.",
        quiet=True,
    )
    for model in models_of(targets):
        best, *others = model.targets
        rest = [
            folded(
                f"{many(len(others), 'other layout')}: {', '.join(f'{other.layout} ({_grade(other)})' for other in others)}",
                *(_card(other, "h4", other.layout, "") for other in others),
            )
        ]
        told = f"{_grade(best)}; {HAS_ENDED}" if model.has_ended else _grade(best)
        yield _card(best, "h3", best.title, best.layout, told, *(rest if others else []))


def _grade(target: GradedTarget) -> str:
    changed = ", some of it changed" if target.grade == "fits" and (target.losses or target.altered) else ""
    return GRADES[target.grade] + changed


def _card(target: GradedTarget, tag: str, title: str, address: str, grade: str = "", *rest: Markup) -> Markup:
    points = [element("li", point) for point in [*_fit(target), *_delivery(target.delivery)]]
    anchor = f"to-{(address or title).replace('/', '-')}"
    about = joined([element("code", address), " ", target.about]) if address else target.about
    return element(
        "article",
        element("header", element(tag, title, id=anchor), element("span", grade or _grade(target), class_="badge"),
                element("span", about, class_="quiet")),
        element("ul", *points), *_losses(target), *rest, class_=f"card {target.grade}", aria_labelledby=anchor,
    )  # fmt: skip


def _fit(target: GradedTarget) -> Iterator[Any]:
    tried = many(target.tried, "event")
    which = f"the {tried}" if target.taken == target.tried else f"{target.taken:,} of {tried}"
    yield f"{which} tried can be written; {many(target.filled, 'field')} filled from the archive"
    for code, count in target.refused.items():
        yield joined([_warned(f"{count:,} refused"), f": {code.replace('_', ' ')}"])
    for change in target.altered:
        yield joined([_warned(f"{change['events']:,} taken and altered"), f": {change['message']}"])
    if target.left_out:
        yield f"{target.left_out:,} of no kind that it takes"
    if target.missing:
        yield joined([_warned("required, and nothing gives it"), f": {', '.join(target.missing)}"])
    if target.settings:
        told = ", ".join(f"--set {name}=..." for name in target.settings)
        yield joined(["it wants to be told: ", element("code", told)])


def _warned(text: str) -> Markup:
    return element("span", text, class_="warn")


def _delivery(delivery: dict[str, Any] | None) -> Iterator[Any]:
    if delivery is None:
        return
    requests, hours, quota = delivery["requests"], delivery["hours"], delivery["quota"]
    least, most = requests["at_least"], requests["at_most"]
    count = many(most, "request") if least == most else f"{least:,} to {many(most, 'request')}"
    allowed = "its quota" if quota["documented"] else "a pace of our own choice, for none is documented"
    at = f"{number(delivery['requests_per_second'])} requests a second (of the {number(quota['requests_per_second'])} that are {allowed})"
    yield f"sent to the endpoint: {count}, {_took(hours)} at {at}; {_took(delivery['hours_at_quota'])} at all of it"
    for found in delivery["findings"]:
        mark = [_warned("loses data"), ": "] if found["loses"] else []
        yield joined([*mark, f"{found['message']}. Instead: {found['instead']}"])


def _took(hours: dict[str, float]) -> str:
    told = (hours["at_least"], hours["at_most"])
    least, most = ("under a second" if each < 1 / 3600 else duration(each * 3600) for each in told)
    return most if least == most else f"{least} to {most}"


def _losses(target: GradedTarget) -> Iterator[Markup]:
    if not target.losses:
        return
    changed = sum(loss["kind"] == "changed" for loss in target.losses)
    lost = len(target.losses) - changed
    told = [f"{count:,} {word}" for count, word in ((lost, "lost"), (changed, "changed")) if count]
    rows = [
        (loss["events"], element("code", loss["field"]), f"{KINDS.get(loss['kind'], loss['kind'])}: {loss['why']}")
        for loss in target.losses
    ]  # fmt: skip
    caption = f"What of {target.layout} does not arrive as it was"
    listed = table(caption, ("events", "field", "what"), rows, [0], is_told=False)
    yield folded(f"what does not arrive as it was: {', '.join(told)}", listed)
