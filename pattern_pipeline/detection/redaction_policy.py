"""The `[redaction]` section of a policy: which secrets are looked for.

Only the settings belong here; the patterns and their application are in `pattern_pipeline.history.redaction`.
"""

from typing import Annotated, Final, Literal, get_args

import polars as pl
from polars.exceptions import ComputeError
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, field_validator

SecretKind = Literal[
    "private_key",
    "aws_key",
    "anthropic_key",
    "openai_key",
    "github_token",
    "gitlab_token",
    "slack_token",
    "google_key",
    "stripe_key",
    "npm_token",
    "pypi_token",
    "huggingface_token",
    "sendgrid_key",
    "jwt",
    "authorization",
    "url_credentials",
    "azure_key",
    "password",
    "api_key",
    "token",
    "secret",
]
SECRET_KINDS: Final[tuple[SecretKind, ...]] = get_args(SecretKind)


def _linear_pattern(pattern: str) -> str:
    """Accept what the linear-time engine accepts, and only patterns that leave the empty text alone."""
    try:
        matches_nothing = pl.Series([""]).str.contains(pattern, strict=True).item()
    except ComputeError as error:
        raise ValueError(f"{pattern!r} is no valid pattern (look-around and back-references do not exist)") from error
    if matches_nothing:
        raise ValueError(f"{pattern!r} matches the empty text")
    return pattern


PatternName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
LinearPattern = Annotated[str, AfterValidator(_linear_pattern)]


class RedactionPolicy(BaseModel):
    """What is replaced before anything is stored.

    Attributes:
        rules: Version of the built-in patterns, raised with them: history read by older ones is read again.
        kinds: Kinds of secrets to look for.
        email: Whether e-mail addresses are replaced too.
        home_directories: Parents of home directories; `/home` turns `/home/ann/x` into `~/x`. A directory that is
            itself a home, such as `/root`, is given in `homes`.
        homes: Directories that are homes themselves.
        patterns: The user's own kinds, name -> regular expression of the whole secret (Rust syntax).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Literal[1] = 1
    kinds: tuple[SecretKind, ...] = SECRET_KINDS
    email: bool = False
    home_directories: tuple[str, ...] = ("/home", "/Users", "C:\\Users")
    homes: tuple[str, ...] = ("/root",)
    patterns: dict[PatternName, LinearPattern] = {}

    @field_validator("patterns")
    @classmethod
    def _leaves_marks_alone(cls, patterns: dict[str, str]) -> dict[str, str]:
        """A pattern that matched the marks would make redaction go on for ever."""
        marks = pl.Series([f"<secret:{kind}>" for kind in (*SECRET_KINDS, "email", *patterns)])
        for name, pattern in patterns.items():
            if marks.str.contains(pattern).any():
                raise ValueError(f"{name}: {pattern!r} matches the mark of a replaced secret, such as {marks[0]}")
        return patterns
