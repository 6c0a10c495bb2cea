"""What the tables of a data sheet may hold: each key with its meaning. The parser takes no others, and docs/mappings.md shows them."""

from __future__ import annotations

from dataclasses import dataclass

SHEET = {
    "title": "the model's name for people",
    "source": "where the model is documented",
    "names": "how the model spells the well-known events: a hub name each, with its name there, or with a table of name and phase",
    "phase_of_others": "the phase (START, UPDATE or END) of events whose name implies none",
    "tables": "value tables, by names that fields refer to: each a table of the hub's value, in any case, to the model's",
    "layout": "the layouts, each a table under its name",
    "delivery": "how its requests are sent, and what its service does with old data; without it nothing is replayed",
    "additions": "what `--add` can put in, as the model's reader calls it",
    "dashboards": "what the model's dashboards show",
}

SPELLING = {
    "name": "the event's name in the model",
    "phase": "the phase (START, UPDATE or END) without which the name is not meant",
}

LAYOUT = {
    "like": "a layout, or MODEL/LAYOUT, whose members are taken over: fields, checks and personal are put together, any other only where it is missing",
    "about": "a sentence: how events lie in these files",
    "source": "where this layout is documented",
    "records": "what a file consists of",
    "default": "true for the one layout that is meant where the model is named alone",
    "read": "false: it is only written",
    "write": "false: it is only read",
    "fields": "the places of a record, each with its hub column, or with a table",
    "objects": "objects that are left out as a whole where a member that they need is missing",
    "request": "what stands around the events, where a record holds many",
    "only": "which events it takes; without it, all of them",
    "cannot": "hub columns that it has no place for, each with the reason",
    "limits": "what is asked of each row, written or judged",
    "checks": "the same; a layout that is `like` this one has them beside its own",
    "archive_limits": "what is asked of all events together",
    "taken_without": "places that are always written, and that its receiver does without all the same",
    "personal": "places that hold personal data, each with its kind",
    "legal_names": "true: names of events and attributes are made legal, and the original ones travel along",
    "lists": "hub columns of JSON values (`other`, `user_properties`) of which the model makes a list even where there is one value",
    "single_values": "hub columns of JSON values where the model has single values: a list of one becomes its value",
    "marks": "members that tell its records from those of a layout that shares their form: one of a file's first twenty lines has to have one",
    "mark_names": "beginnings of event names that tell them apart, too",
    "files": "in which files its receiver wants the rows",
    "folder": "the folder in which its reader looks for files of a day, with `{day:%Y}` and the like in it",
    "schema": "the Avro schema that goes with a table",
}

RECORDS = {
    "json-lines": "JSON objects, one a line or run together",
    "csv": "a table with a header; where such a layout is read, Parquet is, too",
}

SCHEMA = {
    "name": "the record's name",
    "namespace": "its namespace",
    "version": "its version",
    "own": "what marks columns of a dataset's own: for each Avro type a table of attributes",
}

# What a mapping may take from the settings: texts that no event says, and whether something is wanted.
SETTINGS = ("app_id", "tracking_id", "user_agent", "forwarded_address", "client_id", "app_title", "platform")
WISHES = (
    "keep_names",
    "fill_endpoints",
    "update_profiles",
    "locate_by_sender",
    "reach_destinations",
    "live_events",
)
PHASES = ("START", "UPDATE", "END")
FIELD_OPTIONS = {
    "required": "true: an event without it is rejected",
    "required_for": "the phase (START, UPDATE or END) whose events are rejected without it",
    "when": "the well-known events that have it; no other event does",
    "table": "the value table through which its text goes, both ways",
    "back": "true: its value table is read backwards, too",
    "default": "what is written where nothing says it",
    "absent": "what stands there where nothing says it, and is read as nothing",
    "optional": "true: a column that is there only if the source can have it, or a recipe fills it",
    "also": "other places where older or foreign records have it; they are only read",
    "asked": f"the setting without which it is not written: `{'`, `'.join(WISHES)}`",
    "unless": "the setting with which it is not written, one of the same",
    "setting": f"the setting that says it, whatever the events say: `{'`, `'.join(SETTINGS)}`",
    "fills": "true: the setting says it only where the events do not",
    "member": "the name of the hub's first column within an object of several values",
    "template": "the address that is made, with `{hub column}` in its query",
    "fits": "the form, a regular expression, of ids that are taken as they are",
    "texts": "true: its number is read from a text, too",
}

