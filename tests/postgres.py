"""A real PostgreSQL server for the tests: its own folder, a Unix socket, an unprivileged user."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"
# Nothing here outlives the tests, so nothing has to reach the disk.
SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


def programs():
    """Return the folder of initdb and pg_ctl, None where PostgreSQL is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
    found = shutil.which("initdb") or (debian and debian[-1])
    return Path(found).parent if found else None


def as_user(*command):
    """Run a program as an unprivileged user: PostgreSQL refuses to be root."""
    prefix = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *map(str, command)], check=True, capture_output=True, cwd="/")


@contextmanager
def running():
    """Yield a function from database name to URL, of a server that runs until the end."""
    binaries = programs()
    # Not pytest's folder: the path of a socket is short, and another user has to get there.
    with tempfile.TemporaryDirectory(prefix="gs-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        user = USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        data = folder / "data"
        as_user(binaries / "initdb", "--pgdata", data, "--auth", "trust", "--no-sync",
                "--encoding", "UTF8", "--locale", "C")  # fmt: skip
        options = " ".join(
            f"-c {s}" for s in (*SETTINGS, "listen_addresses=''", f"unix_socket_directories={name}")
        )
        control = (binaries / "pg_ctl", "--pgdata", data, "--wait")
        as_user(*control, "--log", folder / "log", "--options", options, "start")
        try:
            yield lambda database: f"postgresql+psycopg://{user}@/{database}?host={name}"
        finally:
            as_user(*control, "--mode", "fast", "stop")
