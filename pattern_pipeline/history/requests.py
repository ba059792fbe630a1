"""What a landing is asked for: sources as the user named them, how to read them, and what the caller hands over.

Only words and options belong here. What a spec means on disk is in `readers`, what is remembered of it in `ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pattern_pipeline.history.ledger import Configured
from pattern_pipeline.history.mapping import ReadOptions, options_of
from pattern_pipeline.history.readers.tables import shown_url

# Decided anew by every landing, or meant for one alone; the rest is remembered with the source.
NOT_REMEMBERED: Final = frozenset({"redaction", "prices", "since", "until"})


@dataclass(frozen=True)
class Progress:
    """How far a landing is: after every batch and every source.

    Attributes:
        location: The file or table being read.
        sources_done: Sources that are read, skipped or refused.
        sources: Sources known so far.
        rows_read: Records, good or bad.
        bytes_done: Of the files; a format without resume points tells only at the end of each file.
        bytes: Of all files known so far.
    """

    location: str
    sources_done: int
    sources: int
    rows_read: int
    bytes_done: int
    bytes: int


def unwatched(_: Progress) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Request:
    """A spec to land: what is remembered of it, and what this call uses (credentials, a window of time)."""

    configured: Configured
    spec: str
    options: ReadOptions

    @classmethod
    def given(cls, spec: str, source_type: str | None, options: ReadOptions, known: Configured | None) -> Request:
        """A spec of the caller's; what the caller does not say of it is as it was said before."""
        said = {name: getattr(options, name) for name in options.model_fields_set}
        effective = options_of(known.options if known else {}).model_copy(update=said)
        kind = source_type or (known.source_type if known else "auto")
        return cls(Configured(canonical(spec), kind, stated_form(effective)), spec, effective)

    @classmethod
    def stored(cls, configured: Configured) -> Request:
        """A spec that was given before; the database client's own means supply a password."""
        return cls(configured, configured.spec, options_of(configured.options))


def canonical(spec: str) -> str:
    """The spec as it is remembered: usable from any working directory, without a password."""
    if "://" in spec:
        address, separator, table = spec.partition("#")
        return shown_url(address) + separator + table
    return str(Path(spec).expanduser().absolute())


def stated_form(options: ReadOptions) -> dict[str, Any]:
    """What is remembered of options, as JSON has it; `options_of` reads it."""
    return options.model_dump(mode="json", exclude=set(NOT_REMEMBERED), exclude_defaults=True)


@dataclass(frozen=True)
class Handover:
    """What the caller of a landing that Dagster executes hands over in memory.

    Dagster stores the configuration of every run, so that credentials must not stand in it, and a function cannot.

    Attributes:
        specs: Specs with their credentials, by the form in which they stand in the configuration.
        progress: Is told how far the landing is.
    """

    specs: Mapping[str, str] = field(default_factory=dict, repr=False)
    progress: Callable[[Progress], None] = unwatched


_HANDED_OVER: ContextVar[Handover] = ContextVar("handed_over", default=Handover())  # noqa: B039 -- frozen


@contextmanager
def handing_over(specs: Sequence[str], progress: Callable[[Progress], None]) -> Iterator[list[str]]:
    """Hands specs and a watcher to the landing inside the block; gives the specs as they may be stored."""
    by_name = {canonical(spec): spec for spec in specs}
    token = _HANDED_OVER.set(Handover(by_name, progress))
    try:
        yield list(by_name)
    finally:
        _HANDED_OVER.reset(token)


def handed_over() -> Handover:
    """What the caller in this process handed over; nothing for a run that another process started."""
    return _HANDED_OVER.get()
