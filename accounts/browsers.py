"""What a browser calls itself, in words that a person knows it by."""

from __future__ import annotations

import re

from django.utils.translation import gettext

# In this order: most of them call themselves by the others' names as well.
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:Chrome|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)

_UNKNOWN, _SOME = "Unknown browser", "A browser"


def described(user_agent: str) -> str:
    """Say "Firefox on Linux", as it is kept; what is not known is called so. `shown` is for people."""
    browser, system = _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)
    if not browser and not system:
        return _UNKNOWN
    return f"{browser or _SOME} on {system}" if system else browser


def shown(kept: str) -> str:
    """Put what `described` said into the reader's language."""
    browser, _, system = kept.partition(" on ")
    if browser in ("", _UNKNOWN):
        return gettext("Unknown browser")
    if not system:
        return browser
    if browser == _SOME:
        return gettext("A browser on %(system)s") % {"system": system}
    return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, text)), "")
