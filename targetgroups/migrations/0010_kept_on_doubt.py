from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("targetgroups", "0009_who_would_stay"),
    ]

    operations = [
        migrations.AlterField(
            model_name="runoutcome",
            name="kind",
            field=models.CharField(
                choices=[
                    ("changed", "Changed"),
                    ("removed", "Removed"),
                    ("would_add", "Would be added"),
                    ("would_change", "Would be changed"),
                    ("would_remove", "Would be removed"),
                    ("would_stay", "Would stay"),
                    ("kept", "Kept on doubt"),
                ],
                max_length=16,
            ),
        ),
    ]
