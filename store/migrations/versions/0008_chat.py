"""the chats: files that citizens sent, who answers a turn, citizens joined with proof, WeChat"""

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
    _wechat()
    with op.batch_alter_table("agent") as batch:
        batch.add_column(sa.Column("reason", sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("desk", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("agent") as batch:
        batch.drop_column("desk")
        batch.drop_column("reason")
    for table in ("wechat_media", "wechat_reply", "wechat_citizen"):
        op.drop_table(table)
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


def _wechat() -> None:
    op.create_table(
        "wechat_citizen",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("openid_mark", sa.String(), nullable=False, unique=True),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("window_until", _MOMENT, nullable=True),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("click_until", _MOMENT, nullable=True),
        sa.Column("click_left", sa.Integer(), nullable=False),
        sa.Column("subscribed", sa.Boolean(), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=False),
        sa.Column("claimed_until", _MOMENT, nullable=True),
        sa.Column("changed_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "wechat_reply",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("conversation_id", sa.String(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("made_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "wechat_media",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("conversation_id", sa.String(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("media_id", sa.Text(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )
    for table in ("wechat_citizen", "wechat_reply", "wechat_media"):
        op.create_index(f"ix_{table}_conversation_id", table, ["conversation_id"])
    op.create_index("ix_wechat_reply_made_at", "wechat_reply", ["made_at"])
    op.create_index("ix_wechat_media_state", "wechat_media", ["state"])
