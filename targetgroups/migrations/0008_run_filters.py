"""Each filter of Sync Activity, and the time, have an index that holds with a million runs."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("targetgroups", "0007_people"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # The index below begins with the person.
        migrations.AlterField(
            model_name="syncrequest",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="syncrequest",
            index=models.Index(fields=["user", "-run"], name="request_by_user"),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["kind", "-id"], name="run_by_any_kind"),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["trigger", "-id"], name="run_by_trigger"),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["created_at", "id"], name="run_by_time"),
        ),
    ]
