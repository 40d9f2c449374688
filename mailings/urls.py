from django.urls import path

from .views import (
    compose,
    exports,
    group,
    inbox,
    mail_events,
    optout,
    overview,
    preview,
    providers,
    report,
    sending,
    tables,
    testing,
)

app_name = "mailings"
urlpatterns = [
    path("mailings/", overview.mailings, name="mailings"),
    path("mailings/csv/", exports.mailings_csv, name="mailings_csv"),
    path("mailings/tables/<str:name>/columns/", tables.choose_columns, name="choose_columns"),
    path("mailings/new/", overview.create, name="create"),
    path("mailings/<int:mailing_id>/", compose.compose, name="compose"),
    path("mailings/<int:mailing_id>/save/", compose.save, name="save"),
    path("mailings/<int:mailing_id>/begin/", compose.begin, name="begin"),
    path("mailings/<int:mailing_id>/check/", compose.check, name="check"),
    path("mailings/<int:mailing_id>/estimate/", compose.estimated, name="estimate"),
    path("mailings/<int:mailing_id>/preview/", preview.preview, name="preview"),
    path("mailings/<int:mailing_id>/preview/page/", preview.preview_page, name="preview_page"),
    path("mailings/<int:mailing_id>/test/", testing.send_test, name="send_test"),
    path("mailings/<int:mailing_id>/tests/", testing.tests, name="tests"),
    path("mailings/<int:mailing_id>/copy/", overview.copy, name="copy"),
    path("mailings/<int:mailing_id>/delete/", overview.delete, name="delete"),
    path("mailings/<int:mailing_id>/send/", sending.send, name="send"),
    path("mailings/<int:mailing_id>/send/ask/", sending.request_send, name="request_send"),
    path("mailings/<int:mailing_id>/retry/", sending.retry, name="retry"),
    path("mailings/<int:mailing_id>/accept/", sending.accept, name="accept"),
    path("mailings/<int:mailing_id>/send-stale/", sending.send_stale, name="send_stale"),
    path("mailings/<int:mailing_id>/pause/", sending.pause, name="pause"),
    path("mailings/<int:mailing_id>/resume/", sending.resume, name="resume"),
    path("mailings/<int:mailing_id>/cancel/", sending.cancel, name="cancel"),
    path("mailings/<int:mailing_id>/report/", report.report, name="report"),
    path("mailings/<int:mailing_id>/recipients/", report.recipients, name="recipients"),
    path("mailings/<int:mailing_id>/left-out/", report.left_out, name="left_out"),
    path("mailings/<int:mailing_id>/recipients/csv/", exports.recipients_csv, name="recipients_csv"),
    path("mailings/<int:mailing_id>/left-out/csv/", exports.left_out_csv, name="left_out_csv"),
    path("mailings/<int:mailing_id>/unknown/", report.decide, name="decide"),
    # A tab of Info.
    path("target-groups/<int:group_id>/mailings/", group.group_mailings, name="group_mailings"),
    # Of the menu's Admin.
    path("mail-providers/", providers.mail_providers, name="mail_providers"),
    # Without sign-in.
    path("mail-events/<slug:provider>/", mail_events.mail_events, name="mail_events"),
    path("opt-out/<str:token>/", optout.opt_out, name="opt_out"),
    path("opt-out/<str:token>/undo/", optout.opt_in, name="opt_in"),
    # Only in the demo.
    path("demo/inbox/", inbox.inbox, name="inbox"),
    path("demo/inbox/<int:number>/", inbox.letter, name="letter"),
    path("demo/inbox/<int:number>/tell/", inbox.tell, name="tell_of_letter"),
]
