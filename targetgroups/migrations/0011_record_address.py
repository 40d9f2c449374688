from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("targetgroups", "0010_kept_on_doubt"),
    ]

    operations = [
        migrations.AddField(
            model_name="bridge",
            name="record_address",
            field=models.CharField(blank=True, default="", max_length=500, verbose_name="address of a person's record"),
            preserve_default=False,
        ),
    ]
