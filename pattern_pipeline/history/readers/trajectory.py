"""What the formats of trajectories come down to, and what they have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pattern_pipeline.history.readers.loose import at, text_of

# Longer than what is kept, so that a secret is whole when it is looked for.
TEXT_LENGTH: Final = 8_000
_PLACEHOLDER: Final = re.compile(r"\{\{?\s*(?:task|problem_statement)\s*\}?\}")
_TAG: Final = re.compile(r"\{[{%].*?[%}]\}|\{[a-z_]+\}", re.DOTALL)
# What the agents' own templates put around a task, for runs whose template is not recorded.
_AROUND: Final = (
    ("<pr_description>\nConsider the following PR description:\n", "</pr_description>"),
    ("<pr_description>\n", "</pr_description>"),
    ("ISSUE:\n", "\n\nINSTRUCTIONS:"),
    ("Please solve this issue: ", "\n\nYou can execute bash commands"),
    ("Your task: ", ". Please reply with a single shell command"),
)


@dataclass
class Trajectory:
    """A run as its file tells it.

    Attributes:
        info: The document's object of that name: outcome and totals.
        record: Canonical run fields that the format knows by its own ways.
        steps: Step records under canonical names.
        instance: Id of the task.
        opening: What the run began with and no other run has; values that are not known are None.
        times: Every time that is told, in any form.
        skipped: Entries of a kind that is not known.
    """

    info: Mapping[str, Any]
    record: dict[str, Any]
    steps: Sequence[dict[str, Any]]
    instance: str | None
    opening: Sequence[Any]
    times: Sequence[Any] = ()
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def cost(self) -> Any:
        """What the agent says that it paid. Agents write zero for models whose prices they do not know."""
        cost = at(self.info, "model_stats", "instance_cost")
        return None if cost == 0 else cost

    @property
    def submission(self) -> str | None:
        """What the agent handed in."""
        given = text_of(at(self.info, "submission"))
        return given and given[:TEXT_LENGTH]


def task_in(message: str, template: str | None) -> str:
    """The task in the message by which it was given to the model.

    Args:
        message: The message.
        template: Of which it was made; the text before and after the task's place tells where the task stands.
    """
    if template and (place := _PLACEHOLDER.search(template)):
        before = _TAG.split(template[: place.start()])[-1]
        after = _TAG.split(template[place.end() :])[0]
        found = _between(message, before, after)
        if found is not None:
            return found
    for before, after in _AROUND:
        found = _between(message, before, after)
        if found is not None:
            return found
    return message.strip()


def _between(message: str, before: str, after: str) -> str | None:
    """The text between two others, of which the second may end the message."""
    start = message.find(before)
    if start < 0:
        return None
    start += len(before)
    stripped = after.rstrip()
    end = message.find(stripped, start) if stripped else len(message)
    return None if end < 0 else message[start:end].strip()
