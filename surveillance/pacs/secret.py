"""Secret: a password that lives in an environment variable or a file, never in a command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from imaging.errors import ConfigurationError
from imaging.threshold import Section

AnyPath = Annotated[Path, Field(strict=False)]


class Secret(Section):
    """Where a secret is kept: exactly one of the two."""

    env: str | None = None
    file: AnyPath | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if (self.env is None) == (self.file is None):
            raise ValueError("give exactly one of env and file")
        return self

    def reveal(self) -> str:
        """Return the secret.

        Raises
        ------
        ConfigurationError
            The variable is not set, the file cannot be read, or there is nothing in it.
        """
        found = os.environ.get(self.env, "") if self.env else _first_line(self.file or Path())
        if not found:
            raise ConfigurationError("secret_absent", place=self.env or self.file)
        return found


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("secret_absent", place=path) from error
