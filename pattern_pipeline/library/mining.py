"""The templates that nobody types in: those of approved patterns, and a handful to begin with.

What a template is made of is said in SQL (`library/publish_templates`); operations on single templates are `storage`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import orjson

from pattern_pipeline.library.usage import derive_all_of
from pattern_pipeline.warehouse.database import Transaction, Warehouse

RECENT_RUNS: Final = 200
"""Latest runs of a pattern whose steps its template is made of."""
LOCK: Final = "pattern_templates"


@dataclass(frozen=True)
class Published:
    """What publishing changed.

    Attributes:
        added: Templates of patterns that had none.
        refreshed: Those whose wording, evidence or state changed.
        deprecated: Those whose approval is no longer.
        seeded: Templates to begin with that were missing.
        past_uses: Executions, reported before their pattern had a template, that became uses of it.
    """

    added: int
    refreshed: int
    deprecated: int
    seeded: int
    past_uses: int


def publish_templates(warehouse: Warehouse) -> Published:
    """Bring the library in line with the decisions, in one transaction; repeating it changes nothing."""
    with warehouse.transaction() as tx:
        tx.lock(LOCK)
        seeded = seed(tx)
        deprecated = tx.run("library/deprecate_revoked")
        written = tx.rows("library/publish_templates", runs=RECENT_RUNS)
        added = [row["id"] for row in written if row["inserted"]]
        past_uses = derive_all_of(tx, added) if added else 0
    return Published(len(added), len(written) - len(added), deprecated, seeded, past_uses)


def seed(tx: Transaction) -> int:
    """Add the templates of `seeds.toml` that are missing, by name, type and language; the number of them."""
    return tx.run("library/seed_templates", templates=orjson.dumps(seeds()).decode())


def seeds() -> list[dict[str, Any]]:
    """The templates that every library begins with."""
    text = (files(__package__) / "seeds.toml").read_text(encoding="utf-8")
    return list(tomllib.loads(text)["templates"])
