from urllib.parse import quote

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from thrive_sync.lib.encryption import EncryptedTextField

from ..choices import Transport

RECORD_PLACE = "{id}"


def address_of_record(pattern: str, remote_id: str) -> str:
    """Return where MemberSuite shows a record; "" where a bridge's `record_address`, the pattern, is not filled."""
    return pattern.replace(RECORD_PLACE, quote(remote_id, safe="")) if pattern and remote_id else ""


class Bridge(models.Model):
    """The connection to one MemberSuite association."""

    SECRET_FIELDS = ("secret_access_key", "api_password")

    name = models.CharField("association", max_length=200)
    transport = models.CharField(max_length=16, choices=Transport.choices, default=Transport.CONCIERGE)
    service_address = models.URLField(max_length=500, default="https://soap.membersuite.com/")
    association_id = models.CharField("association ID", max_length=64, blank=True)
    access_key_id = models.CharField("access key ID", max_length=200, blank=True)
    secret_access_key = EncryptedTextField(blank=True, default="")
    tenant_id = models.CharField("tenant ID", max_length=32, blank=True)
    api_user = models.CharField("API user e-mail", max_length=320, blank=True)
    api_password = EncryptedTextField("API user password", blank=True, default="")
    secret_access_key_set_at = models.DateTimeField(null=True, blank=True)
    api_password_set_at = models.DateTimeField(null=True, blank=True)

    page_size = models.PositiveSmallIntegerField(
        default=200, validators=[MinValueValidator(25), MaxValueValidator(1000)]
    )
    requests_in_flight = models.PositiveSmallIntegerField(
        default=4, validators=[MinValueValidator(1), MaxValueValidator(16)]
    )
    # R6: a run that would remove more than this percentage *and* more than this many people is held.
    guard_percent = models.PositiveSmallIntegerField(default=20, validators=[MaxValueValidator(100)])
    guard_people = models.PositiveIntegerField(default=25)
    lists_do_not_email = models.BooleanField(
        "list the people who are Do Not Email", default=True, help_text="Off: only their number is asked for."
    )
    # No document of MemberSuite tells it, and each association's console has a host of its own.
    record_address = models.CharField("address of a person's record", max_length=500, blank=True)

    # Off until somebody with the right to it switches it on: it changes records in MemberSuite.
    writes_back = models.BooleanField("write opt-outs back to MemberSuite", default=False, db_default=False)
    writes_back_bounces = models.BooleanField("write hard bounces back too", default=False, db_default=False)

    is_active = models.BooleanField(default=True)
    last_good_contact_at = models.DateTimeField(null=True, blank=True)
    last_failed_contact_at = models.DateTimeField(null=True, blank=True)
    last_error_code = models.CharField(max_length=64, blank=True)
    last_error_text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(page_size__range=(25, 1000)), name="bridge_page_size_range"),
            models.CheckConstraint(
                condition=models.Q(requests_in_flight__range=(1, 16)), name="bridge_requests_in_flight_range"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    # What a run takes along when it connects; a secret by the time it was set, since its stored form differs each time.
    CONNECTION_FIELDS = (
        *("transport", "service_address", "association_id", "access_key_id", "secret_access_key_set_at"),
        *("tenant_id", "api_user", "api_password_set_at"),
    )

    @property
    def is_connected(self) -> bool:
        """Say whether MemberSuite answered and has not failed since."""
        good, failed = self.last_good_contact_at, self.last_failed_contact_at
        return self.is_configured and good is not None and (failed is None or failed <= good)

    @property
    def is_configured(self) -> bool:
        """Say whether every field that the chosen transport needs has a value."""
        if self.transport == Transport.REST:
            needed = (self.tenant_id, self.api_user, self.api_password)
        else:
            needed = (self.association_id, self.access_key_id, self.secret_access_key)
        return all((self.service_address, *needed))
