"""The readable detector: one run at a time, exactly as the rules are written.

It is the oracle that the vectorised kernel is tested against, and what single runs are detected with. Nothing here is
tuned for a million rows.
"""

from __future__ import annotations

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.rules import Match, Rulebook
from pattern_pipeline.detection.runs import Run
from pattern_pipeline.detection.text_policy import TEXT_FIELDS, TEXT_NAMES
from pattern_pipeline.detection.texts import TextReader


class Evaluator:
    """Detects the signatures of the texts of single runs."""

    def __init__(self, policy: Policy) -> None:
        self._rulebook = Rulebook(policy.detection)
        self._readers = {name: TextReader(name, policy.detection) for name in TEXT_NAMES}

    def detect(self, run: Run) -> list[Match]:
        """Matches in output order: task, errors in rule order, template; no signature twice."""
        readings = {name: reader.read(getattr(run, TEXT_FIELDS[name])) for name, reader in self._readers.items()}
        return self._rulebook.matches(readings)
