"""The reference of what data sheets and recipes may say, made of the tables that their parsers go by."""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib

from translate import events, mapping
from translate.mapping import checks, columns, delivery, keys, personal, portions, sending
from translate.mapping.protocols import PROTOCOLS
from translate.recipe import dialect, privacy, spec
from translate.vocabulary.word import KIND_NAMES
from translate.vocabulary.words import VOCABULARY, WORDS, stamps

# The tables of a data sheet, by their headings: words in capitals are names of the sheet's own.
SHEET_TABLES = {
    "The sheet itself": keys.SHEET,
    "[names.EVENT]": keys.SPELLING,
    "[layout.LAYOUT]": keys.LAYOUT,
    "[layout.LAYOUT.fields.PLACE]": keys.FIELD,
    "[layout.LAYOUT.objects.PLACE]": keys.OBJECT,
    "[layout.LAYOUT.only]": keys.ONLY,
    "[layout.LAYOUT.files]": portions.KEYS,
    "[layout.LAYOUT.schema]": keys.SCHEMA,
    "[layout.LAYOUT.request]": keys.REQUEST,
    "[layout.LAYOUT.request.fields.PLACE]": keys.FIELD,
    "[layout.LAYOUT.limits.LIMIT]": keys.LIMIT,
    "[layout.LAYOUT.checks.LIMIT]": keys.LIMIT,
    "[layout.LAYOUT.archive_limits.LIMIT]": keys.COUNTED,
    "[layout.LAYOUT.request.limits.LIMIT]": keys.COUNTED,
    "[delivery]": keys.DELIVERY,
    "[delivery.http]": keys.HTTP,
    "[delivery.http.query.NAME]": keys.PARAMETER,
    "[delivery.http.headers.NAME]": keys.PARAMETER,
    "[delivery.http.authentication]": keys.AUTHENTICATION,
    "[delivery.http.answers.NAME]": keys.ANSWER,
    "[delivery.quota]": keys.QUOTA,
    "[delivery.support]": keys.SUPPORT,
    "[delivery.preflight.NAME]": {**keys.HAZARD, **keys.OF_CHECKS},
    "[additions.ADDITION]": keys.ADDITION,
    "[dashboards]": keys.DASHBOARDS,
}
RECIPE_TABLES = {
    "The recipe itself": spec.RECIPE_KEYS,
    "[columns.NAME]": columns.KEYS,
    "[[rule]]": spec.RULE_KEYS,
    "[rule.cut]": spec.CUT_KEYS,
    "[[test]]": spec.TEST_KEYS,
}


def table(*rows):
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def escaped(text):
    return text.replace("|", "\\|")


def meanings(head, words):
    return table((head, "meaning"), *((f"`{word}`", escaped(meaning)) for word, meaning in words.items()))


def in_code(names):
    return ", ".join(f"`{name}`" for name in names)


def keys_of(tables):
    """Write the tables one below another; those with the same keys are one."""
    headings = {}
    for heading, words in tables.items():
        headings.setdefault(id(words), []).append(heading)
    parts = []
    for alike in headings.values():
        shown = ", ".join(f"`{heading}`" if heading.startswith("[") else heading for heading in alike)
        parts.append(f"### {shown}\n\n{meanings('key', tables[alike[0]])}")
    return "\n\n".join(parts)


def codecs_table():
    return table(
        ("codec", "what it is", "hub columns", "in the hub", "in the model"),
        *(
            (f"`{name}`", escaped(WORDS[name].about), held(WORDS[name]), *example(WORDS[name]))
            for name in VOCABULARY
        ),
    )


def held(word):
    """Say which hub columns a codec takes: these, or so many of a kind."""
    if word.stands_for:
        return in_code(word.stands_for)
    fewest, most = word.columns
    if fewest != most:
        return f"{fewest} to {most} of {KIND_NAMES[word.types[0]]}"
    kinds = [KIND_NAMES[word.types[min(number, len(word.types) - 1)]] for number in range(most)]
    return ", ".join(kind.removesuffix("s") for kind in kinds)


