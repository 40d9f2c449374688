from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One change: who, when, what, before and after. Rows are only ever added; a trigger refuses everything else.

    Holds no secret and no data of subscribers: names of people and addresses do not belong into before and after.
    """

    at = models.DateTimeField(db_default=Now(), editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    # Stays readable when the user is gone, and names what is no user ("schedule", "command").
    actor_label = models.CharField(max_length=150, editable=False)
    action = models.CharField(max_length=60, editable=False)
    object_type = models.CharField(max_length=60, editable=False)
    object_id = models.CharField(max_length=64, editable=False)
    object_label = models.CharField(max_length=200, editable=False)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder, editable=False)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder, editable=False)

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest_first"),  # the log, newest first
            models.Index(
                fields=["object_type", "object_id", "-at"], name="audit_of_object"
            ),  # what happened to one thing
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.object_label}"
