from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now, Upper


class AuditEntry(models.Model):
    """One change: who, when, what, before and after. Rows are only ever added; triggers refuse everything else.

    What is older than AUDIT_DAYS goes, by the one way that the triggers leave open (`audit.retention`).

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
            models.Index(fields=["object_type", "-at", "-id"], name="audit_of_kind"),  # the log, of a kind of thing
            models.Index(fields=["action", "-at", "-id"], name="audit_of_action"),  # the log, of a kind of change
            models.Index(fields=["actor_label", "-at", "-id"], name="audit_of_actor"),  # the log, of one person
            # The log's search: a part of the name of who did it, or of what it was done to.
            GinIndex(OpClass(Upper("object_label"), name="gin_trgm_ops"), name="audit_search_object"),
            GinIndex(OpClass(Upper("actor_label"), name="gin_trgm_ops"), name="audit_search_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.object_label}"
