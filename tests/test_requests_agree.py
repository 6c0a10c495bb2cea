"""The kernel and the reference agree about requests, in whatever order their members stand and however many events they hold."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.held import read, read_alike, sample_lines

from translate.engine.library import library
from translate.mapping import find_layout
from translate.reader.kernel_reader import KernelReader

pytestmark = pytest.mark.skipif(library() is None, reason="no kernel here")

ADDRESSES = [
    f"{model}/requests"
    for model in ("mobile_analytics", "pinpoint", "clickstream", "learning_context", "personalize")
]
MEMBERS_MAX = 6  # what is turned about; larger objects keep their order
BESIDE: list[dict[str, Any]] = [
    {},
    {},
    {"beside": None},
    {"beside": {"a": [1.50]}},
    {"version": None},
    {"userId": 7},
]


def turned_about(data: st.DataObject, value: Any, depth: int = 0) -> Any:
    """Give a value with its members in another order, others beside them, and its lists' elements once or more."""
    if isinstance(value, list):
        times = data.draw(st.integers(1, 4)) if all(isinstance(each, dict) for each in value) else 1
        return [turned_about(data, each, depth + 1) for each in value * times]
    if not isinstance(value, dict):
        return value
    members = {**value, **(data.draw(st.sampled_from(BESIDE)) if depth < 3 else {})}
    names = data.draw(st.permutations([*members])) if len(members) <= MEMBERS_MAX else [*members]
    return {name: turned_about(data, members[name], depth + 1) for name in names}


@pytest.mark.parametrize("address", ADDRESSES)
@given(data=st.data())
def test_requests_in_any_order(address: str, data: st.DataObject) -> None:
    """What leads to the events may stand anywhere, and what stands around many of them is all of theirs."""
    samples = [line for line in sample_lines(*address.split("/")) if line.startswith(("{", "["))]
    lines = [
        json.dumps(turned_about(data, json.loads(line)), ensure_ascii=False)
        for line in data.draw(st.lists(st.sampled_from(samples), min_size=1, max_size=4))
    ]
    read_alike(lines, address)


def test_many_events_with_the_same_around() -> None:
    """Texts, numbers, nulls and unknown members around events are told of each of them; the next request's are its own."""
    context = {
        "client": {"client_id": "c" * 20, "app_title": None},
        "env": {"make": "m"},
        "services": {"mobile_analytics": {}},
    }
    event = {"eventType": "a", "timestamp": "2017-02-24T22:03:22.507Z"}
    lines = [
        json.dumps({"client_context": {**context, **more}, "body": {"events": [event] * count}})
        for more in ({}, {"custom": {"k": "v"}}, {"odd": 1})
        for count in (1, 2, 3, 5)
    ]
    found = read_alike([*lines, lines[0]], "mobile_analytics/requests")
    assert found.height == 34
    assert not found["careful"].any()
    client = next(name for name in found.columns if name.endswith("client_id"))
    assert found[client].to_list() == ["c" * 20] * 34
    trailing = json.dumps({"body": {"events": [event] * 3}, "client_context": context})
    assert read([trailing] * 2, "mobile_analytics/requests")["careful"].to_list() == [False] * 6


def test_events_are_shown_where_they_lie() -> None:
    """Whichever buffer and place of it their line lies in, if they are short, stand in a text or are spelled oddly."""
    mapping, layout = find_layout("mobile_analytics/requests")
    reader = KernelReader.of(layout, mapping.names, 2**20)
    assert reader is not None
    event = '{"eventType":"%s","timestamp":"2017-02-24T22:03:22.507Z"}'
    texts = [event % "a", event % ("b" * 50), '{"a":"b"}', event.replace('":', '" :') % "c", "{}"]
    written = [event % "a", event % ("b" * 50), '{"a":"b"}', event % "c", "{}"]
    line = '{"client_context":{},"body":{"events":[%s]}}'
    opened = json.dumps({"client_context": {}, "body": json.dumps({"events": [json.loads(texts[0])]})})
    lines = [*(line % ",".join(texts[number:]) for number in range(5)), opened]
    one_by_one = [pl.DataFrame({"text": ["x" * 40, each]}) for each in lines]
    frame = pl.concat(one_by_one, rechunk=True)[1:].gather_every(2).with_row_index("row")[1:]
    frame = pl.concat([frame, frame[:1]])
    asked: list[int] = []
    records = reader.read(frame, lambda line, rest: asked.append(line) or [])
    del frame, one_by_one
    assert not asked
    assert records["text"].to_list() == [
        *(text for first in (1, 2, 3, 4) for text in written[first:]),
        event % "a",
        *written[1:],
    ]
