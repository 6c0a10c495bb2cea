"""What Clickstream's data pipeline does with events that its endpoint took: ETL v1.1.14, as it was seen to run.

Sources: ETLRunner, Cleaner, TransformerV3, UAEnrichmentV2 (src/data-pipeline/spark-etl) and ClickstreamEventParser.
"""

from __future__ import annotations

import re
import time
from typing import Any

from translate.rehearsal.messages import is_number, is_whole
from translate.rehearsal.options import Options

WHOLE = ("timestamp", "zone_offset", "screen_height", "screen_width", "viewport_height", "viewport_width")
TYPED_USER = ("_user_id", "_user_name", "_user_age", "_user_first_touch_timestamp")
AGELESS = ("_first_open", "_first_visit", "_profile_set")  # neither too old nor in the future
NUMERIC = re.compile(r"-?\d+(\.\d+)?")
# uap-core takes these for spiders, and FilterBotEventParam is on by default; most other libraries pass.
SPIDER = re.compile(r"Java/|Python-urllib/")

Reason = tuple[str, str]  # code, message


class Reader:
    """Judges the events of one request, at the time at which it came."""

    def __init__(self, options: Options, user_agent: str) -> None:
        self._app_ids = options.app_ids
        self._now_ms = int(time.time() * 1000)
        hours = options.age_limit_hours
        self._oldest_ms = None if hours is None else self._now_ms - int(hours * 3_600_000)
        self._age_limit_hours = hours
        self._spider = SPIDER.match(user_agent) is not None

    def fault(self, event: Any) -> Reason | None:
        """Tell why an event would be lost, or nothing if it would arrive."""
        if not isinstance(event, dict):
            return "no_object", "an event is a JSON object: corrupt folder"
        return _corrupt(event) or self._filtered(event) or _unparsed(event)

    def _filtered(self, event: dict[str, Any]) -> Reason | None:
        at_ms = event["timestamp"]
        if event.get("event_type", event.get("event_name")) not in AGELESS:
            if self._oldest_ms is not None and at_ms < self._oldest_ms:
                return (
                    "age_limit",
                    f"older than {self._age_limit_hours:g} hours: dropped (DataFreshnessInHour)",
                )
            if at_ms > self._now_ms:
                return "in_the_future", "timestamp is in the future: dropped"
        if self._app_ids and event["app_id"] not in self._app_ids:
            return "unknown_app", "app_id is not one of the project's: dropped"
        if self._spider:
            return "bot", "the User-Agent is taken for a spider's: dropped (FilterBotEventParam)"
        return None


def _corrupt(event: dict[str, Any]) -> Reason | None:
    for name in ("event_id", "app_id", "timestamp"):
        if event.get(name) is None:
            return "missing_required", f"no {name}: corrupt folder"
    for name in WHOLE:
        value = event.get(name)
        if value is not None and not is_whole(value):
            return "wrong_type", f"{name} is no whole number: corrupt folder"
    return None


def _unparsed(event: dict[str, Any]) -> Reason | None:
    if event.get("zone_offset") is None:
        return "no_zone_offset", "no zone_offset: corrupt folder, whatever the HTTP API's document says"
    if not isinstance(event.get("attributes"), dict):
        return "no_attributes", "no attributes (an empty object is enough): corrupt folder"
    if not event.get("event_type", event.get("event_name")):
        return "no_event_type", "no event_type: dropped"
    return _user_fault(event.get("user")) or _shape_fault(event)


def _user_fault(user: Any) -> Reason | None:
    for name in TYPED_USER if isinstance(user, dict) else ():
        entry = user.get(name)
        if entry is not None and not (isinstance(entry, dict) and set(entry) == {"value", "set_timestamp"}):
            return (
                "user_malformed",
                f"user.{name} is no object of value and set_timestamp alone: corrupt folder",
            )
    return None


def _shape_fault(event: dict[str, Any]) -> Reason | None:
    items = event.get("items")
    if items is not None and not isinstance(items, list):
        return "items_malformed", "items is no array: corrupt folder"
    previous = event["attributes"].get("_previous_timestamp")
    if previous is not None and not is_number(previous) and not NUMERIC.fullmatch(str(previous)):
        return "wrong_type", "_previous_timestamp is no number: corrupt folder"
    return None
