"""Threshold: the kinds of numbers a protocol may hold, and the strict section that holds them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """One table of a protocol file: frozen, and with exactly the keys it names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
