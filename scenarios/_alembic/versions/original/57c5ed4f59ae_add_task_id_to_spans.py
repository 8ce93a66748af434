"""spans.task_id as it was first written: column, backfill, validated key and index.

All in one transaction: the AccessExclusiveLock of the first statement is held until the last one
is done.
"""

from alembic import op

revision = "57c5ed4f59ae"
down_revision = "4a9b7787ccd7"


def upgrade():
    op.execute("ALTER TABLE spans ADD COLUMN task_id varchar")
    op.execute(
        """
        UPDATE spans
        SET task_id = spans.trace_id
        FROM tasks
        WHERE spans.trace_id = tasks.id AND spans.task_id IS NULL
        """
    )
    op.execute(
        """
        ALTER TABLE spans
            ADD CONSTRAINT fk_spans_task_id_tasks
            FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE SET NULL
        """
    )
    op.execute("CREATE INDEX ix_spans_task_id ON spans (task_id)")
