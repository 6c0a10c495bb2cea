"""Makes everything in this folder: a synthetic Mobile Analytics archive, small examples of every layout, and the hub's zoo.

Run `python sample_data/generate.py`; `--census` also prints the tables that it keeps in README.md. The same seed
gives the same records, and with the same zlib the same bytes. Nothing in here was ever sent by anybody.

What is odd stands in the tables of oddities.py and in the walk through a session here; both mark what they touch, and
README.md's table counts the marks in what was written. vocabulary.py has the words, zoo.py the rows written by hand,
layouts.py what the other layouts look like.
"""

import copy
import gzip
import io
import json
import re
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from layouts import write_layouts
from oddities import CLIENT_ODDITIES, FILE_ODDITIES, GONE, PURCHASES, RECORD_ODDITIES, make_odd, sprinkle
from vocabulary import (
    CUSTOM_EVENTS,
    DAY,
    DEVICES,
    GAME,
    HOUR,
    LIBRARIES,
    LOCALES,
    MINUTE,
    PAUSE,
    PRICES,
    PURCHASE,
    RESUME,
    SDKS,
    SECOND,
    SHOP,
    SKUS,
    START,
    STOP,
    App,
    chance,
    identifier,
    without_none,
)
from zoo import FULL, MINIMAL, ZOO

SEED = 20160314
BUCKET = "mobile-analytics-03-14-2016-5f0c2a9d8b7e46318a4c1d2e3f405162"


@dataclass
class Client:
    """One installation: what all its records share, how wrong its clock is, and the stop that it still owes."""

    sdk: str
    application: dict
    client: dict
    device: dict
    attributes: dict = field(default_factory=dict)
    clock_error: int = 0
    owed_stop: dict | None = None
    oddities: set = field(default_factory=set)


@dataclass
class Session:
    """One session, by the device's clock."""

    session_id: str
    start: int
    resumed: int
    paused: int | None = None
    active: int = 0


class Record(dict):
    """One line of the export, which remembers who sent it and what is odd in it."""

    sdk = ""
    oddities = frozenset()


@dataclass
class ExportFile:
    """One file of the archive and the way in which it is written."""

    app: App
    hour: int
    records: list
    name: str = ""
    separators: tuple = (",", ":")
    ascii_only: bool = False
    html_escapes: bool = False
    line_end: str = "\n"
    last_line_end: bool = True
    blank_lines: bool = False
    members: int = 1
    oddities: set = field(default_factory=set)


def new_client(app, sdk):
    """Make an installation of an app that reports through one SDK."""
    make, model, platform, platform_version = chance.choice(DEVICES[sdk])
    library, library_version = chance.choice(LIBRARIES[sdk])
    version, code = chance.choice((("1.0", "1"), ("1.4.2", "142"), ("2.0-beta", "200")))
    locale = chance.choice(LOCALES)
    language, *places = locale.split("_")
    country = next((place for place in places if len(place) == 2), None)
    application = {
        "app_id": app.app_id,
        "cognito_identity_pool_id": app.identity_pool,
        "package_name": app.package,
    }
    application["sdk"] = without_none({"name": library, "version": library_version})
    application |= {"title": app.title, "version_name": version, "version_code": code}
    device = {"locale": without_none({"code": locale, "country": country, "language": language})}
    device |= without_none(
        {"make": make, "model": model, "platform": {"name": platform, "version": platform_version}}
    )
    return Client(
        sdk, application, {"client_id": identifier(), "cognito_id": f"us-east-1:{identifier()}"}, device
    )


def new_session(client, now):
    """Begin a session now, with an id in its SDK's form."""
    moment = utc(now).strftime("%Y%m%d-%H%M%S") + f"{now % SECOND:03}"
    ending = client.client["client_id"][-8:].rjust(8, "_")
    android = f"{ending}-{moment}"
    forms = {
        "android": android,
        "ios": f"{client.application['app_id'][-8:]}-{android}",
        "rest": f"rest {now}",
    }
    return Session(forms.get(client.sdk) or identifier(), start=now, resumed=now)


