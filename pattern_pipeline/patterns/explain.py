"""Explain: why a pattern was seen, in which runs, what it cost there, and how its commands vary.

Everything is read anew from rows, over a bounded number of recent ones; nothing here is stored.
"""

from typing import Any

import polars as pl

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.slots import determinism, slot_evidence
from pattern_pipeline.detection.step_detector import StepDetector
from pattern_pipeline.patterns.destructive import destructive
from pattern_pipeline.patterns.report import pattern, plain
from pattern_pipeline.warehouse.database import BulkTransaction, Transaction, Warehouse

EXAMPLES = 3
STEPS = 200
TEMPLATES = 5


def explain(warehouse: Warehouse, policy: Policy, signature: str) -> dict[str, Any]:
    """A pattern with the rules that fired, examples, failed ones, destructive commands, and its command templates.

    Raises:
        NotFound: no such pattern.
    """
    with warehouse.transaction() as tx:
        found = {**pattern(tx, signature), **evidence(tx, signature)}
        found["destructive"] = destructive(tx, policy, found["pattern_id"])
    with warehouse.bulk() as bulk:
        return {**found, **commands(bulk, policy, found["pattern_id"])}


def evidence(tx: Transaction, signature: str) -> dict[str, Any]:
    """Rules, examples and counter-examples of a pattern, and what a sequence consists of.

    Raises:
        NotFound: no such pattern.
    """
    which = {"pattern_id": pattern(tx, signature)["pattern_id"]}
    sequence = tx.one("patterns/one_sequence", signature=signature)
    return {
        "sequence": None if sequence is None else dict(sequence),
        "rules": [plain(dict(r)) for r in tx.rows("patterns/pattern_rules", **which, limit=10)],
        "examples": _examples(tx, which, failed=False),
        "counter_examples": _examples(tx, which, failed=True),
    }


def _examples(tx: Transaction, which: dict[str, Any], *, failed: bool) -> list[dict[str, Any]]:
    return [plain(dict(r)) for r in tx.rows("patterns/pattern_examples", **which, failed=failed, limit=EXAMPLES)]


def commands(tx: BulkTransaction, policy: Policy, pattern_id: int) -> dict[str, Any]:
    """The templates of a pattern's recent steps, where the values of their slots come from, and how determined it is.

    Returns:
        `templates` (template, occurrences, slots), the most frequent first; `determinism`, 0 to 1, None without steps.
    """
    steps = tx.frame("patterns/pattern_steps", pattern_id=pattern_id, limit=STEPS)
    if steps.is_empty() or policy.detection.steps is None:
        return {"templates": [], "determinism": None}
    detector = StepDetector(policy.detection.steps)
    named = detector.detect_steps(steps).filter(part=0)
    counted = named.group_by("template").agg(pl.len().alias("occurrences")).sort(
        "occurrences", "template", descending=[True, False]
    )  # fmt: skip
    tx.run("patterns/stage_workflows")
    tx.load("stage_workflows", steps.select("workflow_id").unique(), temporary=True)
    slots = slot_evidence(
        detector.slot_values(steps), tx.frame("patterns/task_texts"), tx.frame("patterns/step_outputs")
    )
    score = determinism(counted.with_columns(pl.lit("").alias("pattern")), slots)
    return {
        "templates": [
            {**row, "slots": slots.filter(template=row["template"]).drop("template").to_dicts()}
            for row in counted.head(TEMPLATES).to_dicts()
        ],
        "determinism": score["determinism"].item(),
    }
