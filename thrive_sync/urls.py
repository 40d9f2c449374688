"""Where each room's pages start."""

from django.urls import include, path

from thrive_sync.healthz import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("accounts.urls")),
    path("", include("targetgroups.urls")),
    path("", include("mailings.urls")),
]
