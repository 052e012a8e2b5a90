"""The devices that send by HJ 212, when each was last heard, and what they report besides numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "gateway_devices"
down_revision = "ledger_0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("mn", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("site", sa.String(length=64)),
        sa.Column("sites", JSON, nullable=False),
        sa.Column("outlet", sa.String(length=64)),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("edition", sa.String(length=16)),
        sa.Column("password", sa.String(length=64)),
        sa.Column("addresses", JSON, nullable=False),
        sa.Column("dialect", JSON, nullable=False),
        sa.Column("units", JSON, nullable=False),
        sa.Column("simulated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("changed", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('adopted', 'quarantined', 'blocked')", name=op.f("ck_device_state")),
        sa.CheckConstraint("level in ('national', 'provincial', 'city', 'enterprise')", name=op.f("ck_device_level")),
        sa.PrimaryKeyConstraint("mn", name=op.f("pk_device")),
    )
    op.create_table(
        "device_state",
        sa.Column("mn", sa.String(length=64), nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("last_seen", MOMENT, nullable=False),
        sa.Column("last_data", MOMENT),
        sa.Column("last_command", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("repeated", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), nullable=False),
        sa.Column("last_reason", sa.String(length=32)),
        sa.Column("clock_seconds", sa.Float(precision=53)),
        sa.PrimaryKeyConstraint("mn", name=op.f("pk_device_state")),
    )
    op.create_table(
        "device_event",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("mn", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("time", MOMENT, nullable=False),
        sa.Column("received", MOMENT, nullable=False),
        sa.Column("command", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_event")),
    )
    op.create_index(op.f("ix_device_event_mn_time"), "device_event", ["mn", "time"])
    op.create_index(op.f("ix_device_event_time"), "device_event", ["time"])
