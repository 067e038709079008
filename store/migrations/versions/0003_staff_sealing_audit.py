"""staff sessions and single sign-on, sealed personal data, an audit that shows what is missing"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = store.types.UtcDateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("staff") as table:
        table.add_column(sa.Column("subject", sa.String(500), nullable=True))
        table.add_column(
            sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.add_column(sa.Column("valid_from", _MOMENT, nullable=True))
        table.create_unique_constraint("uq_staff_subject", ["subject"])
    with op.batch_alter_table("conversation") as table:
        # Sealed values are longer than what they hide, and cannot be looked up.
        table.drop_index("ix_conversation_citizen")
        table.alter_column("citizen", existing_type=sa.String(200), type_=sa.Text())
        table.add_column(_mark("citizen_mark"))
        table.add_column(sa.Column("erased_at", _MOMENT, nullable=True))
        table.create_index("ix_conversation_citizen_mark", ["citizen_mark"])
    with op.batch_alter_table("recording") as table:
        table.add_column(sa.Column("deleted_at", _MOMENT, nullable=True))
    with op.batch_alter_table("work_order") as table:
        table.alter_column("title", existing_type=sa.String(200), type_=sa.Text())
    with op.batch_alter_table("work_order_field") as table:
        table.add_column(_mark("mark"))
        table.create_index("ix_work_order_field_mark", ["mark"])
    with op.batch_alter_table("audit") as table:
        table.add_column(_mark("chain"))
        table.create_index("ix_audit_object", ["object"])


def _mark(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(200), nullable=False, server_default="")


def downgrade() -> None:
    with op.batch_alter_table("audit") as table:
        table.drop_index("ix_audit_object")
        table.drop_column("chain")
    with op.batch_alter_table("work_order_field") as table:
        table.drop_index("ix_work_order_field_mark")
        table.drop_column("mark")
    with op.batch_alter_table("work_order") as table:
        table.alter_column("title", existing_type=sa.Text(), type_=sa.String(200))
    with op.batch_alter_table("recording") as table:
        table.drop_column("deleted_at")
    with op.batch_alter_table("conversation") as table:
        table.drop_index("ix_conversation_citizen_mark")
        table.drop_column("erased_at")
        table.drop_column("citizen_mark")
        table.alter_column("citizen", existing_type=sa.Text(), type_=sa.String(200))
        table.create_index("ix_conversation_citizen", ["citizen"])
    with op.batch_alter_table("staff") as table:
        table.drop_constraint("uq_staff_subject", type_="unique")
        table.drop_column("valid_from")
        table.drop_column("must_change")
        table.drop_column("subject")
