"""A Spark of one process: what travels to executors is packed and unpacked as it would be, and done one after another."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

cloudpickle = pytest.importorskip("pyspark.cloudpickle", reason="PySpark is not installed")


class Distributed:
    """Things on executors, and what is done with each."""

    def __init__(self, context, given, work=None):
        self.context, self.given, self.work = context, given, work

    def map(self, work):
        return Distributed(self.context, self.given, cloudpickle.dumps(work))

    def collect(self):
        answers = []
        for each in self.given:
            self.context.before_each()
            answers.append(
                cloudpickle.loads(
                    cloudpickle.dumps(
                        cloudpickle.loads(self.work)(cloudpickle.loads(cloudpickle.dumps(each)))
                    )
                )
            )
        return answers


class Context:
    """What our code asks of a SparkContext."""

    defaultParallelism = 1  # noqa: N815  Spark's names

    def __init__(self):
        self.before_each = lambda: None
        self.described = []

    def broadcast(self, value):
        return SimpleNamespace(value=value)

    def parallelize(self, given, slices):
        assert slices == len(given)
        return Distributed(self, list(given))

    def setJobDescription(self, text):  # noqa: N802
        self.described.append(text)


class Session:
    """What our code asks of a SparkSession."""

    def __init__(self):
        self.sparkContext = Context()
