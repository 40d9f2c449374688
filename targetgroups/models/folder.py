from django.db import models
from django.db.models.functions import Lower


class Folder(models.Model):
    """Where target groups are kept. "Main Folder" and "MemberSuite" exist from the start and stay."""

    MAIN = "Main Folder"
    MEMBERSUITE = "MemberSuite"

    name = models.CharField(max_length=100, unique=True)
    is_built_in = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        # Nobody tells "Events" from "events".
        constraints = [models.UniqueConstraint(Lower("name"), name="folder_name_once")]

    def __str__(self) -> str:
        return self.name
