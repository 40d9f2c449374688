"""Signing in and out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts import presence, two_step
from accounts.forms import SignInForm


class SignInView(LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if user.has_two_step:
            two_step.wait_for_code(self.request, user, self.get_success_url())
            return redirect("accounts:sign_in_code")
        presence.sign_in(self.request, user)
        return redirect(self.get_success_url())


class SignOutView(LogoutView):
    """POST only (Django's own rule): a link somewhere else cannot sign anybody out."""

    next_page: Any = "accounts:sign_in"
