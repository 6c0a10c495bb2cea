"""What all tests share: how much is generated, and a network that is closed except to this machine."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

MODEST = 25
QUICK = [Phase.explicit, Phase.generate]  # making a failing archive smaller takes minutes: HYPOTHESIS_PROFILE=shrink does
settings.register_profile(
    "default", max_examples=MODEST, deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=QUICK, derandomize=True
)
settings.register_profile("ci", parent=settings.get_profile("default"), max_examples=8 * MODEST, derandomize=False, print_blob=True)
settings.register_profile("shrink", parent=settings.get_profile("ci"), phases=list(Phase))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True, scope="session")
def closed_network() -> Any:
    """Refuse every connection that leaves this machine."""
    patch = pytest.MonkeyPatch()
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(original: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            outside = self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(LOOPBACK)
            if outside:
                raise OSError(f"tests may not reach the network: {address}")
            return original(self, address)

        return call

    patch.setattr(socket.socket, "connect", guarded(connect))
    patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    yield
    patch.undo()
