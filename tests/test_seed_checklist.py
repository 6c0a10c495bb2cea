"""Every row of the seed documents' checklist has a place in the project."""

import tomllib
from pathlib import Path

import pytest

import translate
from translate import mapping
from translate.mapping.settings import KEYS
from translate.vocabulary.spelling import camel_case
from translate.vocabulary.words import VOCABULARY, word_of

ROOT = Path(__file__).resolve().parent.parent
ROWS = range(1, 91)

MA, CS, LC, PE, PP = (
    "mobile_analytics/archive",
    "clickstream/events",
    "learning_context/events",
    "personalize/interactions",
    "pinpoint/requests",
)
MR, RS, CR, CB, LR, PR = (
    "mobile_analytics/requests", "mobile_analytics/redshift", "clickstream/requests", "clickstream/raw", "learning_context/requests", "personalize/requests",
)  # fmt: skip
CONTEXT = "client_context"
QUERY = "query"


def fields(address, *places):
    """Write down places of a layout."""
    return [("field", address, place) for place in places]


def around(address, *places):
    """Write down places of a layout's requests."""
    return [("around", address, place) for place in places]


# Row of the checklist: what it asks for, and where that is.
PLACED = {
    1: ("Pinpoint is the successor", [("model", "pinpoint")]),
    2: ("1,500 event types", [("archive_limit", layout, "event_types_max", 1500) for layout in (MA, MR, PP)] + [("call", "validate")]),
    3: ("40 attributes and metrics", [("limit", layout, "names_and_values_max", 40) for layout in (MR, PP)]),
    4: ("client context, JSON in a header", [("opened", MR, CONTEXT), ("also_of_request", MR, CONTEXT, "headers.x-amz-client-context")]),
    5: ("client", [*fields(MA, "client.client_id", "application.title", "application.version_name", "application.version_code", "application.package_name"),
                   ("required", MR, f"{CONTEXT}.client.client_id"), ("required", MR, f"{CONTEXT}.client.app_title"),
                   *(("optional", MR, f"{CONTEXT}.client.{name}") for name in ("app_version_name", "app_version_code", "app_package_name"))]),
    6: ("custom pairs of the installation", [("as", MR, f"{CONTEXT}.custom", "map_of_texts")]),
    7: ("env.platform, of seven values", [*fields(MA, "device.platform.name"), ("required", MR, f"{CONTEXT}.env.platform"), ("table", "mobile_analytics", "platforms"),
                                          ("seven", "mobile_analytics", "platforms"), ("check", MR, "values_usual")]),
    8: ("env", [*fields(MA, "device.model", "device.make", "device.platform.version", "device.locale.code"),
                *around(MR, *(f"{CONTEXT}.env.{name}" for name in ("model", "make", "platform_version", "locale")))]),
    9: ("app_id", [*fields(MA, "application.app_id"), ("required", MR, f"{CONTEXT}.services.mobile_analytics.app_id")]),
    10: ("events, a batch", [("each", MR, "body.events"), ("opened", MR, "body"), ("packs", MR)]),
    11: ("eventType", [("required", MA, "event_type"), ("required", MR, "eventType")]),
    12: ("timestamp, any ISO 8601 form", [("required", MA, "event_timestamp"), ("required", MR, "timestamp"), ("as", MR, "timestamp", "iso8601")]),
    13: ("attributes, 50 and 200 characters", [("as", layout, "attributes", "text_map") for layout in (MA, MR)]
         + [("limit", layout, name, most) for layout in (MR, PP) for name, most in (("key_characters_max", 50), ("text_characters_max", 200))]),
    14: ("metrics, 50 characters", [("as", layout, "metrics", "number_map") for layout in (MA, MR)] + [("limit", layout, "key_characters_max", 50) for layout in (MR, PP)]),
    15: ("either collection may be left out", [("optional", layout, place) for layout in (MA, MR) for place in ("attributes", "metrics")]),
    16: ("session, not required", [("optional", MA, "session.session_id"), ("optional", MA, "session.start_timestamp"), ("whole", MR, "session", ("id", "startTimestamp"))]),
    17: ("version", [*fields(MA, "event_version"), ("const", MR, "version", "v2.0"), ("check", MR, "places_advised")]),
    18: ("the page's example", [("example", "mobile_analytics_put_events")]),
    23: ("export to S3", [("layout", MA)]),
    24: ("export to Redshift", [("layout", RS), ("records", RS, "csv"), ("as", RS, "a_*", "text_columns"), ("as", RS, "m_*", "number_columns")]),
    26: ("required fields", [("required", CS, place) for place in ("event_type", "event_id", "timestamp", "app_id")] + fields(CS, "items", "user", "attributes")),
    27: ("1 MB", [("limit", CS, "bytes_max", 1_000_000), ("limit_of_requests", CR, "bytes_max", 1_000_000)]),
    29: ("an appId that the console made", [("required", CS, "app_id"), ("required", CR, f"{QUERY}.appId"), ("required", CB, "appId"), ("setting", "app_ids"), ("check", CS, "values_pattern")]),
    30: ("X-Forwarded-For and User-Agent", [("asks", CB, "ip", "forwarded_address"), ("asks", CB, "ua", "user_agent")]),
    32: ("query `platform`", [*around(CR, f"{QUERY}.platform"), *around(CB, "platform")]),
    33: ("event_bundle_sequence_id", [("stamp", CR, f"{QUERY}.event_bundle_sequence_id", "sequence")]),
    34: ("hashCode", [("stamp", CR, f"{QUERY}.hashCode", "body_digest"), ("closed", CR, "body"), ("stamp", CB, "uri", "uri")]),
    35: ("compression, read and not written", [("stamp", CR, f"{QUERY}.compression", "transport"), ("stamp", CB, "compression", "transport")]),
    36: ("an array of events", [("each", CR, "body"), ("each", CB, "data"), ("bare", CR), ("packs", CR), ("packs", CB)]),
    37: ("naming rules", [("as", CS, "event_type", "event_name"), ("legal", CS), ("setting", "keep_names")]),
    38: ("event_id", [("required", CS, "event_id")]),
    39: ("whole milliseconds", [("as", CS, "timestamp", "epoch_ms")]),
    40: ("platform", [*fields(CS, "platform"), ("table", "clickstream", "platforms"), ("tested", "written", "test_platforms_as_archives_spell_them")]),
    41: ("device", fields(CS, "os_version", "make", "brand", "model", "carrier", "network_type", "screen_height", "screen_width", "viewport_height", "viewport_width")),
    42: ("locale", [*fields(CS, "locale"), ("as", CS, "system_language", "language"), ("as", CS, "country_code", "country")]),
    43: ("zone_offset, written always", [("as", CS, "zone_offset", "whole"), ("default", CS, "zone_offset", 0)]),
    44: ("sdk and app", fields(CS, "sdk_name", "sdk_version", "app_package_name", "app_version", "app_title")),
    45: ("ids", fields(CS, "unique_id", "device_id")),
    46: ("items, up to 100", [*fields(CS, "items"), ("limit", CS, "items_max", 100)]),
    47: ("user, up to 100", [("as", CS, "user", "user_object"), ("limit", CS, "user_attributes_max", 100)]),
    48: ("attributes, up to 500", [*fields(CS, "attributes"), ("limit", CS, "attributes_max", 500), ("legal", CS)]),
    49: ("values of mixed types", [("as", CS, "attributes", "mixed_map")]),
    53: ("proof of arrival", [("call", "parity"), ("tested", "parity", "test_the_figures")]),
    54: ("action", [("as", LC, "action", "action")]),
    55: ("type", [("required", LC, "type")]),
    56: ("Unix seconds", [("as", LC, "timestamp", "epoch_s")]),
    57: ("8 to 20 characters", [("as", LC, "session", "short_session"), ("as", LC, "entities.session_id", "long_session")]),
    58: ("END needs its session", [("required_for", LC, "session", "END")]),
    59: ("entities", [("as", LC, "entities", "entities")]),
    60: ("always an array", [("each", LR, "data"), ("packs", LR)]),
    62: ("no stated batch size: a bound of our own", [("packs", LR), ("limits_none", LR)]),
    64: ("the page's pair", [("example", "learning_context_post_events_update"), ("name", "learning_context", "session.start"), ("name", "learning_context", "session.stop")]),
    65: ("trackingId", [("required", PR, "trackingId"), ("asks", PR, "trackingId", "tracking_id"), ("setting", "tracking_id")]),
    66: ("userId, optional in a call, required in the CSV", [("required", PE, "USER_ID"), ("optional", PR, "userId")]),
    67: ("sessionId", [("required", PR, "sessionId")]),
    68: ("eventList", [("each", PR, "eventList"), ("packs", PR), ("limit_of_requests", PR, "events_max", 10)]),
    69: ("eventId", [("required", PR, "eventId"), ("taken_without", PR, "eventId")]),
    70: ("eventType, eventValue, itemId", [*fields(PE, "EVENT_TYPE", "EVENT_VALUE"), ("required", PE, "ITEM_ID"), ("required", PR, "eventType"),
                                           ("as", PR, "eventValue", "worth"), *fields(PR, "itemId")]),
    71: ("what the source lacks", [("asks", MR, f"{CONTEXT}.client.client_id", "client_id"), ("asks", MR, f"{CONTEXT}.client.app_title", "app_title"),
                                   ("asks", MR, f"{CONTEXT}.env.platform", "platform"), ("asks", PP, "EventsRequest.BatchItem.*", "client_id"),
                                   ("tested", "ready_recipes", "test_settings_are_asked_for_by_name"), ("required", PE, "ITEM_ID"), ("required", CS, "app_id"), ("optional", CS, "app_title"), ("required", MR, f"{CONTEXT}.client.app_title"),
                                   ("required", PR, "sessionId"), ("setting", "app_ids"), ("setting", "app_id")]),
    72: ("properties", [("as", PR, "properties", "properties"), ("as_text", "properties"), ("limit", PR, "properties_characters_max", 1024)]),
    73: ("camelCase names", [("camel", "NUM_RATINGS", "numRatings"), ("as", PR, "properties", "properties"), ("own_columns", PE), ("setting", "columns"),
                             ("tested", "personalize_columns", "test_columns_in_requests"), ("tested", "personalize_columns", "test_columns_named_by_a_recipe")]),
    74: ("sentAt", [("as", PE, "TIMESTAMP", "epoch_s"), ("as", PR, "sentAt", "epoch_s_exact")]),
    75: ("recommendationId", [("tested", "personalize_columns", "test_optional_columns_are_written_where_the_source_can_have_them"), *fields(PE, "RECOMMENDATION_ID"), *fields(PR, "recommendationId")]),
    76: ("impression", [("as", PE, "IMPRESSION", "piped"), ("limit", PE, "impression_characters_max", 1000), ("as", PR, "impression", "json_text"), ("limit", PR, "impression_items_max", {"elements": [1, 25], "characters": [1, 256]})]),
    77: ("metricAttribution", [*fields(PE, "EVENT_ATTRIBUTION_SOURCE"), *fields(PR, "metricAttribution.eventAttributionSource")]),
    79: ("a line as --cli-input-json takes it", [("layout", PR), ("tops", PR, ("trackingId", "userId", "sessionId", "eventList"))]),
    80: ("a bare --event-list; the others are no files of events", [("bare", PR)]),
    81: ("both ages of the shape", [("also", PR, "itemId", "properties.itemId"), ("also", PR, "eventValue", "properties.eventValue")]),
    82: ("split and merge", [("codec", "text_map"), ("codec", "number_map"), ("codec", "mixed_map")]),
    83: ("entities to map", [("codec", "entities")]),
    84: ("times", [("codec", name) for name in ("iso8601", "epoch_ms", "epoch_s", "epoch_s_exact", "epoch_ms_text")]),
    85: ("mapping files", [("model", name) for name in ("mobile_analytics", "pinpoint", "clickstream", "learning_context", "personalize")]),
    19: ("the answer", [("tested", "endpoints", "test_success_puts_every_event_into_sent"), ("tested", "rehearsal_clients", "test_recorded_requests_to_mobile_analytics")]),
    20: ("400", [("tested", "endpoints", "test_statuses_that_blame_the_content_refuse_the_whole"), ("tested", "rehearsal_limits", "test_mobile_analytics_judges_requests")]),
    21: ("403", [("tested", "endpoints", "test_statuses_that_turn_everybody_away_stop"), ("tested", "rehearsal_limits", "test_mobile_analytics_knows_its_apps")]),
    22: ("413", [("tested", "endpoints", "test_statuses_that_blame_the_content_refuse_the_whole"), ("tested", "rehearsal_limits", "test_mobile_analytics_judges_requests")]),
    25: ("endpoint address", [("call", "replay"), ("tested", "endpoints", "test_targets_that_cannot_be_right")]),
    28: ("POST and its content type", [("tested", "endpoints", "test_clickstream_on_the_wire")]),
    31: ("auth cookie", [("tested", "endpoints", "test_clickstream_on_the_wire"), ("tested", "rehearsal_limits", "test_clickstream_asks_for_its_cookie")]),
    50: ("200 and nothing else", [("tested", "endpoints", "test_another_success_is_none")]),
    51: ("403", [("tested", "endpoints", "test_statuses_that_turn_everybody_away_stop"), ("tested", "rehearsal_limits", "test_clickstream_balancer_turns_away")]),
    52: ("example requests", [("example", "clickstream_http_api"), ("tested", "rehearsal_clients", "test_recorded_requests_to_clickstream")]),
    61: ("authentication", [("tested", "endpoints", "test_learning_context_signature"), ("tested", "rehearsal_limits", "test_learning_context_verifies_its_signature")]),
    63: ("result 1", [("tested", "endpoints", "test_learning_context_results")]),
    78: ("the one declared error", [("tested", "rehearsal_limits", "test_personalize_takes_all_or_nothing")]),
    86: ("in bulk, and replayed", [("call", "convert"), ("call", "replay")]),
    87: ("libraries", [("library", name) for name in ("typer", "polars", "boto3", "python-dateutil")]),
    88: ("top level", [("folder", name) for name in ("translate", "mappings", "sample_data", "tests")]),
    89: ("batch conversion", [("call", "convert")]),
    90: ("runbooks and exploration", [("notebook", name) for name in ("explore_archive", "mobile_analytics_to_clickstream", "mobile_analytics_to_personalize", "pinpoint_to_clickstream_raw")]),
}  # fmt: skip


