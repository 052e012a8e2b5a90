"""The base's own tables. Each change here needs a script in `migrations/versions`; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
)

from qinglan.base.types import Json, RowNumber, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("title", Json, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("not_before", UtcDateTime),
    Column("lease_owner", String(128)),
    Column("lease_until", UtcDateTime),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger),
    Column("message_zh", Text, nullable=False),
    Column("message_en", Text, nullable=False),
    Column("result", Json),
    Column("error_type", String(64)),
    Column("error_zh", Text),
    Column("error_en", Text),
    Column("created", UtcDateTime, nullable=False),
    Column("started", UtcDateTime),
    Column("finished", UtcDateTime),
    Column("cancel_requested", Boolean, nullable=False, server_default=false()),
    CheckConstraint("state in ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"),
    Index(None, "state", "id"),
    Index(None, "kind", "id"),
)

job_log = Table(
    "job_log",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("job", String(32), ForeignKey(jobs.c.id), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "job", "id"),
)

imports = Table(
    "imports",
    metadata,
    Column("id", String(32), ForeignKey(jobs.c.id), primary_key=True),
    Column("files", Json, nullable=False),
    Column("basis", String(16), nullable=False),
    Column("source", String(255), nullable=False),
    Column("layout", String(32), nullable=False),
    Column("mapping", Text),
    Column("counts", Json),
    Column("rejects_file", Text),
    Column("created", UtcDateTime, nullable=False),
    Column("finished", UtcDateTime),
    Column("simulated", Boolean, nullable=False, server_default=false()),
)

latest = Table(
    "latest",
    metadata,
    Column("site", String(64), primary_key=True),
    Column("factor", String(64), primary_key=True),
    Column("grain", String(16), primary_key=True),
    Column("basis", String(16), primary_key=True),
    Column("time", UtcDateTime, nullable=False),
    Column("value", Float(53)),
    Column("qualifier", String(8)),
    Column("limit", Float(53)),
    Column("flag", String(32)),
    Column("source", String(255), nullable=False),
    Column("received", UtcDateTime, nullable=False),
    Column("revision", BigInteger, nullable=False),
)

indicator_values = Table(
    "indicator_values",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("indicator", String(128), nullable=False),
    Column("period", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", Float(53)),
    Column("text", Text),
    Column("network", Text),
    Column("method", Text),
    Column("basis", Text),
    Column("edition", Text),
    Column("document", Text),
    Column("document_date", Date),
    Column("note", Text),
    Column("detail", Json),
    Column("as_of", UtcDateTime),
    Column("inputs_revision", BigInteger),
    Column("simulated", Boolean, nullable=False, server_default=false()),
    Column("recorded", UtcDateTime, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("superseded", UtcDateTime),
    CheckConstraint("kind in ('estimate', 'confirmed', 'reported')", name="kind"),
    Index(None, "indicator", "period", "kind"),
)

indicator_targets = Table(
    "indicator_targets",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("indicator", String(128), nullable=False),
    Column("year", Integer, nullable=False),
    Column("value", Float(53)),
    Column("status", String(16), nullable=False),
    Column("document", Text),
    Column("document_date", Date),
    Column("note", Text),
    Column("recorded", UtcDateTime, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("superseded", UtcDateTime),
    Index(None, "indicator", "year"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(128), nullable=False),
    Column("what", String(64), nullable=False),
    Column("object", Text, nullable=False),
    Column("detail", Json),
    Index(None, "at"),
    Index(None, "object"),
)

ledger_applied = Table(
    "ledger_applied",
    metadata,
    Column("ledger", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("applied", UtcDateTime, nullable=False),
)

ledger_chains = Table(
    "ledger_chains",
    metadata,
    Column("ledger", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("live", BigInteger, nullable=False),
)

ledger_comments = Table(
    "ledger_comments",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("ledger", String(64), nullable=False),
    Column("record", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(128), nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "ledger", "record"),
)

ledger_files = Table(
    "ledger_files",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("ledger", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("media", String(128), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(128), nullable=False),
)

ledger_imports = Table(
    "ledger_imports",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("ledger", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("options", Json, nullable=False),
    Column("summary", Json),
    Column("created", UtcDateTime, nullable=False),
    Column("written", UtcDateTime),
    Column("who", String(128), nullable=False),
    Index(None, "ledger", "created"),
)

device = Table(
    "device",
    metadata,
    Column("mn", String(64), primary_key=True),
    Column("title", Text, nullable=False),
    Column("site", String(64)),
    Column("sites", Json, nullable=False),
    Column("outlet", String(64)),
    Column("state", String(16), nullable=False),
    Column("level", String(16), nullable=False),
    Column("edition", String(16)),
    Column("password", String(64)),
    Column("addresses", Json, nullable=False),
    Column("dialect", Json, nullable=False),
    Column("units", Json, nullable=False),
    Column("simulated", Boolean, nullable=False, server_default=false()),
    Column("note", Text, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("changed", UtcDateTime, nullable=False),
    CheckConstraint("state in ('adopted', 'quarantined', 'blocked')", name="state"),
    CheckConstraint("level in ('national', 'provincial', 'city', 'enterprise')", name="level"),
)

device_state = Table(
    "device_state",
    metadata,
    Column("mn", String(64), primary_key=True),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("last_data", UtcDateTime),
    Column("last_command", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("repeated", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("last_reason", String(32)),
    Column("clock_seconds", Float(53)),
)

device_event = Table(
    "device_event",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("mn", String(64), nullable=False),
    Column("site", String(64), nullable=False),
    Column("time", UtcDateTime, nullable=False),
    Column("received", UtcDateTime, nullable=False),
    Column("command", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "mn", "time"),
    Index(None, "time"),
)
