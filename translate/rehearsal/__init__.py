"""Local endpoints that behave, and misbehave, as the targets are documented to."""

from translate.rehearsal.ledger import canonical, digest_of
from translate.rehearsal.options import Options
from translate.rehearsal.server import Rehearsal

__all__ = ["Options", "Rehearsal", "canonical", "digest_of"]
