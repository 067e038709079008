"""knowledge at work: questions and golden questions, versions' history, releases, feedback"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = store.types.UtcDateTime(timezone=True)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False, server_default=sa.text("'{}'"))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default="")


def _edition() -> sa.Column[int]:
    return sa.Column("edition", sa.Integer(), nullable=False, server_default="1")


def upgrade() -> None:
    _release()
    with op.batch_alter_table("matter") as table:
        for name in ("questions", "golden", "pending"):
            table.add_column(_json(name))
        table.add_column(_edition())
        table.add_column(sa.Column("changed_at", _MOMENT, nullable=True))
        table.add_column(_word("changed_by"))
    with op.batch_alter_table("answer") as table:
        table.add_column(_edition())
        table.add_column(_text("note"))
        for name in ("created_by", "checked_by", "approved_by"):
            table.add_column(_word(name))
        table.add_column(sa.Column("release_id", sa.Integer(), nullable=True))
        table.create_foreign_key("fk_answer_release", "release", ["release_id"], ["id"])
    op.create_index("ix_answer_release_id", "answer", ["release_id"])
    with op.batch_alter_table("turn") as table:
        table.add_column(_word("decision"))
    op.create_index("ix_turn_decision_at", "turn", ["decision", "at"])
    _events()
    _learning()


def _release() -> None:
    op.create_table(
        "release",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("undone_at", _MOMENT, nullable=True),
        sa.Column("undone_by", sa.String(), nullable=False),
    )


def _events() -> None:
    op.create_table(
        "answer_event",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("answer_id", sa.Integer(), sa.ForeignKey("answer.id"), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
    )
    op.create_index("ix_answer_event_answer_id", "answer_event", ["answer_id"])


def _learning() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("conversation_id", sa.String(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("heard", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.UniqueConstraint("conversation_id", "heard", name="uq_feedback_heard"),
    )
    op.create_index("ix_feedback_conversation_id", "feedback", ["conversation_id"])
    op.create_index("ix_feedback_at", "feedback", ["at"])
    op.create_table(
        "learning_done",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("turn_seq", sa.Integer(), nullable=False, unique=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("aspect", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )


def downgrade() -> None:
    for gone in ("learning_done", "feedback", "answer_event"):
        op.drop_table(gone)
    op.drop_index("ix_turn_decision_at", "turn")
    with op.batch_alter_table("turn") as table:
        table.drop_column("decision")
    op.drop_index("ix_answer_release_id", "answer")
    with op.batch_alter_table("answer") as table:
        table.drop_constraint("fk_answer_release", type_="foreignkey")
        for name in (
            "release_id", "approved_by", "checked_by", "created_by", "note", "edition",
        ):  # fmt: skip
            table.drop_column(name)
    with op.batch_alter_table("matter") as table:
        for name in ("changed_by", "changed_at", "edition", "pending", "golden", "questions"):
            table.drop_column(name)
    op.drop_table("release")
