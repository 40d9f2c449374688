from typing import Any

from django.db import migrations

BUILT_IN = ("Main Folder", "MemberSuite")


def make_folders(apps: Any, schema_editor: Any) -> None:
    folder = apps.get_model("targetgroups", "Folder")
    for name in BUILT_IN:
        folder.objects.get_or_create(name=name, defaults={"is_built_in": True})


class Migration(migrations.Migration):
    dependencies = [("targetgroups", "0001_initial")]

    operations = [migrations.RunPython(make_folders, migrations.RunPython.noop)]
