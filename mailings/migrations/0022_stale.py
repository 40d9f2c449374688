from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0021_too_late"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailinggroup",
            name="stale_read_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
