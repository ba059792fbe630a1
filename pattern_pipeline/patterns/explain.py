"""Explain: why a pattern was seen, in which runs, and what it cost there."""

from typing import Any

from pattern_pipeline.patterns.report import pattern, plain
from pattern_pipeline.warehouse.database import Transaction

EXAMPLES = 3


def explain(tx: Transaction, signature: str) -> dict[str, Any]:
    """A pattern with the rules that fired, examples, and examples where the run failed.

    Raises:
        NotFound: no such pattern.
    """
    found = pattern(tx, signature)
    which = {"pattern_id": found["pattern_id"]}
    return {
        **found,
        "rules": [plain(dict(r)) for r in tx.rows("patterns/pattern_rules", **which, limit=10)],
        "examples": [
            plain(dict(r)) for r in tx.rows("patterns/pattern_examples", **which, failed=False, limit=EXAMPLES)
        ],
        "counter_examples": [
            plain(dict(r)) for r in tx.rows("patterns/pattern_examples", **which, failed=True, limit=EXAMPLES)
        ],
    }