FIELD = {
    "hub": "the hub column, or a list of them, as its codec takes them; a text in place of the table says this alone",
    "as": "the codec between the two; `text`, unless said",
    "const": "what always stands there, in place of a hub column",
    **FIELD_OPTIONS,
}

OBJECT = {"needs": "the members without which it is not written"}

COUNTED = {
    "value": "the number",
    "hard": "true: the receiver refuses or drops what is beyond; false: advice",
    "source": "who says so",
    "observed": "true: not documented, but seen in its code, its SDKs, or what it did",
}

LIMIT = {
    "judge": "the word that judges; the limit's own name, if that is one",
    "places": "the places that it judges: `.` is the row, `a.*` the names of what lies in `a`",
    "value": "what the judge holds them against",
    "beside": "how the names begin that are not counted",
    "says": "a sentence in place of the judge's own",
    "alters": "what the receiver does with what is beyond, where it takes that all the same: the third verdict, beside refused and advised against",
    "hard": COUNTED["hard"],
    "source": COUNTED["source"],
    "observed": COUNTED["observed"],
}

ONLY = {
    "hub": "events that have this hub column are taken",
    "names": "and those of these well-known names, even without it",
    "rule": "how the report calls what is left out",
}

REQUEST = {
    "each": "the way to the events, `*` standing for the name of any member; empty: the record is their list",
    "fields": "the places around the events, like those of the events",
    "opened": "texts that hold JSON where they are read, plain or as base64, gzipped or not",
    "closed": "those of them that are written as text, too",
    "empty": "objects that are written even when nothing is in them",
    "also": "other places of a member of the request, in foreign records",
    "events_max": "the most events that a written request holds",
    "bytes_max": "the most bytes that a written request has",
    "bare": "false: no record begins on the way to its events, without what stands around them",
    "listed": "true: a request with nothing beside its events is written as their list",
    "limits": "what is asked of each request",
    "personal": "places around the events that hold personal data, each with its kind",
}

DASHBOARDS = {"beyond": "sentences: what they show that rows alone do not tell"}

DELIVERY = {
    "layout": "the layout whose records are sent",
    "protocol": "how they are sent, where a protocol is known by name",
    "http": "how they are sent, described; without either of the two nothing is replayed, and what its service does with old data is told all the same",
    "order": "hub columns: events with equal values in all of them are never in flight at once",
    "quota": "how fast the service takes them",
    "support": "when the service's support ended",
    "verify": "sentences: how to see what arrived, with places for what was sent",
    "preflight": "what is looked for before anything is sent, each by the name under which it is accepted",
}

HTTP = {
    "addresses": "where requests go: a URL by region, all with one path; the setting `region` chooses one of several, `--endpoint` another",
    "method": "POST, unless said, or PUT",
    "query": "parameters of the address, each a text, or a table: left out where its setting says nothing",
    "headers": "headers, alike; none that proves who sends",
    "body": "the form in which a request is sent",
    "form": "the parameter of a form in which clients may send the body as well; a rehearsal takes it",
    "gzip": "true: bodies are compressed, unless `plain_bodies` is set",
    "authentication": "how the sender proves who it is; nothing, where there is no such table",
    "answers": "what the service answers, each under a name: of those that fit, the first one counts. What none fits goes by its status",
    "source": "who says so",
}

PARAMETER = {
    "setting": "the setting that says it: `application_id`, `account` or `region`",
    "needed": "true: nothing is sent without it",
}

BODIES = {
    "json": "the record of the layout as it is, as application/json",
    "ndjson": "its events, one a line, as application/x-ndjson",
}

AUTHENTICATION = {
    "kind": "the kind",
    "name": "the name of the header, parameter or member",
    "before": "what stands before the secret in a header",
    "user": "the environment variable of the user's name, `TRANSLATE_MODEL_...`",
    "secret": "the environment variable of the secret, `TRANSLATE_MODEL_...`",
    "answer": "which of the answers a rehearsal gives to whom it does not let in; 401, unless said",
}

