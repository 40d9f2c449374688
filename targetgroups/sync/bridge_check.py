"""Test a connection step by step, each step shown as it ends."""

from dataclasses import asdict

from ..remote import CheckStep, MemberSuiteClient
from .single_flight import Heartbeat


def walk(client: MemberSuiteClient, heart: Heartbeat) -> CheckStep | None:
    """Take the steps in order and tell each; return the one that failed, if any."""
    failed: CheckStep | None = None
    for step in client.check():
        heart.check()
        heart.tell_step(asdict(step))
        if step.outcome == "failed" and failed is None:
            failed = step
    return failed
