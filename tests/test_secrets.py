"""Secrets leave the process nowhere but in the requests that need them."""

from __future__ import annotations

import base64
import hashlib
import json
import pickle
import re
import traceback
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from scripted import MODELS, SUCCESS, Say, Scripted, results, shipment

from translate.delivery.answers import Answer, Pile, Verdict
from translate.delivery.endpoints import Target, open_endpoint
from translate.delivery.secrets import Secrets
from translate.errors import UsageError

CANARIES = {
    "TRANSLATE_COOKIE": 'AWSELB=xqzw/1+a~*"q"=; t=ü',
    "TRANSLATE_LEARNING_CONTEXT_SECRET": "xqzw 2 \"quoted\" \\back/slash 'ключ' %41&h=1",
    "TRANSLATE_LEARNING_CONTEXT_PASSWORD": "xqzw\t3\nline~*+ é",
    "AWS_ACCESS_KEY_ID": "AKIAXQZW4EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "xqzw5/wJalr+XUtnFEMI==",
    "AWS_SESSION_TOKEN": "xqzw6//IQoJb3JpZ2lu+/=",
}
AWS = ("personalize", "pinpoint")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Put a canary into every variable that holds a secret."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def spellings(value: str) -> set[str]:
    """Write a secret in the ways in which receivers and libraries give it back."""
    raw = value.encode()
    found = {
        value,
        quote(raw),
        quote(raw, safe=""),
        quote_plus(raw),
        re.sub("%..", lambda hit: hit[0].lower(), quote(raw, safe="")),
        raw.hex(),
    }
    found |= {
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
    }
    found |= {
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(raw)[2:-1],
    }
    return found


def leaks(text: str) -> list[str]:
    """Name the secrets that stand in a text."""
    hashed = hashlib.sha1(CANARIES["TRANSLATE_LEARNING_CONTEXT_PASSWORD"].encode()).hexdigest()
    found = [
        name for name, value in CANARIES.items() if any(spelling in text for spelling in spellings(value))
    ]
    return [
        *found,
        *(["sha1 of the password"] if hashed in text else []),
        *(["a canary"] if "xqzw" in text.lower() else []),
    ]


def target(model: str, url: str) -> Target:
    named = {"application_id": "1", "account": "ada"} if model == "learning_context" else {}
    return Target(model, url, "us-east-1", read_seconds=5.0, **named)


@pytest.mark.parametrize("name", CANARIES)
def test_every_spelling_is_masked(name: str) -> None:
    """However a receiver spells a secret, it is masked, also amid other words."""
    secrets = Secrets.from_environment()
    for spelling in spellings(CANARIES[name]):
        masked = secrets.mask(f"before {spelling} after")
        assert leaks(masked) == []
        assert masked.startswith("before ") and masked.endswith(" after")


@pytest.mark.parametrize("name", CANARIES)
@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_base64_of_more_than_the_secret_is_masked(name: str, before: str) -> None:
    """A secret inside of a longer Base64 text keeps at most a few characters of its edges."""
    text = base64.b64encode(f"{before}{CANARIES[name]}after".encode()).decode()
    masked = Secrets.from_environment().mask(text)
    assert "***" in masked
    assert len(masked) < len(text) - len(CANARIES[name])


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: AWS4-HMAC-SHA256 Credential=other/2026, Signature=other",
        "{'authorization': 'other', 'x': 'kept'}",
        '{"X-Amz-Security-Token": "other", "x": "kept"}',
        '{\\"X-Amz-Security-Token\\": \\"other\\"}',
        "The canonical string should have been 'host:x\nx-amz-security-token:other\nkept'",
        "Cookie: a=other; b=other",
        "set-cookie = other",
        "AWS4-HMAC-SHA256 Credential=other/20261121/us-east-1, Signature=other",
        "https://a.example/?X-Amz-Signature=other",
    ],
)
def test_what_follows_a_secret_header_is_masked(text: str) -> None:
    """Secrets that nobody told us about are masked behind the names of their headers."""
    masked = Secrets().mask(text)
    assert "other" not in masked
    assert ("kept" in masked) == ("kept" in text)


@pytest.mark.parametrize(
    "text", ["", "cookie dough", "the credentials were refused", "no authorization", "id 5: bad"]
)
def test_other_words_stay(text: str) -> None:
    """Words are masked for what they hold, not for what they speak of."""
    assert Secrets().mask(text) == text


def test_secrets_show_themselves_to_nobody() -> None:
    """Neither printing, formatting nor pickling gives a secret away."""
    secrets = Secrets.from_environment()
    assert leaks(f"{secrets} {secrets!r} {[secrets]} {vars(secrets).keys()}") == []
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(secrets)


