"""The second step of a sign-in: a code of an authenticator app (RFC 6238), or one of ten recovery codes."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import pyotp
import segno
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import TwoStep, User
from thrive_sync.lib.claims import claim

ISSUER = "thrive-sync"
PASSED = "two_step"  # in a session: it began with a code
WAITING = "two_step_waits"  # in a session of nobody yet: whose password was right, when, and where they wanted to go
LONGEST_WAIT = timedelta(minutes=5)
SECONDS = 30
AROUND = (0, -1, 1)  # clocks go wrong by half a minute
CODE_COUNT = 10
# Six digits are guessed in a million tries; from how many addresses they come does not matter here.
MOST_FAILURES = 10
PAUSE = timedelta(minutes=15)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another


def begin(user: User) -> TwoStep:
    """Make a secret that counts for nothing before a first code has confirmed it."""
    made, _ = TwoStep.objects.update_or_create(
        user=user, confirmed_at__isnull=True, defaults={"secret": pyotp.random_base32()}
    )
    return made


def confirm(user: User, code: str) -> list[str] | None:
    """Switch it on if the code is right; return the recovery codes, which nobody sees again."""
    waiting = TwoStep.objects.filter(user=user, confirmed_at__isnull=True).first()
    step = _step_of(waiting, code) if waiting else None
    if waiting is None or step is None:
        return None
    codes = _new_codes()
    on = {"confirmed_at": timezone.now(), "last_step": step, "recovery_codes": _hashes(user, codes)}
    return codes if claim(TwoStep.objects.filter(pk=waiting.pk, confirmed_at__isnull=True), **on) else None


def renew_codes(user: User) -> list[str] | None:
    """Replace the recovery codes, used or not; None if it is not on."""
    codes = _new_codes()
    is_on = TwoStep.objects.filter(user=user, confirmed_at__isnull=False)
    return codes if claim(is_on, recovery_codes=_hashes(user, codes)) else None


def switch_off(user: User) -> bool:
    """Forget secret and codes; return whether it was on."""
    return TwoStep.objects.filter(user=user, confirmed_at__isnull=False).delete()[0] > 0


def is_paused(user: User) -> bool:
    """Say whether there were so many wrong codes that for a while no more is taken."""
    since = timezone.now() - PAUSE
    return TwoStep.objects.filter(user=user, failures__gte=MOST_FAILURES, failed_at__gt=since).exists()


def accepts(user: User, code: str) -> bool:
    """Take a code of the app or a recovery code, each once."""
    on = TwoStep.objects.filter(user=user, confirmed_at__isnull=False).first()
    if on is None or is_paused(user):
        return False
    step = _step_of(on, code)
    if step is not None and claim(TwoStep.objects.filter(pk=on.pk, last_step__lt=step), last_step=step, failures=0):
        return True
    if _uses_recovery_code(user, code):
        return True
    TwoStep.objects.filter(pk=on.pk, failed_at__lte=timezone.now() - PAUSE).update(failures=0)
    TwoStep.objects.filter(pk=on.pk).update(failures=F("failures") + 1, failed_at=timezone.now())
    return False


def address_of(two_step: TwoStep) -> str:
    """Return the otpauth:// address that an app reads."""
    return pyotp.TOTP(two_step.secret).provisioning_uri(name=two_step.user.username, issuer_name=ISSUER)


def picture_of(two_step: TwoStep) -> str:
    """Draw the address as a QR code: SVG without any style, so that the pages' policy takes it."""
    code = segno.make(address_of(two_step), error="m")
    return code.svg_inline(border=4, omitsize=True, dark="#000", light="#fff", svgclass="qr", lineclass=None)


def in_fours(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def wait_for_code(request: HttpRequest, user: User, target: str) -> None:
    """Remember for some minutes that the password was right; nobody is signed in by it."""
    request.session.cycle_key()
    request.session[WAITING] = {"user": user.pk, "at": timezone.now().isoformat(), "to": target}


def who_waits(request: HttpRequest) -> tuple[User, str] | None:
    """Return whose code the sign-in waits for and where they wanted to go; None after five minutes."""
    kept: dict[str, Any] | None = request.session.get(WAITING)
    if not kept or timezone.now() - datetime.fromisoformat(kept["at"]) > LONGEST_WAIT:
        return None
    user = User.objects.select_related("two_step").filter(pk=kept["user"], is_active=True).first()
    return (user, kept["to"]) if user and user.has_two_step else None


def _step_of(two_step: TwoStep, code: str) -> int | None:
    """Return which half minute a code belongs to."""
    digits = code.replace(" ", "")
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return None
    now, app = int(timezone.now().timestamp()), pyotp.TOTP(two_step.secret)
    steps = [now // SECONDS + shift for shift in AROUND]
    return next((step for step in steps if constant_time_compare(app.at(step * SECONDS), digits)), None)


@transaction.atomic
def _uses_recovery_code(user: User, code: str) -> bool:
    on = TwoStep.objects.select_for_update().get(user=user)
    wanted = _hash(user, code)
    left = [kept for kept in on.recovery_codes if not constant_time_compare(kept, wanted)]
    if len(left) == len(on.recovery_codes):
        return False
    TwoStep.objects.filter(pk=on.pk).update(recovery_codes=left, failures=0)
    return True


def _new_codes() -> list[str]:
    words = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(CODE_COUNT)]
    return [f"{word[:5]}-{word[5:]}" for word in words]


def _hashes(user: User, codes: list[str]) -> list[str]:
    return [_hash(user, code) for code in codes]


def _hash(user: User, code: str) -> str:
    # A code has 49 random bits, so that a slow hash would add nothing.
    plain = code.lower().replace("-", "").replace(" ", "")
    return salted_hmac(f"accounts.two_step.{user.pk}", plain, algorithm="sha256").hexdigest()
