"""Tables: what the store holds, as the newest migration leaves it.

Times are UTC texts (ISO 8601), contents canonical JSON texts: a hash made of a row is the same
on every database. Order is told by numbers the database counts, never by a clock.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def _number(name: str = "id") -> Column[int]:
    return Column(name, Integer, primary_key=True)


def _of(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, ForeignKey(target), nullable=nullable, index=False)


def _text(name: str, *, nullable: bool = False, unique: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable, unique=unique)


account = Table(
    "account",
    metadata,
    _number(),
    _text("name", unique=True),
    _text("display_name"),
    _text("role"),
    _text("password_hash", nullable=True),
    Column("password_temporary", Boolean, nullable=False),
    _text("oidc_identity", nullable=True, unique=True),
    Column("failures", Integer, nullable=False),
    _text("locked_at", nullable=True),
    Column("disabled", Boolean, nullable=False),
)
session = Table(
    "session",
    metadata,
    Column("token_sha256", Text, primary_key=True),
    _of("account_id", "account.id"),
    _text("created_at"),
    _text("seen_at"),
)
case_version = Table(
    "case_version",
    metadata,
    _number(),
    _text("case_id"),
    Column("version", Integer, nullable=False),
    _text("content"),
    _text("sha256"),
    _text("registered_at"),
    UniqueConstraint("case_id", "version"),
)
machine_result = Table(
    "machine_result",
    metadata,
    _number(),
    _of("case_version_id", "case_version.id"),
    _text("visit"),
    _text("content"),
    UniqueConstraint("case_version_id", "visit"),
)
allocation = Table("allocation", metadata, _number(), _text("case_id"), _text("arm"), _text("dose"))
paradigm = Table("paradigm", metadata, Column("sha256", Text, primary_key=True), _text("content"))
assignment = Table(
    "assignment",
    metadata,
    _number(),
    _text("code", unique=True),
    _text("case_id"),
    _of("reader_id", "account.id"),
    Column("slot", Integer, nullable=False),
    _of("repeats_id", "assignment.id", nullable=True),
    Column("paradigm_sha256", Text, ForeignKey("paradigm.sha256"), nullable=False),
    _text("place"),
    _text("not_before", nullable=True),
    Column("withdrawn", Boolean, nullable=False),
)
read = Table(
    "read",
    metadata,
    _number(),
    _of("assignment_id", "assignment.id"),
    _text("visit"),
    _of("case_version_id", "case_version.id"),
    _text("form_version"),
    _text("tags"),
    _text("opened_at"),
    UniqueConstraint("assignment_id", "visit"),
)
draft = Table(
    "draft",
    metadata,
    Column("read_id", Integer, ForeignKey("read.id"), primary_key=True),
    Column("revision", Integer, nullable=False),
    _text("content"),
    Column("spent_s", Float, nullable=False),
    _text("saved_at"),
)
draft_copy = Table(
    "draft_copy",
    metadata,
    _number(),
    _of("read_id", "read.id"),
    Column("revision", Integer, nullable=False),
    _text("content"),
    _text("kept_at"),
)
signed = Table(
    "signed",
    metadata,
    _number(),
    _of("read_id", "read.id"),
    Column("version", Integer, nullable=False),
    _text("kind"),
    _text("content"),
    _text("reason", nullable=True),
    Column("machine_seen", Boolean, nullable=False),
    Column("spent_s", Float, nullable=False),
    UniqueConstraint("read_id", "version"),
)
machine_shown = Table(
    "machine_shown",
    metadata,
    Column("read_id", Integer, ForeignKey("read.id"), primary_key=True),
    _text("shown_at"),
)
mask_content = Table(
    "mask_content",
    metadata,
    Column("sha256", Text, primary_key=True),
    _text("grid"),
    Column("packed", LargeBinary, nullable=False),
)
mask_version = Table(
    "mask_version",
    metadata,
    _number(),
    _of("read_id", "read.id", nullable=True),
    _of("case_version_id", "case_version.id"),
    _text("visit"),
    _text("structure"),
    _text("source"),
    _of("parent_id", "mask_version.id", nullable=True),
    Column("sha256", Text, ForeignKey("mask_content.sha256"), nullable=False),
    _text("author"),
    _text("made_at"),
)
mask_measured = Table(
    "mask_measured",
    metadata,
    _number(),
    _of("mask_version_id", "mask_version.id"),
    _text("content"),
)
discordance = Table(
    "discordance",
    metadata,
    _number(),
    _text("case_id"),
    _text("visit"),
    _of("signed_1_id", "signed.id"),
    _of("signed_2_id", "signed.id"),
    _text("differing"),
    Column("swapped", Boolean, nullable=False),
    _text("found_at"),
    UniqueConstraint("signed_1_id", "signed_2_id"),
)
decision = Table(
    "decision",
    metadata,
    _number(),
    Column("discordance_id", Integer, ForeignKey("discordance.id"), nullable=False, unique=True),
    _text("choice"),
    _text("content"),
    _text("reason"),
)
query = Table(
    "query",
    metadata,
    _number(),
    _of("read_id", "read.id"),
    _of("author_id", "account.id"),
    _text("text"),
    _text("asked_at"),
)
query_reply = Table(
    "query_reply",
    metadata,
    _number(),
    _of("query_id", "query.id"),
    _of("author_id", "account.id"),
    _text("text"),
    Column("closes", Boolean, nullable=False),
    _text("replied_at"),
)
signature = Table(
    "signature",
    metadata,
    _number(),
    _of("signed_id", "signed.id", nullable=True),
    _of("decision_id", "decision.id", nullable=True),
    _of("account_id", "account.id"),
    _text("statement"),
    _text("sha256", unique=True),
)
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _text("at"),
    _text("actor"),
    _text("role"),
    _text("action"),
    _text("target"),
    _text("before", nullable=True),
    _text("after", nullable=True),
    _text("reason", nullable=True),
    _text("previous"),
    _text("hash", unique=True),
)

APPEND_ONLY = (
    "case_version", "machine_result", "allocation", "paradigm", "read", "draft_copy", "signed",
    "machine_shown", "mask_content", "mask_version", "mask_measured", "discordance", "decision",
    "query", "query_reply", "signature", "audit",
)  # fmt: skip
"""Tables whose rows the database itself refuses to change or delete."""