def test_told_is_one_short_line() -> None:
    """A receiver's words come out as one line of bounded length, masked before they are cut."""
    secrets = Secrets.from_environment()
    cookie = CANARIES["TRANSLATE_COOKIE"]
    told = secrets.told(f"a\r\n\x1b[31mb\u2028c  {'x' * 480} {cookie} {'y' * 5000}")
    assert len(told) == 500 and told.isprintable() and told.startswith("a [31mb c x")
    assert leaks(told) == []
    assert leaks(secrets.told(CANARIES["TRANSLATE_LEARNING_CONTEXT_PASSWORD"])) == []


def test_credentials_found_later_are_masked() -> None:
    """What botocore finds elsewhere is masked from then on."""
    secrets = Secrets()
    assert secrets.mask("found-elsewhere") == "found-elsewhere"
    secrets.remember("found-elsewhere", None, "")
    assert secrets.mask("x found-elsewhere y") == "x *** y"


def test_answers_are_covered_in_every_text() -> None:
    """Codes, messages, ids, stops and findings are masked alike; the rest stays."""
    word = CANARIES["TRANSLATE_COOKIE"]
    answer = Answer(
        (Verdict(Pile.NEVER, word, word), Verdict(Pile.SENT)), 400, word, True, True, 1.5, True, word, (word,)
    )
    covered = Secrets.from_environment().cover(answer)
    assert leaks(repr(covered)) == []
    assert [verdict.pile for verdict in covered.verdicts] == [Pile.NEVER, Pile.SENT]
    assert (covered.status, covered.lost, covered.throttled, covered.retry_after_seconds) == (
        400,
        True,
        True,
        1.5,
    )


@pytest.mark.parametrize("value", ["xqzw\r\nX-Other: 1", "ключ", " xqzw", "xqzw\x00"])
def test_a_cookie_that_is_no_header_is_refused_by_name(value: str) -> None:
    """A cookie that cannot be sent is refused before http.client could print it."""
    with pytest.raises(UsageError, match="TRANSLATE_COOKIE") as refused:
        Secrets({"TRANSLATE_COOKIE": value})
    assert leaks(str(refused.value)) == []


def echoes() -> list[Say]:
    """Give answers that repeat every secret, in every spelling, at every place where a receiver can say something."""
    every = [spelling for value in CANARIES.values() for spelling in sorted(spellings(value))]
    says = []
    for start in range(0, len(every), 6):
        words = " | ".join(every[start : start + 6])
        header = quote(words, safe=" /+=~*!")[:2000]
        for status in (200, 202, 302, 400, 401, 403, 500):
            names = ("x-amzn-RequestId", "x-amzn-ErrorType", "Location", "Retry-After")
            body = {
                "message": words,
                "Message": words,
                "__type": words,
                "result": 0,
                "reason": words,
                "code": words,
            }
            says.append(Say(status, body, tuple((name, header) for name in names)))
    item = {"StatusCode": 400, "Message": " ".join(every)}
    return [
        *says,
        Say(202, results(one_a=item, ep_1=item)),
        Say(500, " ".join(every).encode()),
        Say(reset=True),
    ]


@pytest.mark.parametrize("model", MODELS)
def test_no_canary_in_anything_that_leaves(model: str, caplog: pytest.LogCaptureFixture) -> None:
    """A receiver that repeats every secret gets none of them into answers, shown requests, names or warnings."""
    script = echoes()
    caplog.set_level("INFO")
    with Scripted(*script, SUCCESS[model]) as server:
        endpoint = open_endpoint(target(model, server.url))
        for number in range(len(script)):
            assert leaks(repr(endpoint.send(shipment(model), number))) == []
        assert [verdict.pile for verdict in endpoint.send(shipment(model), 0).verdicts] == [Pile.SENT] * 3
        wire = " ".join(f"{seen.headers} {seen.body!r}" for seen in server.seen)
        shown = json.dumps(endpoint.show(shipment(model), 1), ensure_ascii=False)
        assert leaks(shown) == []
        assert leaks(repr(endpoint) + str(target(model, server.url))) == []
        endpoint.close()
    assert leaks(caplog.text) == []
    if model in ("clickstream", "mobile_analytics", *AWS):
        assert leaks(wire) != []  # the canaries were there


@pytest.mark.parametrize("model", ["mobile_analytics", *AWS])
def test_no_canary_in_what_libraries_raise(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that http.client refuses to write, and prints, stops the run unseen."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "xqzw\r\nX-Other: 1")
    with Scripted(SUCCESS[model]) as server:
        answer = open_endpoint(target(model, server.url)).send(shipment(model), 1)
        assert server.seen == []
    assert answer.stop is not None
    assert leaks(repr(answer)) == []


@pytest.mark.parametrize("model", MODELS)
def test_no_canary_in_a_traceback(model: str) -> None:
    """An error of the caller's own shows no secret, with all that is chained to it."""
    endpoint = open_endpoint(target(model, "http://127.0.0.1:1"))
    try:
        endpoint.send(None, 1)  # type: ignore[arg-type]
    except AttributeError as error:
        assert leaks("".join(traceback.format_exception(error))) == []
    else:
        pytest.fail("nothing was raised")
