import sqlalchemy as sa
from alembic import op

revision = "2b"
down_revision = "1a"


def upgrade():
    op.create_table(
        "texts",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("kind", sa.String(10), sa.ForeignKey("kinds.code"), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("words", sa.Integer, nullable=False),
    )
