"""People on their own pages: the indexes of the lists of all people, erasing on request, checking one person."""

import django.contrib.postgres.indexes
from django.db import migrations, models

from targetgroups.querysets import SearchText

_TRIGGERS = [
    ("info", "Info"),
    ("resync_now", "Resync Now"),
    ("refresh", "Refresh Target Group List"),
    ("mailing", "Mailing"),
    ("schedule", "Schedule"),
    ("apply", "Apply"),
    ("retry", "Retry"),
    ("command", "Command"),
    ("api", "API"),
    ("test_connection", "Test connection"),
    ("preview", "Preview changes"),
    ("check_again", "Check again"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("targetgroups", "0006_folder_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscriber",
            name="erased_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="syncrequest",
            name="trigger",
            field=models.CharField(choices=_TRIGGERS, max_length=16),
        ),
        migrations.AlterField(
            model_name="syncrun",
            name="trigger",
            field=models.CharField(choices=_TRIGGERS, max_length=16),
        ),
        migrations.RemoveIndex(model_name="subscriber", name="subscriber_address"),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(fields=["bridge", "address_key", "id"], name="subscriber_by_address"),
        ),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(fields=["bridge", "sort_name", "id"], name="subscriber_by_name"),
        ),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(
                condition=models.Q(("erased_at__isnull", False)),
                fields=["bridge", "remote_key"],
                name="subscriber_erased",
            ),
        ),
        migrations.RemoveIndex(model_name="exclusion", name="exclusion_do_not_email"),
        migrations.AddIndex(
            model_name="exclusion",
            index=models.Index(
                condition=models.Q(("until_run_id__isnull", True)),
                fields=["bridge", "reason", "remote_key"],
                name="exclusion_present",
            ),
        ),
        migrations.AddIndex(
            model_name="suppression",
            index=models.Index(
                condition=models.Q(("lifted_at__isnull", True)),
                fields=["suppressed_at", "id"],
                name="suppression_by_time",
            ),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(
                condition=models.Q(("kind", "person")),
                fields=["bridge", "remote_id", "-id"],
                name="run_by_person",
            ),
        ),
        migrations.RemoveIndex(model_name="membership", name="membership_search"),
        migrations.AddIndex(
            model_name="subscriber",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(SearchText("sort_email", "sort_name"), name="gin_trgm_ops"),
                name="subscriber_search",
            ),
        ),
    ]
