from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    """Folders can be made and named by people now. A handful of rows: the lock lasts no time worth naming."""

    dependencies = [("targetgroups", "0005_bulk_rows_without_constraints")]

    operations = [
        migrations.AddConstraint(
            model_name="folder",
            constraint=models.UniqueConstraint(Lower("name"), name="folder_name_once"),
        ),
    ]
