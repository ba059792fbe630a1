"""What the slots of a mined template were filled with, read anew from the latest runs of its pattern.

Nothing here is stored: history may be forgotten, and a template then keeps its slots without values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.slots import slot_evidence
from pattern_pipeline.detection.step_detector import StepDetector
from pattern_pipeline.library.fields import MINED
from pattern_pipeline.library.mining import RECENT_RUNS
from pattern_pipeline.warehouse.database import Warehouse

MOST_STEPS: Final = 2_000
SURE: Final = 5
"""Steps from which on a value that was always the same counts as given."""


class Filled(NamedTuple):
    """What was seen in a slot: how often, its most frequent values, how many there are, and where most come from."""

    occurrences: int
    distinct_values: int
    examples: list[str]
    provenance: str

    @property
    def constant(self) -> str | None:
        """The value, if there was never another."""
        return self.examples[0] if self.distinct_values == 1 and self.occurrences >= SURE else None


Observed: TypeAlias = Mapping[tuple[str, int], Filled]
"""By the line of a template and the number of the slot in it, from 0."""


def observed(warehouse: Warehouse, policy: Policy, template: Mapping[str, Any]) -> Observed:
    """The values of the slots of a template; none of one that was not mined, or of lines that people have changed.

    Args:
        warehouse: Where the runs are.
        policy: Reads the commands.
        template: A row of `v_templates`.
    """
    if template["source"] != MINED or policy.detection.steps is None:
        return {}
    detector = StepDetector(policy.detection.steps)
    lines = orjson.dumps(template["template_code"].splitlines()).decode()
    wanted = {"pattern_name": template["pattern_name"], "templates": lines, "runs": RECENT_RUNS, "steps": MOST_STEPS}
    with warehouse.bulk() as tx:
        steps = tx.frame("library/template_steps", **wanted)
        if steps.is_empty():
            return {}
        tx.run("patterns/stage_workflows")
        tx.load("stage_workflows", steps.select("workflow_id").unique(), temporary=True)
        tasks, outputs = tx.frame("patterns/task_texts"), tx.frame("patterns/step_outputs")
    found = slot_evidence(detector.slot_values(steps), tasks, outputs).select("template", "slot", *Filled._fields)
    return {(template, slot): Filled(*values) for template, slot, *values in found.rows()}
