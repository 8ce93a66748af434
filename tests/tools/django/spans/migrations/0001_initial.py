"""The tables as the schema makes them; `migrate --fake-initial` finds them there."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.CharField(primary_key=True, serialize=False)),
                ("task_metadata", models.JSONField(null=True)),
            ],
            options={"db_table": "tasks"},
        ),
        migrations.CreateModel(
            name="Span",
            fields=[
                ("id", models.CharField(primary_key=True, serialize=False)),
                ("trace_id", models.CharField()),
                ("name", models.CharField()),
                ("start_time", models.DateTimeField()),
            ],
            options={"db_table": "spans"},
        ),
    ]
