"""The material of the sample: what its teams ask for, what they run, how often, and what it costs them.

The shapes and the loading only. The material itself is ``corpus.toml``, how runs are drawn from it is in ``generator``,
and the faults that the sample files carry are in ``files``.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Project(_Table):
    """One code base: the directories of its two sides, and its share of the work."""

    name: str
    backend: str
    frontend: str
    weight: float


class Prices(_Table):
    """What a team pays for a model, in USD per million tokens."""

    input: float
    output: float
    cache_read: float


class Model(_Table):
    """A model and its share of the work; without prices nobody knows what it costs."""

    name: str
    weight: float
    prices: Prices | None = None


class Move(_Table):
    """One kind of step: its tool, the forms of its command or argument, its mean duration and how often it fails."""

    tool: str
    seconds: float
    failure: float = 0.0
    forms: tuple[str, ...]


class Repair(_Table):
    """A check that fails first with this probability and is then repaired: check, edit, check again."""

    check: str
    probability: float


class Work(_Table):
    """One kind of work: how it is asked for, and its moves with the fewest and the most times that each is made."""

    name: str
    weight: float
    failure: float = 0.06
    flat: float = Field(0.15, description="share of the runs that were recorded without steps")
    error: str | None = None
    templates: tuple[str, ...] = ("",)
    repair: Repair | None = None
    plan: tuple[tuple[str, int, int], ...]
    texts: tuple[str, ...]


class Corpus(_Table):
    """All of it."""

    default_error: str
    hours_of_day: tuple[float, ...] = Field(min_length=24, max_length=24)
    days_of_week: tuple[float, ...] = Field(min_length=7, max_length=7)
    slots: dict[str, tuple[str, ...]]
    projects: tuple[Project, ...]
    models: tuple[Model, ...]
    moves: dict[str, Move]
    works: tuple[Work, ...]


@lru_cache(maxsize=1)
def load_corpus() -> Corpus:
    """The bundled material."""
    return Corpus.model_validate(tomllib.loads(files(__package__).joinpath("corpus.toml").read_text(encoding="utf-8")))
