"""How long a source keeps what it holds: what is not landed before it is deleted is missing for ever.

Only what tools themselves say of their files belongs here. Which days history covers is in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import orjson

# Claude Code, unless `cleanupPeriodDays` in its settings says otherwise.
DEFAULT_DAYS: Final = 30
_SETTINGS: Final = "settings.json"


def retention_notes(locations: Iterable[str], window_days: int) -> tuple[str, ...]:
    """A sentence for each directory of Claude Code that keeps less than the window that rates are of.

    Args:
        locations: Files and tables that history is read from.
        window_days: Length of the window.
    """
    homes = sorted({home for location in locations if (home := _claude_home(location)) is not None})
    kept = {home: kept_days(home) for home in homes}
    return tuple(
        f"Claude Code deletes transcripts in {home} after {days} days (cleanupPeriodDays in {home / _SETTINGS}), "
        f"and rates are of {window_days} days: ingest more often than every {days} days, or raise it. What has landed "
        "stays; days that nothing covers are left out of every rate."
        for home, days in kept.items()
        if days < window_days
    )


def kept_days(home: Path) -> int:
    """Days for which Claude Code keeps transcripts, by its settings in this directory."""
    try:
        settings = orjson.loads((home / _SETTINGS).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return DEFAULT_DAYS  # as Claude Code does
    days = settings.get("cleanupPeriodDays") if isinstance(settings, dict) else None
    return days if isinstance(days, int) and not isinstance(days, bool) else DEFAULT_DAYS


def _claude_home(location: str) -> Path | None:
    """The configuration directory of Claude Code whose `projects` hold a file."""
    if "://" in location:
        return None
    for parent in Path(location).parents:
        if parent.name == "projects" and (parent.parent.name == ".claude" or (parent.parent / _SETTINGS).is_file()):
            return parent.parent
    return None
