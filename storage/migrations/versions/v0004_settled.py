"""0004: `pages_by_settled`, by which the latest pages of a crawl are found at any size of it."""

from alembic import op

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    """Index the pages."""
    op.create_index("pages_by_settled", "pages", ["crawl", "settled_at", "key"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("pages_by_settled", "pages")
