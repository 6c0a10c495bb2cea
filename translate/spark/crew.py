"""The executors as a crew: each makes units of a run that the driver holds, in the way in which the driver would."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from translate.conversion.bucket_output import BucketTarget, Prefix, output_of, target_of
from translate.conversion.output import Output
from translate.conversion.persistence import make_folder
from translate.conversion.run import Conversion
from translate.errors import OutputError, UsageError
from translate.passes import Asked, Passes
from translate.recipe.privacy import KEY
from translate.spark.cluster import ASKED_EACH, carried, refuse_different, spark_check, told_of_spark
from translate.spark.portions import Order, Portion, packed, portion_of, unpacked
from translate.stores.upload import Encryption
from translate.vocabulary.words.stamps import is_numbered

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LIMITED = (
    "--limit takes the first events, and only a single process knows which they are: leave out --engine spark"
)
ERASED = "--erase reads again, by a single process, all that was written: leave out --engine spark"
APART = (
    "--dedupe, --add and --fold write down what they found below --state, and executors read it there: with --out s3://... "
    "name a folder as --state that driver and executors share"
)
UNREACHABLE = (
    "{target}: the executor on {host} does not see what the driver wrote there; name a folder that driver and executors "
    "share, or an s3:// prefix"
)


@dataclass(frozen=True)
class Errand:
    """What executors have to do with each unit of a run: an order, and where what they make goes."""

    order: Order
    out: str
    state: str | None
    encryption: Encryption | None
    asked: Asked
    compression: str
    hash_key: str | None
    witness: str
    passes: Path | None

    @classmethod
    def of(cls, run: Conversion, passes: Passes | None) -> Errand:
        """Give the errand of a run that holds its target."""
        run.output.write_witness(witness := uuid.uuid4().hex)
        out, state, encryption = _spelled(run.target)
        return cls(
            Order.of(run.job, run.recognised), out, state, encryption, run.asked, run.sinks.compression,
            run.identity()["hash_key"], witness, run.output.scratch.absolute() if passes else None,
        )  # fmt: skip

    @property
    def target(self) -> Path | BucketTarget:
        """Give the target as this process reaches it."""
        return target_of(self.out, self.state, self.encryption) if self.encryption else Path(self.out)


def _spelled(target: Path | BucketTarget) -> tuple[str, str | None, Encryption | None]:
    """Spell a target so that another process finds it."""
    if not isinstance(target, BucketTarget):
        return os.path.abspath(target), None, None
    books = target.books
    state = str(books) if isinstance(books, Prefix) else os.path.abspath(books)
    return str(target), state, target.encryption


def refuse_by_name(*, limit: int | None = None, erase: Any = None, **_: Any) -> None:
    """Raise UsageError for what a cluster cannot do with the result that one machine has."""
    if limit is not None:
        raise UsageError(LIMITED)
    if erase is not None:
        raise UsageError(ERASED)


# -- on the driver ----------------------------------------------------------------------------------------------------


class SparkCrew:
    """Makes the units of a run by the executors of a session, one task each."""

    def __init__(self, spark: SparkSession) -> None:
        self._context = spark.sparkContext
        self._spark = spark

    def __call__(self, run: Conversion, passes: Passes | None) -> None:
        """Make all units that remain; raise what a single process would."""
        if (
            passes is not None
            and isinstance(run.target, BucketTarget)
            and isinstance(run.target.books, Prefix)
        ):
            raise UsageError(APART)
        remaining = run.remaining()
        if not remaining:
            return
        refuse_different(spark_check(self._spark))
        errand = self._context.broadcast(packed(Errand.of(run, passes)))
        probes = max(2, self._context.defaultParallelism) * ASKED_EACH
        self._each("reaches the target", partial(_reached, errand), range(probes))
        portions = {unit.number: packed(portion_of(unit, run.recognised)) for unit in remaining}
        first = self._first_numbers(errand, run, portions)
        self._each(
            "makes units", partial(_made, errand), [(portions[number], first[number]) for number in portions]
        )
        run.output.catch_up()

    def _first_numbers(self, errand: Any, run: Conversion, portions: dict[int, bytes]) -> dict[int, int]:
        """Give the number of each unit's first request: where requests are numbered, they are counted before."""
        if not _is_numbered(run):
            return dict.fromkeys(portions, 1)
        counted = self._each("counts requests", partial(_counted, errand), list(portions.values()))
        counts = dict(zip(portions, counted, strict=True))
        for unit in run.units:
            kept = None if unit.number in counts else run.output.kept(unit.number, trusted=True)
            counts[unit.number] = kept.report.requests if kept else counts[unit.number]
        before = accumulate((counts[unit.number] for unit in run.units), initial=1)
        return {unit.number: first for unit, first in zip(run.units, before, strict=False)}

    def _each(self, doing: str, work: Callable[[Any], Any], given: Sequence[Any]) -> list[Any]:
        """Have each of some things done by a task of its own; give the answers in order."""
        self._context.setJobDescription(f"translate {doing}")
        with told_of_spark():
            return list(self._context.parallelize(given, len(given)).map(work).collect())


def _is_numbered(run: Conversion) -> bool:
    layout = run.job.target_layout
    request = layout.request if layout else None
    return request is not None and any(is_numbered(entry.word, entry.template) for entry in request.fields)


# -- on an executor ---------------------------------------------------------------------------------------------------


def _reached(errand: Any, _: Any) -> None:
    with carried():
        told: Errand = unpacked(errand.value)
        told.order.ask_stores_alike()
        refuse_unreached(output_of(told.target, {}), told)


def _made(errand: Any, given: tuple[bytes, int]) -> None:
    portion, first = pickle.loads(given[0]), given[1]  # noqa: S301  the driver's own
    with _attempt(unpacked(errand.value), portion) as (run, passes):
        run.make(portion.unit, passes, first)


def _counted(errand: Any, given: bytes) -> int:
    portion = pickle.loads(given)  # noqa: S301  the driver's own
    with _attempt(unpacked(errand.value), portion) as (run, passes):
        return run.requests_of(portion.unit, passes)


@contextlib.contextmanager
def _attempt(errand: Errand, portion: Portion) -> Iterator[tuple[Conversion, Passes | None]]:
    """Give a run of one unit, in a scratch folder that no other attempt at it has: a lost executor may still be writing."""
    order = errand.order
    with carried():
        order.ask_stores_alike()
        run = Conversion(
            order.job, order.recognised(portion), errand.target, compression=errand.compression, asked=errand.asked,
            attempt=f"{portion.unit.number:05}-{uuid.uuid4().hex}",
        )  # fmt: skip
        refuse_unreached(run.output, errand)
        if run.identity()["hash_key"] != errand.hash_key:
            raise UsageError(f"{KEY} is another one on {socket.gethostname()} than on the driver")
        make_folder(run.output.scratch)
        try:
            yield run, Passes(errand.passes, errand.asked) if errand.passes else None
        finally:
            shutil.rmtree(run.output.scratch, ignore_errors=True)


def refuse_unreached(output: Output, errand: Errand) -> None:
    """Raise OutputError where this process does not reach the target, or not the driver's data sheets."""
    host, sheets = socket.gethostname(), errand.order.job.settings.mappings
    if output.witness() != errand.witness:
        raise OutputError(UNREACHABLE.format(target=errand.out, host=host))
    if sheets is not None and not sheets.is_dir():
        raise UsageError(
            f"--mappings {sheets}: the executor on {host} does not see it; name a folder that all share"
        )
