"""the handoff: a person takes over; deadlines and steps of orders; what is told to others"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = store.types.UtcDateTime(timezone=True)
_MOMENTS = {
    "work_order": (
        "sign_by", "signed_at", "due_at", "extended_to", "answered_at", "closed_at", "changed_at",
    ),
    "handoff": (
        "offer_until", "due_at", "alarmed_at", "told_at", "accepted_at", "connected_at", "ended_at",
    ),
}  # fmt: skip
_WORDS = {
    "work_order": ("code", "agent", "reference"),
    "handoff": ("channel", "wanted_agent", "offer", "result"),
}
_COUNTS = {
    "work_order": {"repeat_count": 1, "urged": 0, "level": 0, "redone": 0, "edition": 1},
    "handoff": {"priority": 0, "edition": 1},
}
_LISTS = {"work_order": ("departments",), "handoff": ("skills", "tried")}
_TEXTS = {"work_order": ("summary",), "handoff": ("note",)}
_FLAGS = {"work_order": {"secret": False, "visit": True}, "handoff": {"front": False}}
_LINKS = ("merged_into", "repeats")


def upgrade() -> None:
    for table in ("work_order", "handoff"):
        with op.batch_alter_table(table) as batch:
            for column in _columns(table):
                batch.add_column(column)
    with op.batch_alter_table("work_order") as batch:
        for name in _LINKS:
            batch.add_column(sa.Column(name, sa.String(), nullable=True))
            batch.create_foreign_key(f"fk_work_order_{name}", "work_order", [name], ["id"])
    op.create_index("ix_work_order_counts", "work_order", ["state", "urgency", "kind"])
    for name in ("agent", "due_at"):
        op.create_index(f"ix_work_order_{name}", "work_order", [name])
    op.create_index("ix_handoff_agent_state", "handoff", ["agent", "state"])
    op.create_index("ix_handoff_created_at", "handoff", ["created_at"])
    with op.batch_alter_table("order_event") as batch:
        batch.add_column(_text("text"))
    _people()
    _told_to_others()
    _other_systems()


def _columns(table: str) -> list[sa.Column[Any]]:
    """All that ``table`` gets but its links to itself."""
    columns: list[sa.Column[Any]] = [
        sa.Column(name, _MOMENT, nullable=True) for name in _MOMENTS[table]
    ]
    columns += [
        sa.Column(name, sa.String(), nullable=False, server_default="") for name in _WORDS[table]
    ]
    columns += [
        sa.Column(name, sa.Integer(), nullable=False, server_default=str(value))
        for name, value in _COUNTS[table].items()
    ]
    columns += [
        sa.Column(name, sa.JSON(), nullable=False, server_default=sa.text("'[]'"))
        for name in _LISTS[table]
    ]
    columns += [_text(name) for name in _TEXTS[table]]
    columns += [
        sa.Column(name, sa.Boolean(), nullable=False,
                  server_default=sa.true() if value else sa.false())
        for name, value in _FLAGS[table].items()
    ]  # fmt: skip
    if table == "handoff":
        columns.append(sa.Column("estimate_s", sa.Integer(), nullable=True))
    return columns


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _people() -> None:
    op.create_table(
        "agent",
        sa.Column("login", sa.String(), primary_key=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("idle_since", _MOMENT, nullable=False),
        sa.Column("wrap_until", _MOMENT, nullable=True),
        sa.Column("next_status", sa.String(), nullable=False),
    )
    op.create_index("ix_agent_status", "agent", ["status"])
    op.create_table(
        "callback",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("order_id", sa.String(), sa.ForeignKey("work_order.id"), nullable=False),
        sa.Column("handoff_id", sa.String(), sa.ForeignKey("handoff.id"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=True),
        sa.Column("changed_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_callback_conversation_id", "callback", ["conversation_id"])
    op.create_index("ix_callback_mark", "callback", ["mark"])
    op.create_index("ix_callback_state", "callback", ["state"])
    op.create_table(
        "survey",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("conversation_id", sa.String(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("order_id", sa.String(), sa.ForeignKey("work_order.id"), nullable=True),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("score", sa.String(), nullable=False),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("answered_at", _MOMENT, nullable=True),
    )
    op.create_index("ix_survey_conversation_id", "survey", ["conversation_id"])
    op.create_index("ix_survey_order_id", "survey", ["order_id"])
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=True),
        sa.Column("seen_by", sa.String(), nullable=False),
    )
    op.create_index("ix_alarm_at", "alarm", ["at"])
    op.create_index("ix_alarm_object", "alarm", ["object"])


def _told_to_others() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("outbox_id", sa.Integer(), sa.ForeignKey("outbox.id"), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("sent_at", _MOMENT, nullable=True),
        sa.UniqueConstraint("outbox_id", "target", name="uq_delivery_target"),
    )
    op.create_index("ix_delivery_state_next", "delivery", ["state", "next_at"])
    op.create_table(
        "linkage",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("order_id", sa.String(), sa.ForeignKey("work_order.id"), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("sent_at", _MOMENT, nullable=True),
        sa.Column("acknowledged_at", _MOMENT, nullable=True),
        sa.Column("alarmed_at", _MOMENT, nullable=True),
    )
    op.create_index("ix_linkage_order_id", "linkage", ["order_id"])
    op.create_index("ix_linkage_state_next", "linkage", ["state", "next_at"])


def _other_systems() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False, unique=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("rights", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
    )
    op.create_table(
        "api_request",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.UniqueConstraint("client", "key", name="uq_api_request_key"),
    )
    op.create_index("ix_api_request_at", "api_request", ["at"])


def downgrade() -> None:
    for gone in (
        "api_request", "api_key", "linkage", "delivery", "alarm", "survey", "callback", "agent",
    ):  # fmt: skip
        op.drop_table(gone)
    with op.batch_alter_table("order_event") as batch:
        batch.drop_column("text")
    op.drop_index("ix_handoff_created_at", "handoff")
    op.drop_index("ix_handoff_agent_state", "handoff")
    for name in ("counts", "agent", "due_at"):
        op.drop_index(f"ix_work_order_{name}", "work_order")
    with op.batch_alter_table("work_order") as batch:
        for name in _LINKS:
            batch.drop_constraint(f"fk_work_order_{name}", type_="foreignkey")
            batch.drop_column(name)
    for table in ("work_order", "handoff"):
        with op.batch_alter_table(table) as batch:
            for column in _columns(table):
                batch.drop_column(column.name)
