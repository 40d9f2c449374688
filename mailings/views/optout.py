"""The public opt-out page: no sign-in, no script; the link's token is all it needs. Looking changes nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from .. import optout


@csrf_exempt  # mail programs post here by themselves (RFC 8058), and people whose cookies are off must get out too
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """Ask first, act on POST. Whoever holds the token may act, so a forged request gains nothing."""
    recipient = optout.find(token)
    if recipient is None:
        return _no_such_link(request, token)
    is_one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    if request.method == "POST":
        optout.opt_out(recipient, "one_click" if is_one_click else "page")
        if not is_one_click:
            return redirect("mailings:opt_out", token)
    context = {"token": token, "recipient": recipient, "is_opted_out": optout.is_opted_out(recipient)}
    return render(request, "mailings/opt_out.html", context | {"address": masked(recipient.email)})


@never_cache
@require_POST
def opt_in(request: HttpRequest, token: str) -> HttpResponse:
    """Take the opt-out back."""
    recipient = optout.find(token)
    if recipient is None:
        return _no_such_link(request, token)
    optout.opt_in(recipient)
    return redirect("mailings:opt_out", token)


def masked(address: str) -> str:
    """Show an address so that its owner knows it and nobody else learns it: a forwarded message has the link too."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}•••{at}{domain}"


def _no_such_link(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a link that stands for nobody: that of a test, whose page says so and does nothing, or none of ours."""
    if (tested := optout.find_test(token)) is not None:
        return render(request, "mailings/opt_out_test.html", {"mailing": tested})
    return render(request, "mailings/no_such_link.html", status=404)
