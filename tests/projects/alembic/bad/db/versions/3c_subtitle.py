import sqlalchemy as sa
from alembic import op

revision = "3c"
down_revision = "2b"


def upgrade():
    op.add_column("texts", sa.Column("subtitle", sa.String(100)))
