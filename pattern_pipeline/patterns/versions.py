"""Active versions: which rules the published numbers stand on.

Rows of another version wait to be redone; they are never mixed into one count.
"""

from dataclasses import dataclass
from typing import get_args

from pattern_pipeline.detection.policy import Policy, Stage
from pattern_pipeline.warehouse.database import Transaction, Warehouse

NO_CATALOGUE = "none"


@dataclass(frozen=True)
class Progress:
    """How far the closed hours with history have come to the active versions."""

    hours: int
    waiting: int

    @property
    def recomputing(self) -> bool:
        """Whether some hours still stand on other rules, or wait for their first detection."""
        return self.waiting > 0

    def __str__(self) -> str:
        return f"recomputing {self.waiting} of {self.hours} hours" if self.recomputing else "current"


def activate(warehouse: Warehouse, policy: Policy) -> str:
    """Record `policy` and make its detection rules the active ones; returns the active catalogue version."""
    with warehouse.transaction() as tx:
        for stage in get_args(Stage):
            version = getattr(policy, f"{stage}_version")
            tx.run("patterns/record_policy", stage=stage, version=version, policy=policy.document(stage))
        tx.run("patterns/activate", stage="detection", version=policy.detection_version)
        return catalogue_version(tx)


def catalogue_version(tx: Transaction) -> str:
    """The active version of the sequence catalogue, `none` before the first one is mined."""
    version: str | None = tx.scalar("patterns/active_version", stage="catalogue")
    if version is None:
        tx.run("patterns/activate", stage="catalogue", version=NO_CATALOGUE)
        return NO_CATALOGUE
    return version


def progress(warehouse: Warehouse) -> Progress:
    """Closed hours with history, and how many of them do not stand on the active versions yet."""
    with warehouse.transaction() as tx:
        row = tx.one("patterns/progress")
    return Progress(0, 0) if row is None else Progress(row["hours"], row["waiting"])