def example(word):
    """Show what stands in the hub, and what the model has for it."""
    if word.example is None:
        return "", ""
    given, made = word.example
    if word.wire == "text" and made is not None:
        made = json.dumps(made, ensure_ascii=False)
    return ", ".join(map(value, given)), wire(made)


def wire(made):
    return "nothing" if made is None else code(str(made))


def value(given):
    if given is None:
        return "nothing"
    if given == events.EPOCH:
        return code(given.strftime("%Y-%m-%dT%H:%M:%SZ"))
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    return code(json.dumps(given, ensure_ascii=False))


def code(text):
    return f"`{escaped(text)}`"


def stamps_table():
    request = stamps.EXAMPLE_REQUEST
    latest = events.EPOCH + dt.timedelta(milliseconds=request.latest)
    application = json.loads(request.head["app.id"])
    made = [word for word in WORDS.values() if word.is_stamp]
    rows = ((f"`{word.name}`", word.about, wire(word.example[1])) for word in made)
    return (
        f"The example is request {request.sequence}, with the body `{request.body.decode()}`, its latest event at "
        f"`{latest:%Y-%m-%dT%H:%M:%S.%f}Z`, its application `{application}`, and the template `{stamps.EXAMPLE_TEMPLATE}`.\n\n"
        + table(("word", "what it is", "example"), *rows)
    )


def judges_table():
    return table(
        ("word", "what it asks", "of", "value"),
        *(
            (f"`{name}`", escaped(word.about), in_code(word.kinds), word.wants)
            for name, word in checks.WORDS.items()
        ),
    )


def checks_table():
    return table(
        (
            "check",
            "what it looks for",
            "keys of its own",
            "places of its sentence, beside `events` and `share`",
        ),
        *(
            (f"`{name}`", kind.about, in_code(kind.keys), in_code(kind.says))
            for name, kind in sending.CHECKS.items()
        ),
    )


def protocols_table():
    return table(
        (
            "protocol",
            "where the events of a request lie",
            "what a request has beside them",
            "settings that it needs",
        ),
        *(
            (
                f"`{name}`",
                f"`{'.'.join(protocol.each)}`",
                in_code(protocol.members),
                in_code([*protocol.needs, *(["region"] if protocol.by_region else [])]),
            )
            for name, protocol in PROTOCOLS.items()
        ),
    )


def described_table():
    """To whom a sheet alone leads: where to, with which secrets, and what stops it."""
    rows = []
    for name in mapping.models():
        told = mapping.load(name).delivery
        http = told.http if told else None
        if http:
            addresses = "<br>".join(f"`{region}` {address}" for region, address in http.addresses.items())
            answers = in_code(f"{answer.name}" for answer in http.answers.values())
            rows.append((f"`{name}`", addresses, in_code(http.variables), in_code(http.settings), answers))
    return table(("model", "addresses", "secrets", "settings", "answers"), *rows)


def additions_table():
    return table(
        ("addition", "what it adds", "keys of its own"),
        *((f"`{name}`", kind.about, in_code(kind.keys)) for name, kind in keys.ADDITIONS.items()),
    )


def dialect_tables():
    """What expressions may say, family by family."""
    parts = []
    for family, idioms in dialect.IDIOMS.items():
        rows = ((escaped(idiom.said), escaped(idiom.meaning), shown(idiom.examples)) for idiom in idioms)
        parts.append(f"### {family}\n\n{table(('say', 'meaning', 'for example'), *rows)}")
    return "\n\n".join(parts)


def shown(examples):
    return ", ".join(f"{code(sql)} is {value(gives)}" for sql, gives in examples.items())


def example_event():
    """The event upon which the examples run, as a test of a recipe would write it."""
    rows = []
    for name, given in dialect.EVENT.items():
        held = given.items() if isinstance(given, dict) else [("", given)]
        for key, inner in held:
            when = isinstance(inner, dt.datetime)
            text = f"`{inner.isoformat(timespec='milliseconds')}`" if when else value(inner)
            rows.append((f"`{name}.{key}`" if key else f"`{name}`", text))
    return table(("name", "value"), *rows)


