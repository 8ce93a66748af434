"""The index on spans.task_id, built outside a transaction."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("spans", "0005_span_task_key")]
    operations = [
        AddIndexConcurrently(
            model_name="span",
            index=models.Index(name="ix_spans_task_id", fields=["task"]),
        )
    ]
