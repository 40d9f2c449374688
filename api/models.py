from django.db import models

from accounts.models import ApiToken


class IdempotentAnswer(models.Model):
    """What a program was told when it first sent a request with an Idempotency-Key: told again on every repeat.

    The row is written in the transaction that does the work, so the two stand or fall together, and its constraint is
    the lock: a second request with the key waits until the first one is over.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    # Of method, address and body: another request under the same key is a mistake of the program.
    fingerprint = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)  # as text: its order is part of the answer
    location = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["token", "key"], name="idempotent_answer_once"),
        ]
        indexes = [models.Index(fields=["answered_at"], name="idempotent_answer_by_time")]  # clean-up

    def __str__(self) -> str:
        return f"{self.status_code} for {self.key}"
