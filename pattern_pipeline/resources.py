"""Resources: how assets, checks and sensors reach the warehouse and the policy.

Nothing is opened before a run needs it, and each process opens the warehouse once.
"""

from functools import cached_property

import dagster as dg
from pydantic import Field, PrivateAttr

from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.liveness import WATCHED, Lease
from pattern_pipeline.patterns.signatures import WindowDetector
from pattern_pipeline.settings import Settings, get_settings
from pattern_pipeline.warehouse.database import Warehouse

LOCKED_WITHIN_SECONDS = 10.0


class Pipeline(dg.ConfigurableResource[None]):
    """The warehouse and the policy of this installation."""

    policy_name: str = Field(default="", description="Policy name or file; empty: PATTERN_PIPELINE_POLICY.")

    _opened: Warehouse | None = PrivateAttr(default=None)
    _lease: Lease | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Show for as long as the run lasts that it has a process; sensors have no run."""
        if context.run is not None and context.instance is not None:
            self._lease = Lease(self.warehouse.libpq_url, context.run.run_id)
            if self._lease.wait(LOCKED_WITHIN_SECONDS):
                context.instance.add_run_tags(context.run.run_id, {WATCHED: "true"})

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the connections of a finished run."""
        if self._lease is not None:
            self._lease.end()
        self.close()

    def close(self) -> None:
        """Close the warehouse if this resource has opened it; it opens again when it is asked for."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse, with its server running and its schema current."""
        if self._opened is None:
            self._opened = Warehouse.open(self.settings)
        return self._opened

    @cached_property
    def settings(self) -> Settings:
        """The installation's settings, read from the environment."""
        return get_settings()

    @cached_property
    def policy(self) -> Policy:
        """The policy that this installation runs on."""
        return load_policy(self.policy_name or self.settings.policy)

    @cached_property
    def detector(self) -> WindowDetector:
        """The policy's detectors; building them takes longer than many an hour's work."""
        return WindowDetector(self.policy)
