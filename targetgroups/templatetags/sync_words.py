"""Words and small pictures of syncs, as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms, template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext

from targetgroups import choices
from targetgroups.choices import CALL_CODES, CONNECTION_CODES, Phase, RefreshPart, RunStatus, refreshed
from targetgroups.models import Bridge, SyncRun

from .ui import RUN_LOOK, chip, duration, icon

register = template.Library()
SECRET_GROWS_OLD = timedelta(days=365)
register.filter(choices.reason_label)
register.filter(choices.field_label)
register.filter(choices.detail_label)

STEPS = {
    "reach_host": gettext_lazy("Reach host"),
    "sign_in": gettext_lazy("Sign in"),
    "list_searches": gettext_lazy("List searches"),
    "read_one_record": gettext_lazy("Read one record"),
}
STEP_WORDS = {
    "ok": gettext_lazy("OK"),
    "failed": gettext_lazy("Failed"),
    "skipped": gettext_lazy("Skipped"),
    "working": gettext_lazy("Working…"),
    "waiting": gettext_lazy("Waiting"),
}
NOT_RUNNABLE = {
    "needs_parameter": gettext_lazy(
        "This search asks for a value each time it is run, so it cannot be synced. "
        "In MemberSuite, save a copy with the value filled in."
    ),
    "not_people": gettext_lazy(
        "This search finds organizations or other records, not people, so it has no subscribers."
    ),
    "not_over_rest": gettext_lazy(
        "This search cannot be run over REST. Switch the bridge to Concierge (SOAP) to sync it."
    ),
    "not_public": gettext_lazy("This search is not public in MemberSuite any more."),
    "inactive": gettext_lazy("This search is switched off in MemberSuite."),
}
# Beside the phase in which a run ended that is not good.
_ENDED_HERE = {
    RunStatus.HELD: gettext_lazy("held here"),
    RunStatus.SUPERSEDED: gettext_lazy("superseded here"),
    RunStatus.FAILED: gettext_lazy("failed here"),
    RunStatus.CANCELLED: gettext_lazy("cancelled here"),
}
PASSING_CODES = (CALL_CODES - CONNECTION_CODES) | {"session_expired", "incomplete_reading", "worker_lost", "unexpected"}
MENU = {
    "home": "home",
    "target_groups": "groups",
    "info": "groups",
    "counts": "groups",
    "subscribers": "groups",
    "excluded": "groups",
    "in_search": "groups",
    "history": "groups",
    "folders": "groups",
    "create_folder": "groups",
    "rename_folder": "groups",
    "delete_folder": "groups",
    "move": "groups",
    "delete": "groups",
    "people": "people",
    "subscriber": "people",
    **dict.fromkeys(("suppressions", "suppress", "lift_suppressions"), "suppressions"),
    "sync_activity": "activity",
    "run": "activity",
    "run_people": "activity",
    **dict.fromkeys(("bridge_configuration", "one_bridge", "new_bridge", "save_bridge", "writebacks"), "bridge"),
    "save_bridge": "bridge",
    **dict.fromkeys(("schedules", "schedule", "new_schedule"), "schedules"),
    **dict.fromkeys(("audit_log", "audit_entry"), "audit"),
}


@register.filter
def step_label(name: str) -> str:
    return str(STEPS.get(name) or name.replace("_", " ").capitalize())


@register.filter
def step_word(outcome: str) -> str:
    return str(STEP_WORDS.get(outcome, outcome))


@register.filter
def why_not_runnable(code: str) -> str:
    short = code.removeprefix("search_")
    return str(NOT_RUNNABLE.get(short) or gettext("This search cannot be synced."))


@register.filter
def what_to_do(code: str) -> str:
    """Say what comes next where the run's own sentence does not."""
    if code in CONNECTION_CODES:
        return gettext("When Bridge Configuration is right and Test connection says OK, resync.")
    return gettext("Resync to try again.") if code in PASSING_CODES else ""


@register.filter
def tried_so_far(run: SyncRun) -> str:
    """Say how often a failed run tried before it gave up."""
    asked_again = run.figures.get("asked_again")
    if asked_again:
        return ngettext(
            "Within this run MemberSuite was asked again up to %(count)s times, after longer and longer waits.",
            "Within this run MemberSuite was asked again up to %(count)s times, after longer and longer waits.",
            asked_again,
        ) % {"count": asked_again}
    if run.error_code == "incomplete_reading":
        return gettext("The whole search was read, and then read once more.")
    if run.error_code in CALL_CODES:  # a run of a time when this was not counted
        return gettext("Within this run MemberSuite was asked again several times, after longer and longer waits.")
    if run.error_code in ("worker_lost", "unexpected"):
        return ngettext(
            "By %(count)s worker, one after the other.", "By %(count)s workers, one after the other.", run.attempt
        ) % {"count": run.attempt}
    return gettext("Once: this does not pass by itself, so MemberSuite was not asked again.")


@register.filter
def menu_entry(page: str) -> str:
    """Return the menu's entry that a page belongs to."""
    return MENU.get(page, "")


