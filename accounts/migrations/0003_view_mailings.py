from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.roles import ensure_roles


def renew_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Those who write or send mailings have always seen them; now a Manager does too, by a right of its own."""
    ensure_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_roles"),
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
        migrations.RunPython(renew_roles, migrations.RunPython.noop),
    ]
