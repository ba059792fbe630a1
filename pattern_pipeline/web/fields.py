"""The fields of requests, with their limits: shared by the API and the forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

_NO_NUL: Final = r"^[^\x00]*$"
_LONGEST_DEFERRAL: Final = timedelta(days=3660)

Status = Literal["pending", "deferred", "approved", "rejected", "revoked", "auto-approved", "auto-rejected"]
Version = Annotated[int, Field(ge=1, le=2_147_483_647)]
"""PostgreSQL's integer."""
Text = Annotated[str, StringConstraints(pattern=_NO_NUL, max_length=10_000)]
"""Anything that a PostgreSQL text can hold."""
Reason = Annotated[str, StringConstraints(pattern=r"^[^\x00]*[^\x00\s][^\x00]*$", max_length=10_000)]
"""A text that is not blank."""
Word = Annotated[str, StringConstraints(pattern=_NO_NUL, max_length=200)]
"""A short text: a search, a category, a hash, a cursor."""


def _within_reach(instant: datetime) -> datetime:
    now = datetime.now(UTC)
    if not now < instant < now + _LONGEST_DEFERRAL:
        raise ValueError("must be in the future, within ten years")
    return instant


FutureTime = Annotated[AwareDatetime, AfterValidator(_within_reach)]
"""A time to come, with its zone."""
