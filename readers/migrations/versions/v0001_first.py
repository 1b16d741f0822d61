"""The first schema: accounts, cases, reads, signatures, masks, adjudication, queries, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "case_version", "machine_result", "allocation", "paradigm", "read", "draft_copy", "signed",
    "machine_shown", "mask_content", "mask_version", "mask_measured", "discordance", "decision",
    "query", "query_reply", "signature", "audit",
)  # fmt: skip
NEVER_DELETED = ("account", "assignment", "draft")
KEYS = {"paradigm": "sha256", "mask_content": "sha256", "machine_shown": "read_id", "audit": "seq"}


def upgrade() -> None:
    """Make all tables, and the triggers that keep what is signed."""
    _tables()
    if op.get_bind().dialect.name == "postgresql":
        _refusals_of_postgresql()
    else:
        _refusals_of_sqlite()


def _refusals_of_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        "CREATE FUNCTION refuse_signed_draft() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF EXISTS (SELECT 1 FROM signed WHERE signed.read_id = OLD.read_id) THEN "
        "RAISE EXCEPTION 'the read is signed'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE FUNCTION refuse_gap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit) THEN "
        "RAISE EXCEPTION 'audit numbers have no gaps'; END IF; RETURN NEW; END $$"
    )
    for table in APPEND_ONLY:
        _postgresql_trigger(table, "UPDATE OR DELETE", "ROW", "refuse_change")
        _postgresql_trigger(table, "TRUNCATE", "STATEMENT", "refuse_change")
    for table in NEVER_DELETED:
        _postgresql_trigger(table, "DELETE", "ROW", "refuse_change")
        _postgresql_trigger(table, "TRUNCATE", "STATEMENT", "refuse_change")
    _postgresql_trigger("draft", "UPDATE", "ROW", "refuse_signed_draft")
    _postgresql_trigger("audit", "INSERT", "ROW", "refuse_gap")


def _postgresql_trigger(table: str, event: str, each: str, function: str) -> None:
    name = f"{table}_{event.split(maxsplit=1)[0].lower()}_{function}"
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} "
        f"EXECUTE FUNCTION {function}()"
    )


def _refusals_of_sqlite() -> None:
    for table in APPEND_ONLY:
        key = KEYS.get(table, "id")
        _sqlite_trigger(table, "UPDATE", "1", f"{table} is append-only")
        _sqlite_trigger(table, "DELETE", "1", f"{table} is append-only")
        # INSERT OR REPLACE deletes without firing a trigger on DELETE.
        taken = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608 -- constants of this file
        _sqlite_trigger(table, "INSERT", taken, f"{table} is append-only")
    for table in NEVER_DELETED:
        _sqlite_trigger(table, "DELETE", "1", f"{table} is never deleted")
    is_signed = "EXISTS (SELECT 1 FROM signed WHERE signed.read_id = OLD.read_id)"
    _sqlite_trigger("draft", "UPDATE", is_signed, "the read is signed")
    gap = "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)"
    _sqlite_trigger("audit", "INSERT", gap, "audit numbers have no gaps", name="audit_gap")


def _sqlite_trigger(table: str, event: str, when: str, message: str, name: str = "") -> None:
    name = name or f"{table}_{event.lower()}_refused"
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _tables() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("password_temporary", sa.Boolean(), nullable=False),
        sa.Column("oidc_identity", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_at", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
        sa.UniqueConstraint("oidc_identity", name=op.f("uq_account_oidc_identity")),
    )
    op.create_table(
        "allocation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("dose", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
    op.create_table(
        "case_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_version")),
        sa.UniqueConstraint("case_id", "version", name=op.f("uq_case_version_case_id_version")),
    )
    op.create_table(
        "mask_content",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("grid", sa.Text(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_mask_content")),
    )
    op.create_table(
        "paradigm",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_paradigm")),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("repeats_id", sa.Integer(), nullable=True),
        sa.Column("paradigm_sha256", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("not_before", sa.Text(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paradigm_sha256"], ["paradigm.sha256"], name=op.f("fk_assignment_paradigm_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["reader_id"], ["account.id"], name=op.f("fk_assignment_reader_id")
        ),
        sa.ForeignKeyConstraint(
            ["repeats_id"], ["assignment.id"], name=op.f("fk_assignment_repeats_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("code", name=op.f("uq_assignment_code")),
    )
    op.create_table(
        "machine_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_version_id", sa.Integer(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_version_id"], ["case_version.id"], name=op.f("fk_machine_result_case_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machine_result")),
        sa.UniqueConstraint(
            "case_version_id", "visit", name=op.f("uq_machine_result_case_version_id_visit")
        ),
    )
    op.create_table(
        "session",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_session_account_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_session")),
    )
    op.create_table(
        "read",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("case_version_id", sa.Integer(), nullable=False),
        sa.Column("form_version", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_read_assignment_id")
        ),
        sa.ForeignKeyConstraint(
            ["case_version_id"], ["case_version.id"], name=op.f("fk_read_case_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read")),
        sa.UniqueConstraint("assignment_id", "visit", name=op.f("uq_read_assignment_id_visit")),
    )
    op.create_table(
        "draft",
        sa.Column("read_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("spent_s", sa.Float(), nullable=False),
        sa.Column("saved_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["read_id"], ["read.id"], name=op.f("fk_draft_read_id")),
        sa.PrimaryKeyConstraint("read_id", name=op.f("pk_draft")),
    )
    op.create_table(
        "draft_copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("read_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["read_id"], ["read.id"], name=op.f("fk_draft_copy_read_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_copy")),
    )
    op.create_table(
        "machine_shown",
        sa.Column("read_id", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["read_id"], ["read.id"], name=op.f("fk_machine_shown_read_id")),
        sa.PrimaryKeyConstraint("read_id", name=op.f("pk_machine_shown")),
    )
    op.create_table(
        "mask_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("read_id", sa.Integer(), nullable=True),
        sa.Column("case_version_id", sa.Integer(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("structure", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_version_id"], ["case_version.id"], name=op.f("fk_mask_version_case_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["mask_version.id"], name=op.f("fk_mask_version_parent_id")
        ),
        sa.ForeignKeyConstraint(["read_id"], ["read.id"], name=op.f("fk_mask_version_read_id")),
        sa.ForeignKeyConstraint(
            ["sha256"], ["mask_content.sha256"], name=op.f("fk_mask_version_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mask_version")),
    )
    op.create_table(
        "query",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("read_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_query_author_id")),
        sa.ForeignKeyConstraint(["read_id"], ["read.id"], name=op.f("fk_query_read_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query")),
    )
    op.create_table(
        "signed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("read_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("machine_seen", sa.Boolean(), nullable=False),
        sa.Column("spent_s", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["read_id"], ["read.id"], name=op.f("fk_signed_read_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed")),
        sa.UniqueConstraint("read_id", "version", name=op.f("uq_signed_read_id_version")),
    )
    op.create_table(
        "discordance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("signed_1_id", sa.Integer(), nullable=False),
        sa.Column("signed_2_id", sa.Integer(), nullable=False),
        sa.Column("differing", sa.Text(), nullable=False),
        sa.Column("swapped", sa.Boolean(), nullable=False),
        sa.Column("found_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["signed_1_id"], ["signed.id"], name=op.f("fk_discordance_signed_1_id")
        ),
        sa.ForeignKeyConstraint(
            ["signed_2_id"], ["signed.id"], name=op.f("fk_discordance_signed_2_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discordance")),
        sa.UniqueConstraint(
            "signed_1_id", "signed_2_id", name=op.f("uq_discordance_signed_1_id_signed_2_id")
        ),
    )
    op.create_table(
        "mask_measured",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mask_version_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mask_version_id"], ["mask_version.id"], name=op.f("fk_mask_measured_mask_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mask_measured")),
    )
    op.create_table(
        "query_reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("query_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("closes", sa.Boolean(), nullable=False),
        sa.Column("replied_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["account.id"], name=op.f("fk_query_reply_author_id")
        ),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_query_reply_query_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query_reply")),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("discordance_id", sa.Integer(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["discordance_id"], ["discordance.id"], name=op.f("fk_decision_discordance_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("discordance_id", name=op.f("uq_decision_discordance_id")),
    )
    op.create_table(
        "signature",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("signed_id", sa.Integer(), nullable=True),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_signature_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_signature_decision_id")
        ),
        sa.ForeignKeyConstraint(["signed_id"], ["signed.id"], name=op.f("fk_signature_signed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
        sa.UniqueConstraint("sha256", name=op.f("uq_signature_sha256")),
    )
