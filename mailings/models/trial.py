from django.conf import settings
from django.db import models

from targetgroups.models import Subscriber

from ..choices import UNSETTLED, Outcome
from .mailing import Mailing


class MailingTest(models.Model):
    """A message sent to a few typed addresses to see how it arrives (Send Test).

    It is no sending of the mailing: nothing of it is counted among recipients, and nobody it goes to is one.
    """

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="tests")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField()
    # What was asked to be tested: another text than this is not sent.
    version = models.PositiveIntegerField()
    # Whose values fill it; null: somebody of whom nothing is known.
    subscriber = models.ForeignKey(Subscriber, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["asked_by", "-id"], name="mailing_test_by_person"),  # what was typed last
        ]

    def __str__(self) -> str:
        return f"test {self.pk}"


class MailingTestCopy(models.Model):
    """One address of a test, and what became of it. Handed over once: what a kill cut off stays unknown (R13)."""

    test = models.ForeignKey(MailingTest, on_delete=models.CASCADE, related_name="copies")
    address = models.CharField(max_length=254)
    address_key = models.TextField(db_collation="C")
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.QUEUED)
    # Of a skipped one: why; of a failed one: the mail server's reply code.
    reason = models.CharField(max_length=32, blank=True)
    said = models.TextField("what the mail server said", blank=True)
    in_flight_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["test", "address_key"], name="mailing_test_address_once")]
        indexes = [
            models.Index(fields=["address_key"], name="mailing_test_address"),  # erasing a person
            models.Index(fields=["id"], name="mailing_test_open", condition=models.Q(outcome__in=UNSETTLED)),  # sweep
        ]

    def __str__(self) -> str:
        return f"{self.test_id}: {self.outcome}"
