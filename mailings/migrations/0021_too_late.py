from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0020_compare"),
    ]

    operations = [
        migrations.AlterField(
            model_name="mailing",
            name="stop_code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("group_gone", "A target group is no longer in MemberSuite"),
                    ("group_deleted", "A target group was deleted"),
                    ("group_not_runnable", "A target group's search can't be run"),
                    ("sync_failed", "A target group could not be resynced"),
                    ("sync_held", "A target group's resync is held"),
                    ("sync_cancelled", "A target group's resync was cancelled"),
                    ("too_late", "Its time was over before it could begin"),
                    ("list_moved", "The list moved since it was reviewed"),
                    ("nobody", "Nobody would receive it"),
                    ("mail_server", "The mail server can't be reached or refuses the sender"),
                    ("unexpected", "Something went wrong in this program"),
                ],
                max_length=32,
            ),
        ),
    ]
