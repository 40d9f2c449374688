"""A right to opt people out or in and to erase them, for those who work with people."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.roles import ensure_roles


def create_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    ensure_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_view_mailings"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="right",
            options={
                "default_permissions": (),
                "managed": False,
                "permissions": [
                    ("view_groups", "Can see target groups and sync activity"),
                    ("edit_groups", "Can move, delete and edit target groups"),
                    ("view_subscribers", "Can see the people in target groups"),
                    ("edit_subscribers", "Can opt people out or in, or erase them"),
                    ("export", "Can export lists"),
                    ("sync", "Can start and cancel syncs"),
                    ("apply_held_run", "Can apply or discard a held run"),
                    ("view_bridge", "Can see the bridge configuration"),
                    ("edit_bridge", "Can change the bridge configuration"),
                    ("view_mailings", "Can see mailings and their reports"),
                    ("create_mailing", "Can create mailings"),
                    ("send_mailing", "Can send mailings"),
                    ("send_stale_mailing", "Can send a mailing to a group that could not be synced"),
                    ("writeback", "Can switch on and retry writeback"),
                    ("manage_users", "Can manage users"),
                    ("view_audit", "Can read the audit log"),
                    ("manage_settings", "Can change system settings"),
                ],
            },
        ),
        migrations.RunPython(create_roles, migrations.RunPython.noop),
    ]
