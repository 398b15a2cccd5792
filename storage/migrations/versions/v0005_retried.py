"""0005: how often pages were asked for again is one of a crawl's tallies."""

from alembic import op

revision, down_revision = "0005", "0004"


def upgrade() -> None:
    """Count what the pages say."""
    op.execute(
        "INSERT INTO tallies (crawl, kind, word, count) "
        "SELECT crawl, 'retried', '', sum(attempts - 1) FROM pages WHERE attempts > 1 GROUP BY crawl"
    )


def downgrade() -> None:
    """Forget the count."""
    op.execute("DELETE FROM tallies WHERE kind = 'retried'")
