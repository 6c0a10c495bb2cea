"""Measures `replay` against the rehearsal's endpoints, the server's work included.

    python benchmarks/foreign.py bench --records 300000
    python benchmarks/replay.py bench/events-00000.json clickstream
    python benchmarks/replay.py bench/events-00000.json pinpoint personalize --rate 15requests

The archive is converted beforehand; sending alone is timed. Without `--rate` each target gets its mapping's default
pace, but for Clickstream, whose pace is then bounded by nothing. Printed for each target: events and requests a
second, the share of the rate that was used, the busiest second as the server saw it, the most memory that sender and
server held, and whether the server has exactly the events that were converted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import translate
from translate.delivery.pace import parse_rate
from translate.delivery.preparation import destination_of

RECIPE = 'to = "personalize"\n[[rule]]\nset.item_id = "name"\n'
UNBOUNDED = "1000000"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "an-example",
    "AWS_REGION": "us-east-1",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument(
        "targets",
        nargs="+",
        choices=("clickstream", "pinpoint", "personalize", "mobile_analytics", "learning_context"),
    )
    parser.add_argument("--rate")
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    for target in arguments.targets:
        with tempfile.TemporaryDirectory() as scratch:
            measure(target, arguments.archive, arguments.rate, arguments.limit, Path(scratch))


def measure(target: str, archive: Path, rate: str | None, limit: int | None, scratch: Path) -> None:
    """Convert, send, and print what came of it."""
    recipe = scratch / "every-event.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    layout = destination_of(target).layout.address
    translate.convert(
        archive,
        to=layout,
        out=scratch / "requests",
        limit=limit,
        recipe=recipe if target == "personalize" else None,
    )
    server = subprocess.Popen(
        [sys.executable, "-m", "translate", "rehearse", "--json"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        addresses = json.loads(server.stdout.readline())["addresses"]
        asked = rate or (UNBOUNDED if target == "clickstream" else None)
        report, memory = send(target, addresses[target], asked, scratch)
        stats = json.load(urllib.request.urlopen(addresses["pinpoint"] + "/_stats"))
        tell(target, report, stats, memory, peak(server.pid), asked)
    finally:
        server.terminate()
        server.wait()


def send(target: str, endpoint: str, rate: str | None, scratch: Path) -> tuple[dict, int]:
    """Replay in a process of its own; give its report and the most memory that it held."""
    names = ",".join(name for name in destination_of(target).delivery.preflight)
    call = [sys.executable, "-m", "translate", "replay", scratch / "requests", "--to", target, "--endpoint", endpoint, "--journal",
            scratch / "journal", "--accept", names, "--json", "--set", "region=us-east-1", "--set", "application_id=1", "--set",
            "account=ada", *(["--rate", rate] if rate else [])]  # fmt: skip
    secrets = {
        "TRANSLATE_LEARNING_CONTEXT_SECRET": "an-example",
        "TRANSLATE_LEARNING_CONTEXT_PASSWORD": "an-example",
    }
    code = "import resource,sys;from translate.cli import main\ntry: main()\nfinally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *map(str, call[3:])], capture_output=True, text=True, check=False,
                          env={**ENVIRONMENT, **secrets, "PATH": "", "PYTHONPATH": str(Path(translate.__file__).parent.parent)})  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout), int(done.stderr.split()[-1]) * 1024


def peak(process: int) -> int:
    """Give the most memory that a process held, in bytes."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def tell(target: str, report: dict, stats: dict, sender: int, server: int, rate: str | None) -> None:
    """Print the figures of one target."""
    seconds, there = report["seconds"], stats["targets"][target]
    chosen = parse_rate(rate) if rate else None
    quota = destination_of(target).delivery.quota.default_requests_per_second
    per_second = {"events": report["sent_now"] / seconds, "requests": report["requests_now"] / seconds}
    allowed, unit = (chosen.mean, chosen.unit) if chosen else (quota, "requests")
    whole = there["accepted"] == report["conversion"]["written"]
    print(
        f"{target}: {report['sent_now']:,} events in {seconds:.1f} s: {per_second['events']:,.0f} events/s, {per_second['requests']:,.0f} requests/s"
    )
    if rate != UNBOUNDED:
        print(
            f"  of the {allowed:g} {unit}/s allowed: {per_second[unit] / allowed:.0%}; busiest second as received: {there['busiest_second'][unit]:,}"
        )
    print(
        f"  memory: sender {sender / 1e6:,.0f} MB, server {server / 1e6:,.0f} MB; the server holds {'all of them' if whole else 'OTHER EVENTS'}"
    )


if __name__ == "__main__":
    main()