@register.filter
def fields_named(form: forms.BaseForm, names: str) -> list[forms.BoundField]:
    return [form[name] for name in names.split()]


@register.filter
def secret_set_at(bridge: Bridge | None, name: str) -> datetime | None:
    return getattr(bridge, f"{name}_set_at", None)


@register.filter
def is_old_secret(bridge: Bridge | None, name: str) -> bool:
    """Say whether a stored secret should be renewed: the longer one lives, the more places know it."""
    at = secret_set_at(bridge, name)
    return at is not None and timezone.now() - at > SECRET_GROWS_OLD


@register.filter
def back_to(query: str, page: str) -> str:
    """Build the address of a list with the filters it has now."""
    return f"{reverse(page)}?{query}" if query else reverse(page)


@register.simple_tag
def bridge_chip(bridge: Bridge) -> SafeString:
    """Say whether MemberSuite answered the last time it was asked."""
    if not bridge.is_configured:
        return chip("quiet", "dash-circle-dotted", gettext("Not set up"))
    if bridge.is_connected:
        return chip("ok", "check-circle-fill", gettext("Connected"))
    if bridge.last_failed_contact_at is None:
        return chip("quiet", "question-circle", gettext("Not tried yet"))
    return chip("bad", "x-circle-fill", gettext("Failing"))


@register.simple_tag
def refresh_sentence(run: SyncRun) -> SafeString | str:
    """Say what a list refresh found, each number above 0 leading to its groups (R15)."""
    counts = {part: run.figures.get(part) for part in RefreshPart}
    told = [(part, count) for part, count in counts.items() if count or part == RefreshPart.UNCHANGED]
    if any(count is None for _, count in told):
        return run.sentence  # a run of a time before these figures
    page = reverse("targetgroups:target_groups")
    return format_html_join(", ", "{}", ((_refresh_part(run, page, part, count or 0),) for part, count in told))


def _refresh_part(run: SyncRun, page: str, part: RefreshPart, count: int) -> SafeString:
    words = refreshed(part, count)
    if not count:
        return format_html("{}", words)
    deleted = "&deleted=1" if part == RefreshPart.DELETED else ""
    address = f"{page}?folder=all&refresh={run.pk}&part={part.value}{deleted}"
    return format_html('<a href="{}">{}</a>', address, words)


@register.simple_tag
def steps_of(run: SyncRun) -> list[dict[str, Any]]:
    """Return the finished steps of a connection test."""
    steps: list[dict[str, Any]] = run.figures.get("steps", [])
    return steps


@register.simple_tag
def steps_so_far(run: SyncRun) -> list[dict[str, Any]]:
    """Return every step of a test under way: those told, the one at work, those to come. No line moves later."""
    progress = getattr(run, "progress", None)
    told = {step["name"]: step for step in (progress.steps if progress else [])}
    steps: list[dict[str, Any]] = []
    has_worker = run.status == RunStatus.RUNNING
    for name in STEPS:
        if name in told:
            steps.append(told[name])
        else:
            steps.append({"name": name, "outcome": "working" if has_worker else "waiting"})
            has_worker = False
    return steps


@register.simple_tag
def run_phases(run: SyncRun, phases: Sequence[Phase]) -> SafeString:
    """List the phases: done with its time, the present one, those to come."""
    progress = getattr(run, "progress", None)
    present = Phase.DONE if run.is_good else Phase(progress.phase) if run.is_active and progress else None
    if run.is_active and present is None:
        present = Phase.WAITING
    reached = phases.index(present) if present in phases else -1
    if run.is_final and not run.is_good:  # it ended in the last phase that took time
        reached = max((number for number, phase in enumerate(phases) if phase in run.phase_seconds), default=0)
    return format_html_join("", "{}", ((_phase(run, phase, number, reached),) for number, phase in enumerate(phases)))


def _phase(run: SyncRun, phase: Phase, number: int, reached: int) -> SafeString:
    seconds = run.phase_seconds.get(phase)
    is_present = number == reached and run.is_active
    is_done = seconds is not None or number < reached or (number == reached and not is_present)
    if phase == Phase.WAITING and run.started_at:
        is_done, is_present, seconds = True, False, max((run.started_at - run.created_at).total_seconds(), 0.0)
    is_end = number == reached and run.is_final and not run.is_good
    if is_end:
        tone, picture = RUN_LOOK[RunStatus(run.status)]
        state, word = f"end phase-{tone}", str(_ENDED_HERE[RunStatus(run.status)])
    elif is_present:
        state, picture, word = "present", "arrow-repeat", pgettext("a phase of a run", "now")
    elif is_done:
        state, picture, word = "done", "check-circle-fill", duration(seconds) if seconds is not None else ""
    else:
        state, picture, word = "ahead", "circle", gettext("not reached")
    name = icon(picture, "spin" if is_present else "")
    current = format_html(' aria-current="{}"', "step") if is_present else ""
    return format_html(
        '<li class="phase phase-{}"{}>{}<span>{}</span><span class="muted small num">{}</span></li>',
        state,
        current,
        name,
        phase.label,
        word,
    )
