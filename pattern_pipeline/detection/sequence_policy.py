"""The shape of `[sequences]`: which runs of steps count as a repeated sequence.

Only the data model belongs here; mining is in `sequences.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from pattern_pipeline.detection.text_policy import PolicyModel

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
SignaturePattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.+*-]+(:[a-z0-9_.+*-]+){0,2}$")]


class Orchestration(PolicyModel):
    """A shape of normal work that is excluded with a reason code. The first that fits a sequence wins.

    Attributes:
        id: The reason code.
        only: Roles that every element must have one of. Empty: any.
        contains: Roles of which at least one element must have one. Empty: none needed.
    """

    id: Code
    only: tuple[Code, ...] = ()
    contains: tuple[Code, ...] = ()


class ErrorFix(PolicyModel):
    """A verification fails, something is changed, the same verification passes.

    Attributes:
        verification: Role of the step it starts and ends with.
        change: Role of which there must be one in between.
        between: Roles that may stand in between besides these two.
    """

    verification: Code
    change: Code
    between: tuple[Code, ...] = ()


class SequencePolicy(PolicyModel):
    """Section `[sequences]`.

    Attributes:
        min_workflows: Distinct workflows that must contain a sequence.
        min_days: UTC days on which it must have been seen.
        min_share: Share of the workflows that contain either of its two longest parts that must contain it whole. In a
            long history any two common steps follow one another in some workflows by chance.
        min_length, max_length: Elements of a sequence.
        window_days: The trailing window that is mined.
        roles: Role -> patterns of the signatures that play it, with `*` for any characters.
        orchestration: Shapes of normal work.
        error_fix: The shape of a repair. None: the policy looks for none.
    """

    min_workflows: int = Field(ge=1)
    min_days: int = Field(ge=1)
    min_share: float = Field(default=0.01, ge=0, le=1)
    min_length: int = Field(ge=2)
    max_length: int = Field(ge=2)
    window_days: int = Field(ge=1)
    roles: Mapping[Code, tuple[SignaturePattern, ...]] = {}
    orchestration: tuple[Orchestration, ...] = ()
    error_fix: ErrorFix | None = None

    @model_validator(mode="after")
    def _lengths_ascend(self) -> Self:
        if self.min_length > self.max_length:
            raise ValueError("min_length must not exceed max_length")
        return self

    @model_validator(mode="after")
    def _roles_exist(self) -> Self:
        used = {role for shape in self.orchestration for role in (*shape.only, *shape.contains)}
        if self.error_fix:
            used |= {self.error_fix.verification, self.error_fix.change, *self.error_fix.between}
        if unknown := sorted(used - set(self.roles)):
            raise ValueError(f"unknown role: {', '.join(unknown)}; allowed: {', '.join(sorted(self.roles))}")
        return self
