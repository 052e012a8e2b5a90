"""The tables of people: accounts, organisations, grants, sessions, tokens, links, and the trail of what was done."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, false

from qinglan.base.schema import metadata
from qinglan.base.types import Json, RowNumber, UtcDateTime

organisations = Table(
    "organisations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("title_zh", String(200), nullable=False),
    Column("title_en", String(200), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("parent", String(64), ForeignKey("organisations.id")),
    Column("places", Json, nullable=False),
    Column("start", Date, nullable=False),
    Column("end", Date),
    Column("note", Text),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("organisation", String(64), ForeignKey("organisations.id")),
    Column("email", String(200)),
    Column("phone", String(40)),
    Column("password", Text),
    Column("password_set", UtcDateTime),
    Column("must_change", Boolean, nullable=False, server_default=false()),
    Column("totp", Text),
    Column("totp_confirmed", UtcDateTime),
    Column("totp_step", BigInteger),
    Column("disabled", UtcDateTime),
    Column("disabled_reason", Text),
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    Column("last_sign_in", UtcDateTime),
    Column("created", UtcDateTime, nullable=False),
    Column("created_by", String(128), nullable=False),
    Index(None, "organisation"),
)

password_history = Table(
    "password_history",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("account", String(64), ForeignKey("accounts.id"), nullable=False),
    Column("password", Text, nullable=False),
    Column("set", UtcDateTime, nullable=False),
    Index(None, "account", "id"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(64), ForeignKey("accounts.id"), nullable=False),
    Column("role", String(64), nullable=False),
    Column("places", Json),
    Column("organisations", Json),
    Column("media", Json),
    Column("start", Date, nullable=False),
    Column("end", Date),
    Column("granted", UtcDateTime, nullable=False),
    Column("granted_by", String(128), nullable=False),
    Column("revoked", UtcDateTime),
    Column("revoked_by", String(128)),
    Column("reason", Text),
    Index(None, "account"),
    Index(None, "role"),
)

sessions = Table(
    "sessions",
    metadata,
    # What the browser holds is never stored: this is its SHA-256.
    Column("id", String(64), primary_key=True),
    Column("account", String(64), ForeignKey("accounts.id"), nullable=False),
    Column("public_id", String(32), nullable=False),
    Column("second_factor", Boolean, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("seen", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(200), nullable=False),
    Column("ended", UtcDateTime),
    Index(None, "account", "ended"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("account", String(64), ForeignKey("accounts.id"), nullable=False),
    Column("title", String(120), nullable=False),
    Column("rights", Json, nullable=False),
    Column("places", Json),
    Column("media", Json),
    Column("created", UtcDateTime, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("used", UtcDateTime),
    Column("revoked", UtcDateTime),
    Index(None, "account"),
)

links = Table(
    "links",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("role", String(64), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("used", UtcDateTime),
    Column("used_by", String(64)),
)

oidc_subjects = Table(
    "oidc_subjects",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("account", String(64), ForeignKey("accounts.id"), nullable=False),
    Column("linked", UtcDateTime, nullable=False),
)

oidc_attempts = Table(
    "oidc_attempts",
    metadata,
    Column("state", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("redirect", String(255), nullable=False),
    Column("created", UtcDateTime, nullable=False),
)

trail = Table(
    "trail",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("account", String(128), nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", String(255), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("detail", Json),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "at"),
    Index(None, "account", "id"),
    Index(None, "action", "id"),
)

trail_head = Table(
    "trail_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
