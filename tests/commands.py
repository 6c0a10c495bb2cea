"""Commands as a user gives them, run by the tests: `translate` in this process, anything else in the shell."""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import socket
import subprocess
import sys

from translate import cli

SHELL_SECONDS = "300"  # a command that waits for what will not come ends
PORTS = (20_000, 32_000)


def run_here(words: list[str]) -> tuple[str, str, int]:
    """Run the command line in this process."""
    output, error = io.StringIO(), io.StringIO()
    arguments, handler = sys.argv, signal.getsignal(signal.SIGTERM)
    sys.argv = words
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(error):
            cli.main()
    except SystemExit as end:
        return output.getvalue(), error.getvalue(), int(end.code or 0)
    finally:
        sys.argv = arguments
        signal.signal(signal.SIGTERM, handler)
    raise AssertionError("the command line has to end by an exit code")


def run_shell(command: str) -> tuple[str, str, int]:
    """Run any other command in the shell."""
    beside = os.pathsep.join(
        [os.path.dirname(sys.executable), os.environ.get("PATH", "")]
    )  # `python` is this one
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": beside}
    bounded = ["timeout", "--kill-after", "5", SHELL_SECONDS, "bash", "-c", command]
    done = subprocess.run(bounded, capture_output=True, text=True, check=False, env=environment)
    return done.stdout, done.stderr, done.returncode


def free_port() -> int:
    """Give a port that stays free until it is used: it is none of those that a system gives to whoever asks for any."""
    while True:
        port = random.randrange(*PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
