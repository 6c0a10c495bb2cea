"""Questions that analysts ask of events, each a function over a hub frame that gives a frame: `funnel`, `retention`, `sessions`, `lengths`, `revenue`, `users`.

They take what `translate.scan` gives, whole or filtered, lazy or collected, and look at the columns that they need only. Who
counts is the client unless `who` names another column, or several, of which the first that is there counts.
"""

from __future__ import annotations

from translate.analysis.cohorts import lengths, retention, revenue, sessions, users
from translate.analysis.steps import funnel

__all__ = ["funnel", "lengths", "retention", "revenue", "sessions", "users"]


def __dir__() -> list[str]:
    return [*__all__]
