"""E-mail backends as other libraries bring them."""

from django.core.mail.backends.smtp import EmailBackend


class PlainSmtp(EmailBackend):
    """Not the one whose place the product's own connections take."""