def utc(milliseconds):
    """Give the instant's date and time, to the second."""
    return datetime.fromtimestamp(milliseconds // SECOND, UTC)


def session_fields(client, session, event_type, now):
    """Fill the session in as the client's SDK sends it with an event of this type."""
    fields = {"session_id": session.session_id, "start_timestamp": session.start}
    if event_type == STOP:
        fields["stop_timestamp"] = now
    if client.sdk in ("android", "ios") and event_type in (PAUSE, STOP):
        fields["duration"] = now - session.start
    if client.sdk == "dotnet" and event_type == STOP:
        fields["duration"] = session.active + now - session.resumed
    return fields


def new_record(client, session, event_type, now, attributes=None, metrics=None):
    """Make a record as the export writes it; its arrival is stamped on delivery."""
    content = {
        "event_type": event_type,
        "event_timestamp": now,
        "arrival_timestamp": 0,
        "event_version": "3.0",
    }
    content |= {"application": client.application, "client": client.client, "device": client.device}
    content["session"] = session_fields(client, session, event_type, now)
    content |= {"attributes": {**client.attributes, **(attributes or {})}, "metrics": metrics or {}}
    record = Record(copy.deepcopy(content))
    record.sdk, record.oddities = client.sdk, client.oddities
    if client.sdk == "dotnet" and session.paused and event_type != STOP:
        text = ".NET leaves a pause's time as stop time on the events that follow"
        make_odd(record, "4.3", text, {"session": {"stop_timestamp": session.paused}})
    return record


def play(client, app, start):
    """Make all records of one session in the order of their making, by the device's clock."""
    session = new_session(client, start)
    records = [*owed_stop(client, start), new_record(client, session, START, start)]
    now = start
    for _ in range(chance.randint(2, 8)):
        now += chance.randint(SECOND, 80 * SECOND)
        what = chance.random()
        if what < 0.10:
            records.append(purchase(client, session, now))
        elif what < 0.22 and client.sdk in ("android", "ios", "dotnet"):
            records += pause_and_resume(client, session, now)
            now += 5 * SECOND
        else:
            records.append(custom_event(client, app, session, now))
    return records + ENDINGS.get(client.sdk, stop)(
        client, app, session, now + chance.randint(SECOND, 60 * SECOND)
    )


def owed_stop(client, next_launch):
    """Send the stop of the session in which the app was killed, if one is owed."""
    record, client.owed_stop = client.owed_stop, None
    text = "Android's stop of a killed app: event time is the next launch, stop time the pause"
    return [make_odd(record, "4.3", text, {"event_timestamp": next_launch})] if record else []


def pause_and_resume(client, session, now):
    """Go to the background and come back within the five seconds that keep a session."""
    session.paused, session.active = now, session.active + now - session.resumed
    pause = new_record(client, session, PAUSE, now)
    session.resumed = now + chance.randint(200, 4_900)
    return [pause, new_record(client, session, RESUME, session.resumed)]


def custom_event(client, app, session, now):
    """Make one of the app's own events."""
    name, choices, ranges = chance.choice(CUSTOM_EVENTS[app])
    attributes = {key: chance.choice(values) for key, values in choices.items()}
    metrics = {key: number_between(low, high) for key, (low, high) in ranges.items()}
    return new_record(client, session, name, now, attributes, metrics)


def number_between(low, high):
    """Draw a whole number between whole numbers, else one of three decimals."""
    return chance.randint(low, high) if isinstance(low, int) else round(chance.uniform(low, high), 3)


def stop(client, _app, session, now):
    """End as a session should."""
    return [new_record(client, session, STOP, now)]


def android_ending(client, app, session, now):
    """Stop, or pause and be killed: then the stop is owed until the next launch."""
    if chance.random() < 0.5:
        return stop(client, app, session, now)
    client.owed_stop = new_record(client, session, STOP, now)
    return [new_record(client, session, PAUSE, now)]


def ios_ending(client, app, session, now):
    """Stop, and at times send an event after the stop."""
    ending = stop(client, app, session, now)
    if chance.random() < 0.25:
        text = "iOS events after the stop have a session start and no session id"
        afterwards = custom_event(client, app, session, now + SECOND)
        ending.append(make_odd(afterwards, "4.3", text, {"session": {"session_id": GONE}}))
    return ending


def javascript_ending(client, app, session, now):
    """Stop without a duration, or with one that is null, or not at all."""
    ending = stop(client, app, session, now)
    if chance.random() < 0.5:
        make_odd(ending[0], "4.3", "JavaScript's stop has `duration: null`", {"session": {"duration": None}})
    return ending if chance.random() < 0.7 else []


ENDINGS = {"android": android_ending, "ios": ios_ending, "javascript": javascript_ending}


def purchase(client, session, now):
    """Make a purchase in one of the forms that the client's SDK gives it."""
    forms = [(text, change) for text, sdks, change in PURCHASES for sdk in sdks if sdk == client.sdk]
    text, change = chance.choice(forms)
    record = new_record(
        client,
        session,
        PURCHASE,
        now,
        {"_product_id": chance.choice(SKUS)},
        {"_quantity": chance.randint(1, 4)},
    )
    return make_odd(record, "4.4", f"purchase: {text}", change(chance.choice(PRICES)))


def arrival_hours():
    """Choose the hours in which records arrive: twenty days, two hours in a row on each, the apps by turns."""
    for number, day in enumerate(sorted(chance.sample(range(776), 20))):
        midnight = datetime(2016, 3, 15, tzinfo=UTC) + timedelta(days=day)
        hour = int(midnight.timestamp()) * SECOND + chance.randint(0, 22) * HOUR
        yield from ((app, hour + step) for app in [(GAME, SHOP)[number % 2]] for step in (0, HOUR))


def deliver(client, app, hour):
    """Deliver one session's records together within the hour, a few of them days late."""
    late = chance.randint(1, 9) * DAY if chance.random() < 0.05 else 0
    records = play(client, app, hour + chance.randint(0, 20 * MINUTE) - late + client.clock_error)
    arrival = hour + chance.randint(40 * MINUTE, 55 * MINUTE)
    for position, record in enumerate(records):
        record["arrival_timestamp"] = arrival + 3 * position
        if late:
            make_odd(record, "2.4", "arrived days after it happened", {})
    return records


def deliveries():
    """Collect all records by app and hour of arrival, oddities and repeats included."""
    clients = {
        app: [new_client(app, sdk) for sdk in chance.choices(*zip(*SDKS.items(), strict=True), k=110)]
        for app in (GAME, SHOP)
    }
    sprinkle(clients[GAME] + clients[SHOP], CLIENT_ODDITIES)
    arrived = {}
    for app, hour in arrival_hours():
        arrived[app, hour] = [
            record for client in chance.sample(clients[app], 10) for record in deliver(client, app, hour)
        ]
    sprinkle([record for records in arrived.values() for record in records], RECORD_ODDITIES)
    for app, hour in list(arrived)[::2]:
        for record in chance.sample(arrived[app, hour], 4):
            arrived[app, hour].append(
                sent_again(record, "same hour", record["arrival_timestamp"] + chance.randint(SECOND, MINUTE))
            )
            arrived[app, hour + HOUR].append(
                sent_again(record, "next hour", hour + HOUR + chance.randint(0, HOUR - 1))
            )
    return arrived


def sent_again(record, when, arrival):
    """Send the same record once more, since the answer to its first sending was lost."""
    return make_odd(
        copy.deepcopy(record),
        "2.4",
        f"the same record again, arrived later in the {when}",
        {"arrival_timestamp": arrival},
    )


def export_files(arrived):
    """Lay the records into files: one for each app and hour, two for some hours, and one without events."""
    files = []
    for number, ((app, hour), records) in enumerate(arrived.items()):
        in_order = sorted(records, key=lambda record: record["arrival_timestamp"])
        parts = 2 if number % 10 == 3 else 1
        files += [ExportFile(app, hour, in_order[part::parts]) for part in range(parts)]
    sprinkle(files, FILE_ODDITIES)
    files.append(
        make_odd(ExportFile(GAME, files[-1].hour + 2 * HOUR, []), "-", "a gzip member that holds nothing", {})
    )
    for file in files:
        moment = utc(file.hour + chance.randint(0, HOUR - 1))
        if moment.year == 2018:
            stream = f"awsma-export-1-{moment:%Y-%m-%d-%H-%M-%S}-{identifier()}.gz"
            make_odd(
                file,
                "2.1",
                "named by a delivery stream: `<stream>-1-YYYY-MM-DD-HH-mm-ss-<uuid>.gz`",
                {"name": stream},
            )
        else:
            make_odd(
                file,
                "2.1",
                "named by an id alone (the first exporter's pattern is unknown)",
                {"name": f"{identifier()}.gz"},
            )
    return files


def line_of(record, file):
    """Spell the record as the file does; a text `number:1E5` stands for the number as spelt."""
    text = json.dumps(record, ensure_ascii=file.ascii_only, separators=file.separators)
    text = re.sub(r'"number:([^"]*)"', r"\1", text)
    if file.html_escapes:
        text = re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text)
    return text + file.line_end


