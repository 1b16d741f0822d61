"""The commands of the store as an operator runs them: real processes, one after the other."""

import os
import subprocess
import sys

import pytest
from reading_room import CHEAP
from sqlalchemy import text

from readers import sessions
from readers.actor import SYSTEM
from readers.anchor import make_anchor
from readers.store import open_store


@pytest.fixture()
def graftsite(tmp_path):
    """Return a function that runs a command in a folder of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GRAFTSITE_")}

    def run(*arguments):
        command = [sys.executable, "-c", "from surveillance.cli import main; main()"]
        return subprocess.run(
            [*command, *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    return run


def test_from_the_first_administrator_to_a_restored_backup(graftsite, tmp_path):
    made = graftsite("create-administrator", "anna", "--display-name", "Anna")
    assert made.returncode == 0, made.stderr
    password = made.stdout.split("one-time password: ")[1].split()[0]
    store = open_store(f"sqlite:///{tmp_path / 'graftsite-reads.sqlite'}", policy=CHEAP)
    assert sessions.sign_in(store, "anna", password).account.password_temporary
    store.close()

    again = graftsite("create-administrator", "berta")
    assert (again.returncode, again.stdout) == (2, "")
    assert "accounts already" in again.stderr

    reset = graftsite("reset-password", "anna")
    assert reset.returncode == 0, reset.stderr
    assert password not in reset.stdout
    assert "one-time password: " in reset.stdout
    assert graftsite("reset-password", "nobody").returncode == 2

    intact = graftsite("audit", "verify")
    assert intact.returncode == 0, intact.stderr
    assert "Intact" in intact.stdout
    assert "Anchored up to entry 3;" in intact.stdout

    backed_up = graftsite("backup", "backup.zip")
    assert backed_up.returncode == 0, backed_up.stderr
    for private in ("backup.zip", "graftsite-reads.sqlite", "graftsite-keys/audit.key"):
        assert (tmp_path / private).stat().st_mode & 0o077 == 0
    exported = graftsite("export", "reads", "--output", "out")
    assert exported.returncode == 0, exported.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "decisions.csv", "dictionary.csv", "foci.csv", "marks.csv", "nodes.csv", "reads.csv",
        "reads.json",
    ]  # fmt: skip

    restored = graftsite(
        "restore", "backup.zip", "--store", "sqlite:///new.sqlite", "--reason", "a drill"
    )
    assert restored.returncode == 0, restored.stderr
    assert graftsite("audit", "verify", "--store", "sqlite:///new.sqlite").returncode == 0
    old = graftsite("audit", "verify")
    assert old.returncode == 3
    assert "made anew" in old.stderr


def test_a_cut_trail_fails_the_verification_and_without_an_anchor_that_is_said(graftsite, tmp_path):
    anchor = make_anchor(tmp_path / "graftsite-keys")
    store = open_store(f"sqlite:///{tmp_path / 'graftsite-reads.sqlite'}", anchor=anchor)
    for n in range(2):
        with store.writing(SYSTEM) as writing:
            writing.record("test.done", str(n))
    with store.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_delete_refused"))
        connection.execute(text("DELETE FROM audit WHERE seq = 2"))
    store.close()
    cut = graftsite("audit", "verify")
    assert (cut.returncode, cut.stdout) == (3, "")
    assert "it was cut" in cut.stderr
    refused = graftsite("export", "reads", "-o", "out")
    assert refused.returncode == 2
    assert "entries are missing" in refused.stderr
    blind = graftsite("audit", "verify", "--keys", "nowhere")
    assert blind.returncode == 0
    assert "No anchor was compared with" in blind.stdout
    copied = graftsite(
        "audit", "verify", "--keys", "nowhere", "--anchor", "graftsite-keys/anchor.json",
        "--public-key", "graftsite-keys/audit.pub",
    )  # fmt: skip
    assert copied.returncode == 3
