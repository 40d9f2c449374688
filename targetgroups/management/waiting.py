"""What the commands share: wait for a run, tell how it ended, and leave with the right exit code."""

import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from ..choices import GOOD, RunStatus, reason_label
from ..models import Bridge, SyncRun, TargetGroup

FAILED, BAD_USE, HELD = 1, 2, 3
_LOOK_EVERY = 0.1


class RunCommand(BaseCommand):
    """A command that asks for a run. Exit code 0 only on success, 1 failed, 2 bad use, 3 held."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", action="store_true", help="wait for the end of the run")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
        parser.add_argument("--bridge", type=int, help="the bridge's number, where there are several")
        parser.add_argument(
            "--timeout", type=float, default=0, help="with --wait: give up waiting after so many seconds"
        )

    def the_bridge(self, number: int | None) -> Bridge:
        """Give the bridge that is meant. Ends the command (2) if that is not clear."""
        bridges = list(Bridge.objects.filter(pk=number) if number else Bridge.objects.filter(is_active=True)[:2])
        if not bridges:
            raise self.refusal("There is no such bridge. Connect MemberSuite on Bridge Configuration first.")
        if len(bridges) > 1:
            raise self.refusal("There are several bridges; say which one with --bridge.")
        return bridges[0]

    def refusal(self, sentence: str) -> CommandError:
        """Give the error that ends the command as bad use."""
        return CommandError(sentence, returncode=BAD_USE)

    def conclude(self, run: SyncRun, options: dict[str, Any]) -> None:
        """Wait if that was asked for, print what is known, and end with the exit code that says it."""
        if options["wait"]:
            self._wait(run, options["timeout"])
        run.refresh_from_db()
        if options["json"]:
            self.stdout.write(json.dumps(as_json(run)))
        else:
            self.stdout.write(as_text(run))
        if options["wait"]:
            self._leave(run)

    def _wait(self, run: SyncRun, timeout: float) -> None:
        give_up_at = time.monotonic() + timeout if timeout else None
        while not SyncRun.objects.only("status").get(pk=run.pk).is_final:
            if give_up_at is not None and time.monotonic() > give_up_at:
                break
            time.sleep(_LOOK_EVERY)

    def _leave(self, run: SyncRun) -> None:
        if run.status == RunStatus.HELD or run.figures.get("would_be_held"):
            sys.exit(HELD)
        if run.status in GOOD:
            return
        if not run.is_final:
            self.stderr.write("Gave up waiting: the run goes on. Is a worker running?")
        sys.exit(FAILED)


class GroupCommand(RunCommand):
    """A command about one target group."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("group", help="the search's ID, the group's number, or the group's name")
        super().add_arguments(parser)

    def find_group(self, word: str, bridge: int | None) -> TargetGroup:
        """Find the one group that is meant: by search ID, then number, then name. Ends the command (2) if none is."""
        groups = TargetGroup.objects.present().select_related("bridge")
        if bridge:
            groups = groups.filter(bridge=bridge)
        number = int(word) if word.isdecimal() and len(word) < 18 else None
        for meant in (Q(search_key=word.lower()), Q(pk=number), Q(name=word), Q(name__iexact=word)):
            found = list(groups.filter(meant)[:3])
            if len(found) == 1:
                return found[0]
            if found:
                ids = ", ".join(str(group.pk) for group in found)
                raise self.refusal(
                    f'Several target groups are called "{word}". Use the number ({ids}) or the search ID.'
                )
        raise self.refusal(
            f'No target group is called "{word}" or has that number or search ID. Try sync_searches first.'
        )


def as_json(run: SyncRun) -> dict[str, Any]:
    """Give what a program wants to know of a run."""
    return {
        "run": run.pk,
        "kind": run.kind,
        "status": run.status,
        "trigger": run.trigger,
        "target_group": run.target_group_id,
        "name": run.target_group.name if run.target_group else run.bridge.name,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "sentence": run.sentence,
        "error": {"code": run.error_code, "text": run.error_text} if run.error_code else None,
        "figures": run.figures,
        "warnings": run.warnings,
    }


def as_text(run: SyncRun) -> str:
    """Give what a person wants to know of a run, in a few lines."""
    name = run.target_group.name if run.target_group else run.bridge.name
    lines = [f"{run.get_kind_display()} {run.pk} ({name}): {run.get_status_display()}"]
    lines += [f"  {step['name']}: {step['outcome']} - {step['said']}" for step in run.figures.get("steps", [])]
    lines += [f"  {text}" for text in (run.sentence, run.error_text, *run.warnings) if text]
    by_reason = run.figures.get("would_remove_by_reason", {})
    lines += [f"  would be removed: {count:,} ({reason_label(word)})" for word, count in by_reason.items()]
    return "\n".join(lines)
