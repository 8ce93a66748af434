"""An index for filters on a task's metadata, built outside a transaction."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("spans", "0003_deployment_status")]
    operations = [
        AddIndexConcurrently(
            model_name="task",
            index=GinIndex(
                name="ix_tasks_metadata_gin",
                fields=["task_metadata"],
                opclasses=["jsonb_path_ops"],
            ),
        )
    ]
