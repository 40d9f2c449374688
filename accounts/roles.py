"""The five roles as Django groups."""

from __future__ import annotations

from django.apps.registry import Apps

from accounts.permissions import APP_LABEL, MODEL_NAME, RIGHTS, ROLES


def ensure_roles(apps: Apps) -> None:
    """Create the permissions and give each role exactly its rights; safe to run again.

    Works with the historical models of a migration and with the live ones; a migration that changes ROLES calls it
    again.
    """
    content_type_model = apps.get_model("contenttypes", "ContentType")
    permission_model = apps.get_model("auth", "Permission")
    group_model = apps.get_model("auth", "Group")
    # Django itself makes permissions only after all migrations, too late for the roles.
    content_type, _ = content_type_model.objects.get_or_create(app_label=APP_LABEL, model=MODEL_NAME)
    permissions = {}
    for codename, label in RIGHTS.items():
        permissions[codename], _ = permission_model.objects.update_or_create(
            content_type=content_type, codename=codename, defaults={"name": f"Can {label}"}
        )
    for role in ROLES:
        group, _ = group_model.objects.get_or_create(name=role.name)
        group.permissions.set([permissions[codename] for codename in role.rights])
