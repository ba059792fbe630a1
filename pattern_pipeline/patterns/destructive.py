"""What a reviewer is warned of before approving a pattern: destructive commands among its latest steps.

Read anew from rows, over a bounded number of recent ones. What counts as destructive is decided in `detection`.
"""

from typing import Final

from pattern_pipeline.detection.destructive import destructive_commands
from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.warehouse.database import Transaction

RUNS: Final = 500
COMMANDS: Final = 200
LENGTH: Final = 8_192
"""Latest runs, their commonest commands, and code points of each that are looked at."""


def destructive(tx: Transaction, policy: Policy, pattern_id: int) -> tuple[str, ...]:
    """The destructive commands that a pattern's latest steps ran, those in most distinct steps first."""
    rows = tx.rows("patterns/executed_commands", pattern_id=pattern_id, runs=RUNS, length=LENGTH, limit=COMMANDS)
    return destructive_commands(((row["tool_name"], row["command"]) for row in rows), policy)
