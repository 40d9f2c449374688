"""What this room does for the ones below: what waits is held after a restore."""

from __future__ import annotations

from . import delivery, letters


def hold() -> list[str]:
    """Keep events and e-mails that wait from going out by themselves; say what that was."""
    events, mails = delivery.hold_waiting(), letters.hold_waiting()
    said = []
    if events:
        said.append(f"Events for webhooks: {events} given up. Each can be tried again on its webhook's page.")
    if mails:
        said.append(f"E-mails about alerts: {mails} not sent. The page Alerts has what they told of.")
    return said
