"""0006: what a page asks of those who read it has columns."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0006", "0005"
_COLUMNS = {
    "robots": sa.Text,
    "canonical": sa.Text,
    "train_ai": sa.Boolean,
    "search": sa.Boolean,
    "ai_input": sa.Boolean,
    "license": sa.Text,
}


def upgrade() -> None:
    """Add the columns; of pages that were read before, nothing is known."""
    for name, kind in _COLUMNS.items():
        op.add_column("pages", sa.Column(name, kind))


def downgrade() -> None:
    """Drop them."""
    for name in _COLUMNS:
        op.drop_column("pages", name)
