"""What the command line asks of a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

import translate
from translate.cli.application import app
from translate.cli.options import AsJson
from translate.cli.printing import print_json
from translate.errors import ExitCode

if TYPE_CHECKING:
    from translate.conversion.converting import Converted

LOCAL = "local"
ENGINE_HELP = (
    "Who makes the parts: this machine, or the executors of Spark (which the extra `spark` installs), to the same bytes; "
    "--out has to be reached from all of them."
)
Engine = Annotated[str, typer.Option("--engine", metavar="local|spark", help=ENGINE_HELP)]
Master = Annotated[
    str | None,
    typer.Option(
        "--master", metavar="URL", help="Spark's master; else the one it was submitted to, or local[*]."
    ),
]


@contextlib.contextmanager
def converter(
    engine: str, master: str | None, *, workers: int | None, **asked: Any
) -> Iterator[Callable[..., Converted]]:
    """Give the call that converts, by this machine or by a cluster; raise UsageError for what neither does."""
    if engine == "spark":
        from translate import spark
        from translate.spark.cluster import session_of

        spark.refuse_by_name(**asked)
        if workers is not None:
            raise translate.UsageError(
                "--workers is for this machine: with --engine spark its executors work"
            )
        with session_of(master) as session:
            yield partial(spark.convert, session)
        return
    if engine != LOCAL:
        raise translate.UsageError(f"--engine {engine}: is none (one of: {LOCAL}, spark)")
    if master is not None:
        raise translate.UsageError("--master is for --engine spark")
    yield partial(translate.convert, workers=workers)


@app.command("spark-check")
def check_of_cluster(master: Master = None, as_json: AsJson = False) -> int:
    """Tell versions, engine and platform of the driver and the executors of a cluster."""
    from translate.spark.cluster import differences, session_of, spark_check

    with session_of(master) as session:
        members = spark_check(session)
    different = differences(members)
    if as_json:
        answers = [{"role": member.role, **member.told} for member in members]
        print_json({"members": answers, "differences": different})
    else:
        for member in members:
            print(member.role)
            for name, told in member.told.items():
                print(f"  {name:<10}{told}")
        print("\n".join(different) or "all would make the same parts")
    return ExitCode.FLAWED if different else ExitCode.DONE
