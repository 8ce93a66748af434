"""The column alone: no key, no index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("spans", "0001_initial")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'"),
        migrations.AddField(
            model_name="span",
            name="task",
            field=models.ForeignKey(
                to="spans.task",
                null=True,
                on_delete=models.DO_NOTHING,
                db_constraint=False,
                db_index=False,
            ),
        ),
    ]
