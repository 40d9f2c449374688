from django.db import migrations

from accounts.roles import ensure_roles


def create_roles(apps, schema_editor):
    ensure_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    # Roles may have people by the time this is undone; taking them away is nobody's wish.
    operations = [migrations.RunPython(create_roles, migrations.RunPython.noop)]
