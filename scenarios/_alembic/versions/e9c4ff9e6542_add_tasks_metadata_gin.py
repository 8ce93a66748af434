"""An index for filters on a task's metadata, built outside a transaction."""

from alembic import op

revision = "e9c4ff9e6542"
down_revision = "9ff3ee32c81b"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute(
            """
            CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_tasks_metadata_gin
                ON tasks USING gin (task_metadata jsonb_path_ops)
            """
        )
