"""Reports: what the warehouse knows, as plain data for the command line and the pages.

Every figure is read from rows. How it is shown belongs to the faces.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pattern_pipeline.errors import NotFound
from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.warehouse.database import Transaction, Warehouse


def overview(warehouse: Warehouse) -> dict[str, Any]:
    """Totals of the landed history, every pattern ranked, and the queue (architecture, section 5)."""
    with warehouse.transaction() as tx:
        totals = dict(tx.one("patterns/overview") or {})
        rows = patterns(tx)
        queue = [plain(dict(row)) for row in tx.rows("patterns/queue_overview", limit=200)]
        models = tx.rows("history/tokens_by_model")
    tokens = sum(row["tokens"] for row in models)
    window = {"start": totals.pop("first_event"), "end": totals.pop("last_event")}
    return {
        **plain(totals),
        "state": str(progress(warehouse)),
        "window": plain(window),
        "unpriced_models": {
            row["model"] or "(no model)": row["unpriced_tokens"] / tokens for row in models if row["unpriced_tokens"]
        },
        "patterns": rows,
        "queue": queue,
    }


def patterns(tx: Transaction, limit: int = 100_000) -> list[dict[str, Any]]:
    """Every pattern with its estimate, by P10 of the net present value, then signature."""
    return [_nested(plain(dict(row))) for row in tx.rows("patterns/ranked_patterns", limit=limit)]


def pattern(tx: Transaction, signature: str) -> dict[str, Any]:
    """One pattern, by its signature.

    Raises:
        NotFound: no such pattern.
    """
    row = tx.one("patterns/one_pattern", signature=signature)
    if row is None:
        raise NotFound(f"no pattern {signature!r}; `pattern-pipeline patterns list` shows what there is")
    return _nested(plain(dict(row)))


def sequences(tx: Transaction, *, limit: int, excluded: bool) -> list[dict[str, Any]]:
    """The catalogue, automatable sequences first, by the number of runs that contain them."""
    return [plain(dict(row)) for row in tx.rows("patterns/sequences", limit=limit, excluded=excluded)]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON has them: money as numbers, times as ISO text in UTC."""
    return {key: _plain(value) for key, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """Group the percentiles of one figure, as readers expect them."""
    for name in ("net_monthly_savings", "npv"):
        row[name] = {p: row.pop(f"{name}_{p}") for p in ("p10", "p50", "p90")}
    return row
