"""texts of any length: SQLite never enforced 200 characters, PostgreSQL would refuse a turn"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FORMER = 200


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    inspector = sa.inspect(connection)
    for table in inspector.get_table_names():
        for column in inspector.get_columns(table):
            if getattr(column["type"], "length", None) == _FORMER:
                # Only the limit goes: PostgreSQL writes no row anew for that.
                op.alter_column(table, column["name"], type_=sa.String())


def downgrade() -> None:
    """The former program works on columns without a limit as well; cutting would lose words."""