def content_of(file):
    """Make the file's bytes: one gzip member, several, or none."""
    lines = [line_of(record, file) for record in file.records]
    if file.blank_lines:
        lines = [
            line + ("\n" if number % 7 == 0 else "  \n" if number % 11 == 0 else "")
            for number, line in enumerate(lines)
        ]
    if not file.last_line_end:
        lines[-1] = lines[-1].removesuffix(file.line_end)
    if file.members == 0:
        return "".join(lines).encode()
    return b"".join(compressed("".join(lines[part :: file.members])) for part in range(file.members))


def compressed(text):
    """Make one gzip member with neither a file name nor a time."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as member:
        member.write(text.encode())
    return buffer.getvalue()


def write_archive(folder, files):
    """Write the archive as it lay on S3: a folder for each app, year, month, day and hour."""
    shutil.rmtree(folder, ignore_errors=True)
    for file in files:
        path = (
            folder / BUCKET / "awsma/events" / file.app.app_id / f"{utc(file.hour):%Y/%m/%d/%H}" / file.name
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_of(file))


def write_lines(path, rows):
    """Write one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    path.write_bytes("".join(lines).encode())


def census(files):
    """Count for README.md what the archive holds, in what was written."""
    records = [record for file in files for record in file.records]
    clients = {record["client"]["client_id"] for record in records}
    first, last = (utc(edge(record["event_timestamp"] for record in records)) for edge in (min, max))
    yield f"{len(files)} files, {len(records):,} records, 2 apps, {len(clients)} clients, events of {first:%Y-%m-%d} to {last:%Y-%m-%d}."
    yield from table(("SDK", "records"), Counter(record.sdk for record in records).most_common())
    yield from table(
        ("event type", "records"), Counter(record["event_type"] for record in records).most_common()
    )
    odd = {"records": Counter(mark for record in records for mark in record.oddities)}
    odd["files"] = Counter(mark for file in files for mark in file.oddities)
    rows = sorted(
        (text, f"{count} {unit if count > 1 else unit[:-1]}")
        for unit, marks in odd.items()
        for (_, text), count in marks.items()
    )
    yield from table(("oddity", "in"), rows)
    columns = {column for event in ZOO for column in event}
    yield f"\n`canonical/zoo.jsonl`: {len(ZOO)} events, which use {len(columns)} hub columns."


def table(head, rows):
    """Draw a Markdown table, after an empty one."""
    yield ""
    for row in (head, ("---",) * len(head), *rows):
        yield "| " + " | ".join(str(cell) for cell in row) + " |"


def write_readme(path, text):
    """Replace what stands between the markers of README.md."""
    begin, end = "<!-- census -->\n", "<!-- /census -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}{text}\n{end}{after}", encoding="utf-8")


def main():
    """Write everything beside this script."""
    chance.seed(SEED)
    here = Path(__file__).parent
    files = export_files(deliveries())
    write_archive(here / "mobile_analytics/archive", files)
    write_lines(here / "mobile_analytics/archive_minimal.jsonl", MINIMAL)
    write_lines(here / "mobile_analytics/archive_full.jsonl", FULL)
    write_lines(here / "canonical/zoo.jsonl", ZOO)
    write_layouts(here)
    text = "\n".join(census(files))
    write_readme(here / "README.md", text)
    if "--census" in sys.argv[1:]:
        print(text)


if __name__ == "__main__":
    main()
