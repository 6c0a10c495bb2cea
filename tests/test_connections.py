"""What a store answers is read in all framings of HTTP/1.1, and what does not come to its end is told; connections stay open where they may."""

from __future__ import annotations

import http.client
import threading

import pytest
from scripted import Say, Scripted

from translate.stores.connections import PIECE, UNREACHABLE, Connections

OK = b"HTTP/1.1 200 OK\r\n"


def asked(server):
    """Ask once; give status, headers and body."""
    answer = Connections(server.url).ask("GET", "/a", {"If-Match": '"b"'})
    body = answer.read()
    return answer.status, answer.headers, body


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (OK + b"Content-Length: 2\r\n\r\nabc", 200, b"ab"),
        (OK + b"content-length:0\r\n\r\n", 200, b""),
        (OK + b"\r\nto the end", 200, b"to the end"),
        (OK + b"Content-Length: many\r\n\r\nto the end", 200, b"to the end"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nA;x=y\r\n0123456789\r\n0\r\nx: y\r\n\r\n", 200, b"ab0123456789"),
        (OK + b"Transfer-Encoding: Chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 200, b""),
        (b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\nHTTP/1.1 206 Part\r\nContent-Length: 1\r\n\r\na", 206, b"a"),
        (b"HTTP/1.0 404\r\n\r\nnone", 404, b"none"),
        (b"HTTP/1.1 204 Nothing\r\nContent-Length: 7\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\nContent-Length: 1\n\na", 200, b"a"),
        (OK + f"Content-Length: {2 * PIECE + 1}\r\n\r\n".encode() + b"a" * (2 * PIECE + 1), 200, b"a" * (2 * PIECE + 1)),
    ],
)  # fmt: skip
def test_a_body_ends_where_its_head_says(raw, status, body):
    """Lengths, chunks, or the end of the connection; what announces an answer is none."""
    with Scripted(Say(raw=raw)) as server:
        found = asked(server)
    assert (found[0], found[2]) == (status, body)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no HTTP\r\n\r\n",
        b"HTTP/1.1 ok\r\n\r\n",
        OK,
        OK + b"Content-Length: 3",
        OK + b"Content-Length: 3\r\n\r\nab",
        OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\nab\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        OK + b"x: y\r\n" * 1_000 + b"\r\n",
        OK + b"x: " + b"y" * 100_000,
    ],
)
def test_what_does_not_come_to_its_end_is_told(raw):
    """A call whose answer breaks off may be repeated."""
    with Scripted(Say(raw=raw)) as server, pytest.raises(UNREACHABLE):
        asked(server)


def test_headers_are_found_by_their_names_in_small_letters():
    """Of those that come twice the first one counts."""
    raw = OK + b'ETag:  "a" \r\nX-Odd: b: c\r\netag: x\r\nContent-Length: 0\r\n\r\n'
    with Scripted(Say(raw=raw)) as server:
        _, headers, _ = asked(server)
    assert headers == {"etag": '"a"', "x-odd": "b: c", "content-length": "0"}


def test_a_call_says_host_headers_and_length():
    """A body goes along with its length, an empty one, too."""
    with Scripted(Say(200)) as server:
        connections = Connections(server.url)
        for body in (None, b"", b"abc"):
            connections.ask("PUT", "/a%20b?c=d", {"x-amz-acl": "private"}, body).read()
    assert [seen.line for seen in server.seen] == ["PUT /a%20b?c=d HTTP/1.1"] * 3
    always = {"host": connections.host, "x-amz-acl": "private"}
    lengths = [{}, {"content-length": "0"}, {"content-length": "3"}]
    assert [seen.headers for seen in server.seen] == [{**always, **length} for length in lengths]
    assert [seen.body for seen in server.seen] == [b"", b"", b"abc"]


def test_no_header_becomes_two():
    """A tag that a store made up says nothing in the place of a header."""
    with Scripted(Say(200)) as server, pytest.raises(ValueError, match="line break"):
        Connections(server.url).ask("GET", "/a", {"If-Match": '"a"\r\nx-amz-acl: public-read'})
    assert server.seen == []


@pytest.mark.parametrize(
    ("headers", "reads", "opened"),
    [
        ((), True, 1),
        ((("Connection", "close"),), True, 3),
        ((), False, 3),  # what is left of an answer would be taken for the beginning of the next one
    ],
)
def test_connections_stay_open_where_they_may(headers, reads, opened):
    """One that ends with its answer, or whose answer was not read, carries no other call."""
    with Scripted(Say(200, b"abc", headers)) as server:
        connections = Connections(server.url)
        for _ in range(3):
            answer = connections.ask("GET", "/a", {})
            assert not reads or answer.read() == b"abc"
        assert server.connections == opened


def test_each_thread_has_its_own():
    """None waits for another, or reads what another one asked for."""
    with Scripted(Say(200, b"a")) as server:
        connections = Connections(server.url)
        threads = [threading.Thread(target=lambda: connections.ask("GET", "/a", {}).read()) for _ in range(3)]
        for thread in threads:
            thread.start()
            thread.join()
        assert server.connections == 3


def test_a_connection_that_was_closed_meanwhile_is_opened_anew():
    """Who asks is told of it, and asks again."""
    with Scripted(Say(raw=OK + b"Content-Length: 0\r\n\r\n")) as server:
        connections = Connections(server.url)
        connections.ask("GET", "/a", {}).read()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            connections.ask("GET", "/a", {}).read()
        connections.ask("GET", "/a", {}).read()
        assert server.connections == 2