def layout_of(address):
    return mapping.find_layout(address)[1]


def field_of(address, place):
    """Find a field, of the event or of the request around it."""
    found = [entry for entry in layout_of(address).all_fields if entry.place == place]
    assert found, f"{address} has no field {place}"
    return found[0]


def request_of(address):
    request = layout_of(address).request
    assert request, f"{address} is no layout of requests"
    return request


def is_there(kind, *what):
    """Tell whether a pointer of the table leads somewhere."""
    checks = {
        "model": lambda name: name in mapping.models(),
        "layout": lambda address: layout_of(address) is not None,
        "field": lambda address, place: field_of(address, place) is not None,
        "required": lambda address, place: field_of(address, place).required,
        "optional": lambda address, place: not field_of(address, place).required,
        "required_for": lambda address, place, phase: field_of(address, place).required_for == phase,
        "as": lambda address, place, codec: field_of(address, place).codec == codec,
        "around": lambda address, place: field_of(address, place) in request_of(address).fields,
        "each": lambda address, way: ".".join(request_of(address).each) == way,
        "opened": lambda address, name: name in request_of(address).opened,
        "closed": lambda address, name: name in request_of(address).closed,
        "bare": lambda address: request_of(address).bare,
        "packs": lambda address: request_of(address).events_max is not None or request_of(address).bytes_max is not None,
        "stamp": lambda address, place, name: field_of(address, place).codec == name and word_of(name).is_stamp,
        "also": lambda address, place, other: other in field_of(address, place).also,
        "also_of_request": lambda address, name, other: other in request_of(address).also[name],
        "asks": lambda address, place, setting: field_of(address, place).setting == setting and setting in KEYS,
        "const": lambda address, place, value: field_of(address, place).const == value,
        "whole": lambda address, name, needs: layout_of(address).objects[name] == needs,
        "records": lambda address, kind: layout_of(address).records == kind,
        "tops": lambda address, names: {entry.path[0] for entry in request_of(address).fields} | {request_of(address).each[0]} == set(names),
        "taken_without": lambda address, place: place in layout_of(address).taken_without,
        "check": lambda address, name: name in layout_of(address).checks,
        "archive_limit": lambda address, name, value: layout_of(address).archive_limits[name].value == value,
        "limit_of_requests": lambda address, name, value: request_of(address).limits[name].value == value,
        "limits_none": lambda address: not request_of(address).limits,
        "seven": lambda model, name: len(set(mapping.load(model).tables[name].values())) == 7,
        "as_text": lambda name: word_of(name).write_as_text,
        "camel": lambda name, written: camel_case(name) == written,
        "default": lambda address, place, value: field_of(address, place).default == value,
        "own_columns": lambda address: layout_of(address).takes_columns,
        "legal": lambda address: layout_of(address).legal_names,
        "limit": lambda address, name, value: layout_of(address).limits[name].value == value,
        "table": lambda model, name: bool(mapping.load(model).tables[name]),
        "name": lambda model, name: name in mapping.load(model).names,
        "codec": lambda name: name in VOCABULARY,
        "setting": lambda name: name in KEYS,
        "example": lambda name: (ROOT / "tests" / "seeds" / f"{name}.json").is_file(),
        "library": lambda name: any(line.startswith(name) for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]),
        "folder": lambda name: (ROOT / name).is_dir(),
        "notebook": lambda name: (ROOT / "notebooks" / f"{name}.ipynb").is_file(),
        "tested": lambda file, name: f"def {name}(" in (ROOT / "tests" / f"test_{file}.py").read_text(encoding="utf-8"),
        "call": lambda name: callable(getattr(translate, name)),
    }  # fmt: skip
    return checks[kind](*what)


def test_every_row_is_placed():
    """No row of the checklist is missing."""
    assert PLACED.keys() == set(ROWS)


@pytest.mark.parametrize("row", PLACED)
def test_a_row_has_its_places(row):
    """What a row asks for is where the table says."""
    _, pointers = PLACED[row]
    assert pointers
    assert [pointer for pointer in pointers if not is_there(*pointer)] == []
