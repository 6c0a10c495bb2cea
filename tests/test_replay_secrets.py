"""No secret of a replay is ever written: not by a receiver that repeats every request, not in files, not in what is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from replayed import EVERYTHING, MODELS, call, converted
from test_secrets import CANARIES, leaks

from translate.delivery.pace import Bounds
from translate.rehearsal import Rehearsal

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Put a canary into every variable that holds a secret."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class Echo(BaseHTTPRequestHandler):
    """Answers with all that it was sent: as text, as the message of an error, and in headers."""

    protocol_version = "HTTP/1.1"
    status = 400
    shape = "text"
    heard: list[str]

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode("utf-8", "replace")
        said = f"{self.requestline}\n{self.headers}\n{body}"
        type(self).heard.append(said)
        answer = (
            said
            if self.shape == "text"
            else json.dumps({"__type": said, "message": said, "reason": said, "result": 0, "Code": said})
        )
        content = answer.encode("utf-8", "replace")
        self.send_response_only(self.status)
        self.send_header("Content-Length", str(len(content)))
        for name in ("Authorization", "Cookie", "X-Amz-Security-Token"):
            if self.headers.get(name):
                self.send_header("x-amzn-RequestId", self.headers[name])
                self.send_header("x-amzn-ErrorType", self.headers[name])
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(params=["text", "json"])
def echo(request):
    """Start a receiver that repeats what it is sent; its status is set by the test."""
    handler = type("Handler", (Echo,), {"shape": request.param, "heard": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.url = f"http://127.0.0.1:{server.server_port}"
        server.handler = handler
        yield server
        server.shutdown()


def found_below(folder):
    """Name the secrets in all files of a folder, by file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    texts = {path.name: path.read_bytes().decode("utf-8", "replace") for path in files}
    return {name: leaks(text) for name, text in {**texts, "names": " ".join(texts)}.items() if leaks(text)}


@pytest.mark.parametrize("model", MODELS)
def test_a_receiver_that_repeats_everything_teaches_nothing(model, echo, tmp_path, capsys):
    """Whatever its status: journal, rejects, report and what is printed hold no secret."""
    source = converted(model, tmp_path, count=24)
    for status in (400, 403, 500, 200):
        echo.handler.status = status
        report = call(model, source, tmp_path / "journals" / str(status), echo.url, bounds=Bounds(attempts=1))
        assert not leaks(json.dumps(report, ensure_ascii=False))
    # Of Learning Context's secrets only the signature goes out.
    assert model == "learning_context" or leaks("\n".join(echo.handler.heard)), (
        "the receiver was told no secret: nothing would be proven"
    )
    assert not found_below(tmp_path / "journals")
    assert not leaks("".join(capsys.readouterr()))


def command(model, source, folder, url, *words):
    """Run the command line as a process; give its exit code and all that it printed."""
    line = [sys.executable, "-m", "translate", "replay", source, "--to", model, "--endpoint", url, "--journal", folder, "--set", "region=us-east-1",
            "--set", "application_id=aid", "--set", "account=user", *words]  # fmt: skip
    if EVERYTHING[model]:
        line += ["--accept", ",".join(EVERYTHING[model])]
    done = subprocess.run(
        list(map(str, line)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("model", ["clickstream", "learning_context", "personalize"])
def test_the_command_shows_no_secret(model, tmp_path):
    """Neither in a dry run nor in its files, nor when it is turned away, nor in its status."""
    source = converted(model, tmp_path, count=24)
    journal = tmp_path / "journals" / "j"
    strict = {
        "cookie": "other",
        "applications": {"aid": "s"},
        "accounts": {"user": "p"},
        "access_key": "AKIDOTHER",
        "secret_key": "s",
    }
    with Rehearsal(**strict) as server:
        code, said = command(model, source, journal, server.addresses[model], "--dry-run")
        assert code == 0
        turned_away, told = command(model, source, journal, server.addresses[model])
        assert turned_away == 3
        assert "stopped:" in told
    assert all("***" in file.read_text(encoding="utf-8") for file in (journal / "dry-run").iterdir())
    assert not leaks(said + told)
    assert not found_below(tmp_path / "journals")


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        ("clickstream", "TRANSLATE_COOKIE", "xqzw\r\nInjected: 1"),
        ("mobile_analytics", "AWS_SESSION_TOKEN", "xqzw\r\nInjected: 1"),
        ("mobile_analytics", "AWS_ACCESS_KEY_ID", "xqzw\nключ"),
        ("pinpoint", "AWS_SESSION_TOKEN", "xqzw\nключ"),
        ("personalize", "AWS_SECRET_ACCESS_KEY", "xqzw\udcff"),
        ("learning_context", "TRANSLATE_LEARNING_CONTEXT_SECRET", "xqzw\udcff"),
    ],
)
def test_secrets_that_cannot_be_sent_are_not_shown_either(model, name, value, tmp_path, monkeypatch):
    """A line break in a secret ends the run with a sentence, not with a traceback that quotes it."""
    source = converted(model, tmp_path, count=24)
    monkeypatch.setenv(name, value)
    (tmp_path / "journals").mkdir()
    with Rehearsal() as server:
        code, said = command(
            model, source, tmp_path / "journals" / "j", server.addresses[model], "--stop-after-errors", "1"
        )
        assert all("xqzw" not in json.dumps(line) for line in server.accepted())
    assert code in (0, 2, 3)
    assert "Traceback" not in said
    assert "xqzw" not in said
    texts = [path.read_bytes() for path in (tmp_path / "journals").rglob("*") if path.is_file()]
    assert not any(b"xqzw" in text for text in texts)
