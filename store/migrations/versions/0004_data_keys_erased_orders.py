"""which keys seal the data, orders emptied by rule, conversations by their age"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = store.types.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "data_key",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("algorithm", sa.String(200), nullable=False),
        sa.Column("first_used_at", _MOMENT, nullable=False),
    )
    with op.batch_alter_table("work_order") as table:
        table.add_column(sa.Column("erased_at", _MOMENT, nullable=True))
    op.create_index("ix_conversation_started_at", "conversation", ["started_at"])


def downgrade() -> None:
    op.drop_index("ix_conversation_started_at", "conversation")
    with op.batch_alter_table("work_order") as table:
        table.drop_column("erased_at")
    op.drop_table("data_key")
