"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("detail", JSON),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"])
    op.create_index(op.f("ix_audit_object"), "audit", ["object"])

    op.create_table(
        "indicator_targets",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("indicator", sa.String(length=128), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(precision=53)),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text()),
        sa.Column("document_date", sa.Date()),
        sa.Column("note", sa.Text()),
        sa.Column("recorded", MOMENT, nullable=False),
        sa.Column("recorded_by", sa.String(length=128), nullable=False),
        sa.Column("superseded", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_indicator_targets")),
    )
    op.create_index(op.f("ix_indicator_targets_indicator_year"), "indicator_targets", ["indicator", "year"])

    op.create_table(
        "indicator_values",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("indicator", sa.String(length=128), nullable=False),
        sa.Column("period", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Float(precision=53)),
        sa.Column("text", sa.Text()),
        sa.Column("network", sa.Text()),
        sa.Column("method", sa.Text()),
        sa.Column("basis", sa.Text()),
        sa.Column("edition", sa.Text()),
        sa.Column("document", sa.Text()),
        sa.Column("document_date", sa.Date()),
        sa.Column("note", sa.Text()),
        sa.Column("detail", JSON),
        sa.Column("as_of", MOMENT),
        sa.Column("inputs_revision", sa.BigInteger()),
        sa.Column("simulated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("recorded", MOMENT, nullable=False),
        sa.Column("recorded_by", sa.String(length=128), nullable=False),
        sa.Column("superseded", MOMENT),
        sa.CheckConstraint("kind in ('estimate', 'confirmed', 'reported')", name=op.f("ck_indicator_values_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_indicator_values")),
    )
    op.create_index(
        op.f("ix_indicator_values_indicator_period_kind"), "indicator_values", ["indicator", "period", "kind"]
    )

    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("title", JSON, nullable=False),
        sa.Column("arguments", JSON, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", MOMENT),
        sa.Column("lease_owner", sa.String(length=128)),
        sa.Column("lease_until", MOMENT),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger()),
        sa.Column("message_zh", sa.Text(), nullable=False),
        sa.Column("message_en", sa.Text(), nullable=False),
        sa.Column("result", JSON),
        sa.Column("error_type", sa.String(length=64)),
        sa.Column("error_zh", sa.Text()),
        sa.Column("error_en", sa.Text()),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("started", MOMENT),
        sa.Column("finished", MOMENT),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint(
            "state in ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_kind_id"), "jobs", ["kind", "id"])
    op.create_index(op.f("ix_jobs_state_id"), "jobs", ["state", "id"])

    op.create_table(
        "latest",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("factor", sa.String(length=64), nullable=False),
        sa.Column("grain", sa.String(length=16), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("time", MOMENT, nullable=False),
        sa.Column("value", sa.Float(precision=53)),
        sa.Column("qualifier", sa.String(length=8)),
        sa.Column("limit", sa.Float(precision=53)),
        sa.Column("flag", sa.String(length=32)),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("received", MOMENT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "factor", "grain", "basis", name=op.f("pk_latest")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("files", JSON, nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("layout", sa.String(length=32), nullable=False),
        sa.Column("mapping", sa.Text()),
        sa.Column("counts", JSON),
        sa.Column("rejects_file", sa.Text()),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("finished", MOMENT),
        sa.Column("simulated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["jobs.id"], name=op.f("fk_imports_id_jobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_table(
        "job_log",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_job_log_job_jobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_log")),
    )
    op.create_index(op.f("ix_job_log_job_id"), "job_log", ["job", "id"])
