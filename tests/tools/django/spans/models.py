"""The application's tables as far as the migrations need them."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models


class Task(models.Model):
    id = models.CharField(primary_key=True)
    task_metadata = models.JSONField(null=True)

    class Meta:
        db_table = "tasks"
        indexes = [
            GinIndex(
                name="ix_tasks_metadata_gin",
                fields=["task_metadata"],
                opclasses=["jsonb_path_ops"],
            )
        ]


class Span(models.Model):
    id = models.CharField(primary_key=True)
    trace_id = models.CharField()
    name = models.CharField()
    start_time = models.DateTimeField()
    # The key is made by a migration, because Django cannot add one that is NOT VALID.
    task = models.ForeignKey(
        Task, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )

    class Meta:
        db_table = "spans"
        indexes = [models.Index(name="ix_spans_task_id", fields=["task"])]
