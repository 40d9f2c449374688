from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Let the document of the API know how programs prove who they are."""
        from . import document  # noqa: F401
