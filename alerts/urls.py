from django.urls import path

from .views import alerts

app_name = "alerts"
urlpatterns = [
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/seen/", alerts.mark_seen, name="mark_seen"),
    path("preferences/alerts/", alerts.preferences, name="preferences"),
]
