"""the chats: files that citizens sent, who answers a turn, citizens joined with proof"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MOMENT = store.types.UtcDateTime(timezone=True)


def upgrade() -> None:
    _turns()
    _attachments()
    _links()


def downgrade() -> None:
    op.drop_table("citizen_link")
    op.drop_table("attachment")
    op.drop_index("ix_turn_answer_by", "turn")
    with op.batch_alter_table("turn") as batch:
        for name in ("answer_by", "answerer"):
            batch.drop_column(name)


def _turns() -> None:
    """What was said before is answered, or its citizen is long gone: nobody has to answer it."""
    with op.batch_alter_table("turn") as batch:
        batch.add_column(sa.Column("answer_by", _MOMENT, nullable=True))
        batch.add_column(sa.Column("answerer", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_turn_answer_by", "turn", ["answer_by"])


def _attachments() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("conversation_id", sa.String(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("heard", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("deleted_at", _MOMENT, nullable=True),
        sa.UniqueConstraint("conversation_id", "heard", name="uq_attachment_heard"),
    )
    op.create_index("ix_attachment_at", "attachment", ["at"])


def _links() -> None:
    op.create_table(
        "citizen_link",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("conversation_id", sa.String(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("guest", sa.String(), sa.ForeignKey("conversation.id"), nullable=True),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("joined_at", _MOMENT, nullable=True),
    )
    op.create_index("ix_citizen_link_code", "citizen_link", ["code"])
    op.create_index("ix_citizen_link_conversation_id", "citizen_link", ["conversation_id"])
    op.create_index("ix_citizen_link_guest", "citizen_link", ["guest"])
