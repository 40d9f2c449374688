"""Where each room's pages start."""

from django.urls import include, path

from thrive_sync.catalogue import Catalogue
from thrive_sync.health.healthz import healthz
from thrive_sync.health.metrics import metrics
from thrive_sync.health.readyz import readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("words/<str:language>.js", Catalogue.as_view(), name="words"),
    path("", include("accounts.urls")),
    path("", include("targetgroups.urls")),
    path("", include("mailings.urls")),
    path("", include("alerts.urls")),
    path("api/", include("api.urls")),
]
# Programs get their refusals as JSON.
handler400 = "api.problems.bad_request"
handler404 = "api.problems.not_found"
handler500 = "api.problems.server_error"
