"""The tables as the schema makes them.

Nothing to do: the schema says in alembic_version that this revision is applied.
"""

revision = "4a9b7787ccd7"
down_revision = None


def upgrade():
    pass
