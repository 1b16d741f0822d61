"""`graftsite schema`: the shape of assessment.json."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the JSON Schema of assessment.json."""
    import json

    from surveillance.exports.contract import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
