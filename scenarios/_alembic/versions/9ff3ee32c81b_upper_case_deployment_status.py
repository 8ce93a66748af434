"""Upper-case labels of deployments.status.

The default goes first, because it names a label.
"""

from alembic import op

revision = "9ff3ee32c81b"
down_revision = "57c5ed4f59ae"


def upgrade():
    op.execute("ALTER TABLE deployments ALTER COLUMN status DROP DEFAULT")
    op.execute("ALTER TYPE deploymentstatus RENAME VALUE 'Pending' TO 'PENDING'")
    op.execute("ALTER TYPE deploymentstatus RENAME VALUE 'Ready' TO 'READY'")
    op.execute("ALTER TYPE deploymentstatus RENAME VALUE 'Failed' TO 'FAILED'")
    op.execute("ALTER TABLE deployments ALTER COLUMN status SET DEFAULT 'PENDING'")
