"""`graftsite create-administrator`: the first account, with a password shown once."""

from __future__ import annotations

from typing import Annotated

import typer

from surveillance.commands.options import DEFAULT_KEYS, DEFAULT_STORE, Debug, Keys, StoreUrl


def create_administrator(
    name: Annotated[str, typer.Argument(help="sign-in name: a-z, 0-9, . _ -")],
    display_name: Annotated[str, typer.Option("--display-name", help="the name people read")] = "",
    store: StoreUrl = DEFAULT_STORE,
    keys: Keys = DEFAULT_KEYS,
    debug: Debug = False,
) -> None:
    """Make the first administrator; the password is random, shown once and kept nowhere."""
    from imaging.messages import text
    from readers.accounts import create_first_administrator
    from readers.anchor import make_anchor
    from readers.store import open_store

    del debug  # read by main() before any command runs
    opened = open_store(store, anchor=make_anchor(keys))
    password = create_first_administrator(opened, name, display_name or name)
    opened.close()
    typer.echo(text("store.administrator", name=name, password=password))
