from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from ..querysets import SearchText, SubscriberQuerySet
from .bridge import Bridge


class Subscriber(models.Model):
    """One MemberSuite record that was mailable when read (R1, R2).

    `sync.apply` alone writes these rows, so no database constraint watches them (see Membership). A subscriber who
    became Do Not Email, or was erased on request, keeps Remote ID, time and reason only.
    """

    bridge = models.ForeignKey(
        Bridge, on_delete=models.CASCADE, related_name="subscribers", db_index=False, db_constraint=False
    )
    remote_id = models.CharField("Remote ID", max_length=100)
    remote_key = models.CharField(max_length=100, db_collation="C")
    local_id = models.BigIntegerField(null=True, blank=True)
    email = models.TextField("e-mail", blank=True)
    first_name = models.TextField(blank=True)
    last_name = models.TextField(blank=True)
    # One mailbox, one key (R13): suppression and shared addresses compare this.
    address_key = models.TextField(blank=True, db_collation="C")
    attributes = models.JSONField(default=dict, blank=True)
    # Made in Python at reading (casefolded, marks dropped), so that order does not depend on the server's collation.
    sort_email = models.TextField(blank=True, db_collation="C")
    sort_name = models.TextField(blank=True, db_collation="C")
    do_not_email_at = models.DateTimeField(null=True, blank=True)
    # Erased here on request: as if Do Not Email for good, whatever MemberSuite says; no sync stores the person again.
    erased_at = models.DateTimeField(null=True, blank=True)
    # When the page that brought the present values was asked for, by the database's clock (R14).
    seen_at = models.DateTimeField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bridge", "remote_key"], name="subscriber_remote_id_once"),
        ]
        indexes = [
            # R14: who is known to be Do Not Email since a moment?
            models.Index(
                fields=["bridge", "do_not_email_at"],
                condition=models.Q(do_not_email_at__isnull=False),
                name="subscriber_do_not_email",
            ),
            # Everybody at one address; Manage Subscribers by e-mail. The key sorts as the address does.
            models.Index(fields=["bridge", "address_key", "id"], name="subscriber_by_address"),
            # Manage Subscribers by name.
            models.Index(fields=["bridge", "sort_name", "id"], name="subscriber_by_name"),
            # Search inside address and name, in every list of people: once a person, whatever number of groups.
            GinIndex(OpClass(SearchText("sort_email", "sort_name"), name="gin_trgm_ops"), name="subscriber_search"),
            # A sync: whom may it not store again? They are few.
            models.Index(
                fields=["bridge", "remote_key"],
                condition=models.Q(erased_at__isnull=False),
                name="subscriber_erased",
            ),
        ]

    def __str__(self) -> str:
        return self.remote_id

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
