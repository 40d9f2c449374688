"""The one signal: a run has ended. Receivers get `run`."""

from django.dispatch import Signal

sync_finished = Signal()
