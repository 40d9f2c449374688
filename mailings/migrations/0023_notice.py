from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0022_stale"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailing",
            name="notice",
            field=models.CharField(
                blank=True,
                choices=[
                    ("due", "Being told"),
                    ("sent", "Told"),
                    ("failed", "Not told"),
                    ("nobody", "Nobody to tell"),
                ],
                default="",
                max_length=8,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="mailing",
            name="notice_tries",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="mailing",
            name="notice_text",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
    ]