KINDS_OF_AUTHENTICATION = {
    "basic": "user and password (RFC 7617); without the variable `secret`, or where it is not set, the password is empty",
    "header": 'a header of this `name`, `Authorization` unless said: `before`, as in `"Bearer "`, and the secret',
    "member": "a member of the request's object, beside its events",
    "query": "a parameter of the address",
}

ANSWER = {
    "status": "its status of HTTP, or a list of them",
    "has": "what its JSON has: the way to a member that is there, and not empty, 0, false or null",
    "text": "a regular expression that its text holds",
    "means": "what it means",
    "indexes": "the ways to the positions, counted from 0, of the events that it is about: `NAME.*` (a list of numbers), `NAME.*.NAME` (a list of objects), or `NAME.*.*` (lists by some name), each below any number of names",
    "ids": "the ways to the ids of the events that it is about, alike: what the layout has for `event_id`",
    "counts": "the way to the number of events that it says were taken; another than was sent is told in the report",
    "wait_seconds": "how long to wait, where no header Retry-After says it",
    "says": "what has to be mended",
    "body": "what a rehearsal answers: a table, or a text that is no JSON; positions, ids and counts are put into it",
    "query": "parameters that a request has to have had, in its address or its form, for this answer; without it all get it",
    "answers_first": "true: it is given before the service looks at the events; what its limits refuse is lost without a word",
}

MEANINGS = {
    "done": "all events were taken",
    "partly": "those at the `indexes`, or of the `ids`, are refused for good, all others were taken",
    "refused": "none was taken; those at the `indexes`, or of the `ids`, are refused for good and the others sent again; where it names none, halves are tried",
    "again": "none was taken, all are sent again",
    "slower": "the same, and the service asks for less; a rehearsal names the events at the `indexes`, or by their `ids`",
    "stop": "none was taken, and none will be until is mended what it `says`: the run ends, and goes on by the same call",
}

QUOTA = {
    "requests_per_second": "how many requests a second the service bears",
    "scope": "what these are counted for: an account, a server",
    "share": "the part of them that a replay takes where nobody says `--rate`, above 0 and up to 1",
    "source": "who says so",
    "date": "when that was read",
    "documented": "false: a pace of our own choice, and no quota of the service",
}

SUPPORT = {"ended": "the day", "source": "who says so"}

# Of each thing looked for; which of the others it has depends on its check.
HAZARD = {
    "check": "the check that looks for it",
    "loses": "true: it would lose data, and stops the replay until it is accepted; false: it is only said",
    "says": "the sentence about what was found, with places",
    "instead": "what else can be done",
    "source": "who says so",
    "date": "when that was read",
    "layouts": "the layouts that it is of; all, where none is named",
}

OF_CHECKS = {
    "hours": "the number, in hours",
    "days": "the number, in days",
    "most": "the most that there may be",
    "least": "the least that there has to be",
    "column": "the hub column that is looked at",
    "columns": "the hub columns that are the same in what is repeated",
    "except": "names of events, as the service spells them, that are left out of it",
    "patterns": "regular expressions",
    "known": "the values that are known",
    "setting": "the setting that has the last word: a number in place of the sheet's, or what is missing, or is wanted",
    "alters": "what the receiver does with events of that age, where it takes them all the same: the third verdict",
}

ADDITION = {
    "event": "the name of the event that is made",
    "user_property": "the property of users that is filled in",
    "metric": "the metric that is filled in",
    "source": "who says that its reader counts by it",
}


@dataclass(frozen=True)
class Addable:
    """What can be added, and what a sheet has to say of it: how its reader calls the events, properties and metrics."""

    about: str
    keys: tuple[str, ...] = ()


ADDITIONS = {
    "first_open": Addable(
        "an event for each client's first, and in the user of all its events when that was",
        ("event", "user_property"),
    ),
    "session_number": Addable("the number of each session of a client"),
    "profile_set": Addable("an event wherever a user or its properties change", ("event",)),
    "engagement": Addable(
        "the length of a session in all its events, and an event that leaves its pauses out",
        ("event", "metric"),
    ),
}
