from __future__ import annotations

from typing import Any

from django import template

from accounts.models import User

from .. import audience

register = template.Library()
MOST = 99


@register.simple_tag(takes_context=True)
def unseen_alerts(context: dict[str, Any]) -> str:
    """Return how many alerts wait to be seen by whoever looks at the page, as the menu says it; "" for none."""
    user = getattr(context.get("request"), "user", None)
    if not isinstance(user, User):
        return ""
    count = audience.unseen_count(user, MOST + 1)
    return f"{MOST}+" if count > MOST else str(count or "")
