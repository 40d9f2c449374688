from django.urls import path

from .views import activity, bridge, exports, groups, home, info, run_people, tables

app_name = "targetgroups"
urlpatterns = [
    path("", home.home, name="home"),
    path("target-groups/", groups.target_groups, name="target_groups"),
    path("target-groups/refresh/", groups.refresh, name="refresh"),
    path("target-groups/<int:group_id>/", info.overview, name="info"),
    path("target-groups/<int:group_id>/open/", info.open_info, name="open_info"),
    path("target-groups/<int:group_id>/resync/", groups.resync, name="resync"),
    path("target-groups/<int:group_id>/preview/", groups.preview, name="preview"),
    path("target-groups/<int:group_id>/live/", info.live, name="info_live"),
    path("target-groups/<int:group_id>/counts/", info.counts, name="counts"),
    path("target-groups/<int:group_id>/subscribers/", info.subscribers, name="subscribers"),
    path("target-groups/<int:group_id>/excluded/", info.excluded, name="excluded"),
    path("target-groups/<int:group_id>/subscribers/csv/", exports.subscribers_csv, name="subscribers_csv"),
    path("target-groups/<int:group_id>/excluded/csv/", exports.excluded_csv, name="excluded_csv"),
    path("target-groups/<int:group_id>/history/", info.history, name="history"),
    path("target-groups/<int:group_id>/runs/<int:run_id>/cancel/", info.cancel, name="info_cancel"),
    path("sync-activity/", activity.sync_activity, name="sync_activity"),
    path("sync-activity/<int:run_id>/", activity.run_page, name="run"),
    path("sync-activity/<int:run_id>/cancel/", activity.cancel, name="cancel"),
    path("sync-activity/<int:run_id>/apply/", activity.apply, name="apply"),
    path("sync-activity/<int:run_id>/discard/", activity.discard, name="discard"),
    path("sync-activity/<int:run_id>/<str:kind>/", run_people.run_people, name="run_people"),
    path("sync-activity/<int:run_id>/<str:kind>/csv/", exports.run_people_csv, name="run_people_csv"),
    path("bridge-configuration/", bridge.bridge_configuration, name="bridge_configuration"),
    path("bridge-configuration/save/", bridge.save, name="save_bridge"),
    path("bridge-configuration/<int:bridge_id>/test/", bridge.test_connection, name="test_connection"),
    path("bridge-configuration/<int:bridge_id>/live/", bridge.live, name="bridge_live"),
    path("tables/<str:name>/columns/", tables.choose_columns, name="choose_columns"),
]
