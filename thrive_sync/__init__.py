"""The project: settings, the Celery application, and the servers of the demo and the tests."""

# `@shared_task` binds to the application that exists when a task is sent, so it is made with the package.
from thrive_sync.celery import app as celery_app

__all__ = ["celery_app"]
