"""Small histories put straight into the tables, with what was detected in them: no reader and no detector involved."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.patterns import versions
from pattern_pipeline.patterns.windows import Window
from pattern_pipeline.warehouse.database import Warehouse

START = datetime(2026, 5, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=10))


@dataclass
class Step:
    """A tool call: its cost and the signatures seen in it, the naming one first."""

    cost: str | None
    signatures: tuple[str, ...] = ()
    tokens: int | None = None


@dataclass
class Run:
    """A workflow: its cost, steps, and the signatures seen in its texts (layer -> signatures)."""

    cost: str | None
    steps: list[Step] = field(default_factory=list)
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    status: str | None = "completed"
    hours: float = 0.0
    seconds: float | None = None


def default_policy() -> Policy:
    return load_policy("default")


def insert(warehouse: Warehouse, runs: list[Run], policy: Policy) -> list[str]:
    """Store the runs with their detected signatures and close their hours; returns their ids, in order."""
    versions.activate(warehouse, policy)
    ids = [f"test:{number:04d}" for number in range(len(runs))]
    with warehouse.engine.begin() as connection:
        run = connection.exec_driver_sql
        run("DELETE FROM workflow_history")
        run("DELETE FROM history_hours")
        for workflow_id, each in zip(ids, runs, strict=True):
            at = START + timedelta(hours=each.hours)
            run(
                "INSERT INTO workflow_history (workflow_id, source, status, actual_cost_total, cost_basis, step_count,"
                " content_hash, event_time, duration_seconds) VALUES (%s, 'test', %s, %s, %s, %s, 'x', %s, %s)",
                (
                    workflow_id,
                    each.status,
                    each.cost,
                    "unpriced" if each.cost is None else "billed",
                    len(each.steps),
                    at,
                    each.seconds,
                ),
            )
            found = [(-1, part, s, layer) for layer, names in each.texts.items() for part, s in enumerate(names)]
            for seq, step in enumerate(each.steps):
                run(
                    "INSERT INTO tool_calls (workflow_id, tool_call_id, seq, cost_usd, output_tokens)"
                    " VALUES (%s, %s, %s, %s, %s)",
                    (workflow_id, f"step-{seq}", seq, step.cost, step.tokens),
                )
                found += [(seq, part, signature, "step") for part, signature in enumerate(step.signatures)]
            texts = 0
            for seq, part, signature, layer in found:
                run("INSERT INTO signatures (signature) VALUES (%s) ON CONFLICT DO NOTHING", (signature,))
                run(
                    "INSERT INTO detection_evidence (layer, rule_id, matched_text) VALUES (%s, 'rule', %s)"
                    " ON CONFLICT DO NOTHING",
                    (layer, signature),
                )
                run(
                    "INSERT INTO detected_signatures SELECT %s, %s, %s, %s, signature_id, evidence_id"
                    " FROM signatures, detection_evidence"
                    " WHERE signature = %s AND layer = %s AND rule_id = 'rule' AND matched_text = %s",
                    (workflow_id, at, seq, texts if seq < 0 else part, signature, layer, signature),
                )
                texts += seq < 0
        run(
            "INSERT INTO history_hours (hour, generation, workflow_count, step_count, spend_usd, priced_count,"
            " content_hash, detection_version)"
            " SELECT date_trunc('hour', event_time, 'UTC'), 0, count(*), sum(step_count), 0, 0, 'x', %s"
            " FROM workflow_history GROUP BY 1",
            (policy.detection_version,),
        )
    return ids


def occurrences(warehouse: Warehouse) -> dict[tuple[str, str], dict[str, object]]:
    """Every occurrence by (signature, run)."""
    with warehouse.engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT p.pattern_signature, o.* FROM pattern_occurrences o JOIN operation_patterns p USING (pattern_id)"
        ).mappings()
        return {(row["pattern_signature"], row["workflow_id"]): dict(row) for row in rows}


def money(text: str) -> Decimal:
    return Decimal(text)
