"""The `graftsite` command: arguments in, exit codes out; the work is done elsewhere.

Heavy imports wait inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
import warnings

import typer

from surveillance.commands.administrator import create_administrator
from surveillance.commands.app import app as reading_app
from surveillance.commands.assess import assess
from surveillance.commands.audit import audit
from surveillance.commands.backup import backup
from surveillance.commands.batch import batch
from surveillance.commands.check import check
from surveillance.commands.deidentify import deidentify
from surveillance.commands.echo import echo
from surveillance.commands.export import export
from surveillance.commands.inspect import inspect
from surveillance.commands.listen import listen
from surveillance.commands.options import Exit
from surveillance.commands.pull import pull
from surveillance.commands.push import push
from surveillance.commands.report import report
from surveillance.commands.reset_password import reset_password
from surveillance.commands.restore import restore
from surveillance.commands.schema import schema
from surveillance.commands.status import status
from surveillance.commands.validate import validate

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="MRI graft-site assessment. Research use: a radiologist's read stands above every value.",
)
COMMANDS = (
    assess,
    batch,
    status,
    check,
    inspect,
    schema,
    validate,
    echo,
    pull,
    push,
    listen,
    deidentify,
    reading_app,
    create_administrator,
    reset_password,
    backup,
    restore,
    report,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(audit, name="audit")
app.add_typer(export, name="export")


def main() -> None:
    """Run the command line; a user never meets a traceback unless with --debug."""
    from imaging.errors import GraftsiteError, NodeError

    debug = "--debug" in sys.argv
    if not debug:
        warnings.simplefilter("ignore")
    try:
        app()
    except GraftsiteError as error:
        if debug:
            raise
        typer.echo(f"graftsite: {error}", err=True)
        sys.exit(Exit.NODE_FAILED if isinstance(error, NodeError) else Exit.USAGE)
