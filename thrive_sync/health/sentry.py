"""Errors to Sentry, for those who want it: without people's data, and nothing but errors."""

from __future__ import annotations

from typing import Any

import sentry_sdk

from thrive_sync.lib.logs import redact


def start(dsn: str, environment: str, **options: Any) -> None:
    """Begin to report unexpected errors. Without a DSN nothing is ever sent."""
    if not dsn:
        return
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        include_local_variables=False,  # they hold people and secrets
        max_request_body_size="never",
        max_breadcrumbs=0,  # SQL and addresses of what was asked
        traces_sample_rate=0.0,
        auto_session_tracking=False,
        before_send=without_people,
        **options,
    )


def without_people(event: Any, _hint: object = None) -> Any:
    """Return the event with nothing but where and what: no headers, cookies, query, body, user; texts redacted."""
    request = event.pop("request", {})
    if request.get("method"):
        event["request"] = {"method": request["method"]}
    for name in ("user", "breadcrumbs", "extra", "server_name"):
        event.pop(name, None)
    return _redacted(event)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(one) for one in value]
    return value
