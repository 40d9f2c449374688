from django.urls import path

from .views import groups, mailings, runs, subscribers, suppressions, token

app_name = "api"
urlpatterns = [
    path("v1/token", token.OwnToken.as_view(), name="token"),
    path("v1/groups", groups.Groups.as_view(), name="groups"),
    path("v1/groups/<int:group_id>", groups.OneGroupView.as_view(), name="group"),
    path("v1/groups/<int:group_id>/members", groups.Members.as_view(), name="members"),
    path("v1/groups/<int:group_id>/sync", groups.StartSync.as_view(), name="sync"),
    path("v1/groups/<int:group_id>/preview", groups.StartPreview.as_view(), name="preview"),
    path("v1/runs", runs.Runs.as_view(), name="runs"),
    path("v1/runs/<int:run_id>", runs.OneRunView.as_view(), name="run"),
    path("v1/runs/<int:run_id>/cancel", runs.CancelRun.as_view(), name="cancel_run"),
    path("v1/runs/<int:run_id>/apply", runs.ApplyHeldRun.as_view(), name="apply_run"),
    path("v1/runs/<int:run_id>/discard", runs.DiscardHeldRun.as_view(), name="discard_run"),
    path("v1/subscribers", subscribers.Subscribers.as_view(), name="subscribers"),
    path("v1/subscribers/search", subscribers.SearchSubscribers.as_view(), name="search_subscribers"),
    path("v1/subscribers/<int:subscriber_id>", subscribers.OneSubscriberView.as_view(), name="subscriber"),
    path("v1/mailings", mailings.Mailings.as_view(), name="mailings"),
    path("v1/mailings/<int:mailing_id>", mailings.OneMailingView.as_view(), name="mailing"),
    path("v1/mailings/<int:mailing_id>/report", mailings.MailingReport.as_view(), name="report"),
    path("v1/mailings/<int:mailing_id>/recipients", mailings.Recipients.as_view(), name="recipients"),
    path("v1/mailings/<int:mailing_id>/send", mailings.Send.as_view(), name="send"),
    path("v1/mailings/<int:mailing_id>/pause", mailings.Pause.as_view(), name="pause"),
    path("v1/mailings/<int:mailing_id>/resume", mailings.Resume.as_view(), name="resume"),
    path("v1/mailings/<int:mailing_id>/cancel", mailings.Cancel.as_view(), name="cancel"),
    path("v1/suppressions", suppressions.Suppressions.as_view(), name="suppressions"),
    path("v1/suppressions/lift", suppressions.LiftSuppressions.as_view(), name="lift"),
    path("v1/suppressions/search", suppressions.SearchSuppressions.as_view(), name="search_suppressions"),
]
