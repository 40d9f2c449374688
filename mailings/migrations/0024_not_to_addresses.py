import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0023_notice"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailing",
            name="not_to_addresses",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), blank=True, default=list, size=None
            ),
        ),
        migrations.AlterField(
            model_name="leftout",
            name="reason",
            field=models.CharField(
                choices=[
                    ("opt_out", "Opted out here"),
                    ("hard_bounce", "Hard bounce"),
                    ("soft_bounces", "Repeated soft bounces"),
                    ("complaint", "Complaint"),
                    ("manual", "Suppressed by a person"),
                    ("erased", "Erased on request"),
                    ("do_not_email", "Do Not Email seen elsewhere"),
                    ("no_address", "No e-mail address"),
                    ("shared_address", "Shares the address of another recipient"),
                    ("not_to_group", 'In a "Do not send to" group'),
                    ("not_to_address", 'A "Do not send to" address'),
                    ("left_group", "Left the target groups before sending"),
                    ("cancelled", "The mailing was cancelled first"),
                ],
                max_length=32,
            ),
        ),
    ]
