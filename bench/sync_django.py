"""What a Django developer writes first: bulk_create that updates conflicts, then a set difference to remove."""

from __future__ import annotations

import time

from django.db import connection, models, transaction

from bench import population

_OTHERS = [name for name in population.FIELDS if name != "id"]
_A_BATCH = 1000


class BenchPerson(models.Model):
    """Every field as text, the remote ID unique; its table is made and dropped by the measurement."""

    number = models.BigAutoField(primary_key=True)
    id = models.TextField(unique=True)
    local_id = models.TextField()
    first_name = models.TextField()
    last_name = models.TextField()
    email = models.TextField()
    do_not_email = models.TextField()
    company = models.TextField()
    title = models.TextField()
    city = models.TextField()
    state = models.TextField()
    member_type = models.TextField()
    joined = models.TextField()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = "bench_person"

    def __str__(self) -> str:
        return self.id


class DjangoSync:
    """Do Not Email is left out and people who are gone are removed; there are no groups, rules or sort keys."""

    def __init__(self, people: int) -> None:
        self.people = people

    def step(self, step: str) -> float:
        """Do one step and return its seconds."""
        if step == "first":
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS bench_person")
            with connection.schema_editor() as editor:
                editor.create_model(BenchPerson)
        found = [dict(zip(population.FIELDS, row, strict=True)) for row in population.rows(self.people, step)]
        began = time.perf_counter()
        with transaction.atomic():
            kept = [BenchPerson(**each) for each in found if each["do_not_email"] != "true"]
            BenchPerson.objects.bulk_create(
                kept, batch_size=_A_BATCH, update_conflicts=True, unique_fields=["id"], update_fields=_OTHERS
            )
            stored = set(BenchPerson.objects.values_list("id", flat=True))
            gone = sorted(stored - {person.id for person in kept})
            for start in range(0, len(gone), _A_BATCH):
                BenchPerson.objects.filter(id__in=gone[start : start + _A_BATCH]).delete()
        return time.perf_counter() - began
