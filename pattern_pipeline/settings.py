"""Settings of the process, read from the environment (`PATTERN_PIPELINE_*`).

What changes results (thresholds, prices, assumptions) is a policy and does not belong here.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pattern_pipeline.errors import InvalidInput

PROJECT_ROOT = Path(__file__).resolve().parent.parent
"""The clone's root; in an installed wheel it is site-packages, which holds no workspace.yaml."""


class Settings(BaseSettings):
    """Where the pipeline keeps its data and what it starts from; an empty variable counts as unset."""

    model_config = SettingsConfigDict(env_prefix="PATTERN_PIPELINE_", env_ignore_empty=True, frozen=True)

    database_url: SecretStr | None = None
    """A PostgreSQL server of the user's, 15 or newer; unset: the embedded server below the state directory."""

    dagster_url: SecretStr | None = None
    """Dagster's own database; unset: on the same server, the database's name followed by `_dagster`."""

    home: Path | None = None
    """The state directory; see `state_dir`."""

    start_date: date = date(2025, 1, 1)
    """First partition of every hourly asset, midnight UTC. It must never change once there is data."""

    policy: str = "default"
    """Name of a shipped policy, or the path of a policy file."""

    prices: Path | None = None
    """The user's own price book, which goes before the shipped one: a TOML file like `history/prices.toml`."""

    reviewers: Path | None = None
    """Who may use the review, and as what: a TOML file of names, roles and token hashes. Unset: only this computer."""

    hourly_minute: int = Field(default=5, ge=0, le=59)
    """Minute at which the hourly run starts: late enough for sources that write at the end of an hour."""

    alert_url: SecretStr | None = None
    """Where alerts are posted as JSON, http or https. Unset: they are only logged."""

    alert_monthly_savings: Decimal = Field(default=Decimal(100), ge=0)
    """Net USD a month, in the cautious estimate, from which a newly queued pattern is worth an alert."""

    keep_log_days: int = Field(default=90, ge=1)
    """How long Dagster's logs of runs are kept; what tells the state of an asset is kept for ever."""

    @field_validator("alert_url")
    @classmethod
    def _alerts_go_over_http(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(url.get_secret_value() if url else "https://none")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an http:// or https:// URL is needed")
        return url

    def state_dir(self) -> Path:
        """Absolute state directory: `home`, else beside the clone's workspace.yaml, else the user's data directory."""
        if self.home is not None:
            return self.home.expanduser().resolve()
        if (PROJECT_ROOT / "workspace.yaml").is_file():
            return PROJECT_ROOT / ".pattern_pipeline"
        return platformdirs.user_data_path("pattern_pipeline", appauthor=False)


def get_settings() -> Settings:
    """Settings as the environment has them now; built afresh, so that nothing is cached behind a test or a service.

    Raises:
        InvalidInput: a variable holds what its setting cannot be; its text is not repeated, since it may be a secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = [f"PATTERN_PIPELINE_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        raise InvalidInput("; ".join(faults)) from None
