"""A stand-in MemberSuite: real protocols, an invented association, faults on demand. Shares no code with the client."""

from memberSuite.standin.server import StandIn, serve

__all__ = ["StandIn", "serve"]
