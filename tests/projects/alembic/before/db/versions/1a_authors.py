import sqlalchemy as sa
from alembic import op

revision = "1a"
down_revision = None


def upgrade():
    op.create_table(
        "kinds",
        sa.Column("code", sa.String(10), primary_key=True),
        sa.Column("label", sa.String(40), nullable=False),
    )
    op.execute("INSERT INTO kinds VALUES ('essay', 'An essay'), ('story', 'A story')")
