"""One workflow with its steps, from a mapping of canonical fields to everything that detection says about it.

Only the joining of the layers belongs here: steps are read by `steps.py`, texts by `evaluator.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import orjson

from pattern_pipeline.detection.characteristics import Characteristics, Describer
from pattern_pipeline.detection.evaluator import Evaluator
from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.rules import Layer
from pattern_pipeline.detection.runs import read_run
from pattern_pipeline.detection.steps import StepMatch, step_signatures


@dataclass(frozen=True, slots=True)
class Evidence:
    """A signature and why it was given; `step` counts the workflow's steps from 0."""

    signature: str
    layer: Layer
    rule_id: str
    text: str
    step: int | None = None


@dataclass(frozen=True, slots=True)
class DetectedWorkflow:
    """What detection says about a workflow.

    Attributes:
        signatures: Without repeats; layers in the order step, task, error, template.
        matches: One per signature, of the first layer that gives it.
        step_signatures: Per step, the naming signature first.
        notes: Values that were not of their type, and what became of them.
    """

    signatures: list[str]
    matches: list[Evidence]
    step_signatures: list[list[str]]
    characteristics: Characteristics
    notes: list[str]

    def as_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        return asdict(self)


class WorkflowDetector:
    """Detects single workflows under one policy."""

    def __init__(self, policy: Policy) -> None:
        self._steps = policy.detection.steps
        self._evaluator = Evaluator(policy)
        self._describer = Describer(policy)

    def detect(self, workflow: Mapping[str, object]) -> DetectedWorkflow:
        """Everything about a workflow.

        Args:
            workflow: Canonical fields of a run, and `steps`, a list of `tool_name`, `command`, `cwd`, `tool_params`.
        """
        run, notes = read_run(workflow)
        by_step = [self._step_matches(step) for step in self._steps_of(workflow, notes)]
        evidence = [
            Evidence(match.signature, "step", match.rule_id, match.text, position)
            for position, matches in enumerate(by_step)
            for match in matches
        ]
        evidence += [
            Evidence(match.signature, match.layer, match.rule_id, match.text) for match in self._evaluator.detect(run)
        ]
        first: dict[str, Evidence] = {}
        for found in evidence:
            first.setdefault(found.signature, found)
        return DetectedWorkflow(
            signatures=list(first),
            matches=list(first.values()),
            step_signatures=[[match.signature for match in matches] for matches in by_step],
            characteristics=self._describer.describe(run),
            notes=notes,
        )

    def _steps_of(self, workflow: Mapping[str, object], notes: list[str]) -> list[Mapping[str, object]]:
        steps = workflow.get("steps")
        if steps is None:
            return []
        if not isinstance(steps, Sequence) or isinstance(steps, str):
            notes.append(f"steps: {type(steps).__name__} is no list, ignored")
            return []
        notes.extend(
            f"steps[{position}]: {type(step).__name__} is no object, read as a step without fields"
            for position, step in enumerate(steps)
            if not isinstance(step, Mapping)
        )
        return [step if isinstance(step, Mapping) else {} for step in steps]

    def _step_matches(self, step: Mapping[str, object]) -> list[StepMatch]:
        if self._steps is None:
            return []
        params = step.get("tool_params")
        command = step.get("command")
        if command is None and isinstance(params, Mapping):
            command = params.get("command")
        return step_signatures(
            _text(step.get("tool_name")), _text(command), _text(step.get("cwd")), _text(params), self._steps
        )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value, default=str).decode()
