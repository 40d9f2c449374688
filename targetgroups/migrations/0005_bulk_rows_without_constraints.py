"""The rows that a sync writes by the hundred thousand lose their foreign-key checks: see Membership."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("targetgroups", "0004_receiving_counts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="exclusion",
            name="bridge",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="targetgroups.bridge",
            ),
        ),
        migrations.AlterField(
            model_name="exclusion",
            name="target_group",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="exclusions",
                to="targetgroups.targetgroup",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="subscriber",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="memberships",
                to="targetgroups.subscriber",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="target_group",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="memberships",
                to="targetgroups.targetgroup",
            ),
        ),
        migrations.AlterField(
            model_name="runoutcome",
            name="bridge",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="targetgroups.bridge",
            ),
        ),
        migrations.AlterField(
            model_name="runoutcome",
            name="run",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="outcomes",
                to="targetgroups.syncrun",
            ),
        ),
        migrations.AlterField(
            model_name="subscriber",
            name="bridge",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="subscribers",
                to="targetgroups.bridge",
            ),
        ),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(
                condition=models.Q(("do_not_email_at__isnull", False)),
                fields=["bridge", "do_not_email_at"],
                name="subscriber_do_not_email",
            ),
        ),
    ]
