"""Where each room's pages start."""

from django.urls import path

from thrive_sync.healthz import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
]
