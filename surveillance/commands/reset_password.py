"""`graftsite reset-password`: the operator's way back in when no administrator can sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from surveillance.commands.options import DEFAULT_KEYS, DEFAULT_STORE, Debug, Keys, StoreUrl


def reset_password(
    name: Annotated[str, typer.Argument(help="sign-in name")],
    store: StoreUrl = DEFAULT_STORE,
    keys: Keys = DEFAULT_KEYS,
    debug: Debug = False,
) -> None:
    """Give an account a new random password, shown once; its lock-out and sessions end."""
    from imaging.messages import text
    from readers.accounts import reset_password as reset
    from readers.actor import SYSTEM
    from readers.anchor import make_anchor
    from readers.store import open_store

    del debug  # read by main() before any command runs
    opened = open_store(store, anchor=make_anchor(keys))
    password = reset(opened, SYSTEM, name)
    opened.close()
    typer.echo(text("store.password", name=name, password=password))
