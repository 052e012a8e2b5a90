"""What the ledgers' engine keeps about all ledgers; each ledger's own tables follow its declaration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "ledger_0001"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "ledger_applied",
        sa.Column("ledger", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("applied", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("ledger", name=op.f("pk_ledger_applied")),
    )
    op.create_table(
        "ledger_chains",
        sa.Column("ledger", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("live", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", name=op.f("pk_ledger_chains")),
    )
    op.create_table(
        "ledger_comments",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("ledger", sa.String(length=64), nullable=False),
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_comments")),
    )
    op.create_index(op.f("ix_ledger_comments_ledger_record"), "ledger_comments", ["ledger", "record"])
    op.create_table(
        "ledger_files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("ledger", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media", sa.String(length=128), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "ledger", name=op.f("pk_ledger_files")),
    )
    op.create_table(
        "ledger_imports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("ledger", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("summary", JSON),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("written", MOMENT),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_imports")),
    )
    op.create_index(op.f("ix_ledger_imports_ledger_created"), "ledger_imports", ["ledger", "created"])