def elsewhere():
    return table(
        ("elsewhere", "here"), *((code(name), code(said)) for name, said in dialect.ELSEWHERE.items())
    )


def ended_table():
    """When which service's support ended."""
    rows = []
    for name in mapping.models():
        model = mapping.load(name)
        support = model.delivery.support if model.delivery else None
        if support:
            rows.append((model.title, f"{support.ended:%Y-%m-%d}", support.source))
    return table(("service", "support ended on", "source"), *rows)


def sources_tables():
    """Each document that a sheet rests on, with what was taken from it."""
    parts = []
    for file in sorted(mapping.folder().glob("*.toml")):
        sheet = tomllib.loads(file.read_text(encoding="utf-8"))
        documents = {}
        for said in sources(sheet):
            document, _, fact = said.partition(": ")
            taken = documents.setdefault(document, [])
            taken += [fact] if fact and fact not in taken else []
        rows = ((escaped(document), escaped("; ".join(taken))) for document, taken in documents.items())
        parts.append(f"### {sheet['title']}\n\n{table(('source', 'what was taken from it'), *rows)}")
    return "\n\n".join(parts)


def sources(node):
    """Give all that a sheet names as its sources, in its order."""
    if isinstance(node, dict):
        for key, inner in node.items():
            if key == "source" and isinstance(inner, str):
                yield inner
            else:
                yield from sources(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from sources(inner)


REFERENCE = {
    "ended": ended_table,
    "sources": sources_tables,
    "example event": example_event,
    "dialect": dialect_tables,
    "elsewhere": elsewhere,
    "sheet keys": lambda: keys_of(SHEET_TABLES),
    "recipe keys": lambda: keys_of(RECIPE_TABLES),
    "codecs": codecs_table,
    "stamps": stamps_table,
    "records": lambda: meanings("kind", keys.RECORDS),
    "judges": judges_table,
    "kinds of places": lambda: meanings("kind", checks.KINDS),
    "limits of requests": lambda: meanings("limit", checks.REQUEST_LIMITS),
    "limits of archives": lambda: meanings("limit", checks.ARCHIVE_LIMITS),
    "kinds of personal data": lambda: meanings("kind", personal.KINDS),
    "treatments": lambda: meanings("word", privacy.ACTIONS),
    "checks": checks_table,
    "places of sentences": lambda: meanings("place", delivery.PLACES),
    "protocols": protocols_table,
    "bodies": lambda: meanings("body", keys.BODIES),
    "kinds of authentication": lambda: meanings("kind", keys.KINDS_OF_AUTHENTICATION),
    "meanings": lambda: meanings("means", keys.MEANINGS),
    "described": described_table,
    "additions": additions_table,
}


def documented(page):
    """Give the keys that a page shows, by the path of their table in a file as a pattern."""
    part = re.search(r"^<!-- \w+ keys -->\n(.*)^<!-- /\w+ keys -->$", page, re.MULTILINE | re.DOTALL)[1]
    found = {}
    for heading, body in re.findall(r"^### ([^\n]*)\n(.*?)(?=^#|\Z)", part, re.MULTILINE | re.DOTALL):
        words = set(re.findall(r"^\| `([^`]+)` \|", body, re.MULTILINE))
        for name in re.findall(r"`(\[+[^`]+\]+)`", heading) or [""]:
            found[pattern(name)] = words
    return found


def pattern(heading):
    """Turn a heading like [layout.LAYOUT.only] into a pattern of the paths that complaints name."""
    path = re.escape(heading.strip("[]"))
    path = re.sub(r"[A-Z]+", r'(?:"[^"]*"|[^."]+)', path)
    return re.sub(r"^(rule|test)", r"\1\\[\\d+\\]", path)
