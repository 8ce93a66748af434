from alembic import op

revision = "3c"
down_revision = "2b"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("texts_title", "texts", ["title"], postgresql_concurrently=True)
