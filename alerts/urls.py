from django.urls import path

from .views import alerts, demo, webhooks

app_name = "alerts"
urlpatterns = [
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/seen/", alerts.mark_seen, name="mark_seen"),
    path("preferences/alerts/", alerts.preferences, name="preferences"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/create/", webhooks.create, name="create_webhook"),
    path("webhooks/<int:webhook_id>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:webhook_id>/change/", webhooks.change, name="change_webhook"),
    path("webhooks/<int:webhook_id>/new-secret/", webhooks.rotate, name="rotate_webhook"),
    path("webhooks/<int:webhook_id>/switch/", webhooks.switch, name="switch_webhook"),
    path("webhooks/<int:webhook_id>/remove/", webhooks.remove, name="remove_webhook"),
    path("webhooks/<int:webhook_id>/test/", webhooks.send_test, name="test_webhook"),
    path("webhooks/deliveries/<int:delivery_id>/again/", webhooks.try_again, name="try_again"),
    path("demo/webhooks/", demo.received, name="received"),
    path("demo/webhooks/receive/", demo.receive, name="receive"),
]
