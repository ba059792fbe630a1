"""What follows from the state of parents, tick by tick, on hours, days and tables as a whole."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from pattern_pipeline.automation import after_its_parents, after_the_hours_of_a_day
from pattern_pipeline.definitions import build_defs
from pattern_pipeline.partitions import SPINE, hour_key
from pattern_pipeline.patterns.windows import HOUR, floor_hour

TAIL = {
    "pattern_statistics",
    "roi_estimates",
    "roi_validation",
    "approval_queue",
    "pattern_templates",
    "pattern_relationships",
}
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
HOURLY = dg.HourlyPartitionsDefinition("2026-01-01-00:00", timezone="UTC")
DAILY = dg.DailyPartitionsDefinition("2026-01-01", timezone="UTC")


@dg.asset(partitions_def=HOURLY, backfill_policy=dg.BackfillPolicy.single_run())
def hours() -> None:
    """The spine."""


@dg.asset(partitions_def=DAILY, deps=[hours], automation_condition=after_the_hours_of_a_day())
def days() -> None:
    """A daily table."""


@dg.asset(deps=[hours], automation_condition=after_its_parents())
def statistics() -> None:
    """The head of the tail."""


@dg.asset(deps=[statistics, days], automation_condition=after_its_parents())
def queue() -> None:
    """The end of the tail."""


DEFS = dg.Definitions([hours, days, statistics, queue])


class Automation:
    """Evaluates the conditions tick by tick at one time of day."""

    def __init__(self, defs: dg.Definitions, instance: dg.DagsterInstance, now: datetime) -> None:
        self.defs, self.instance, self.now = defs, instance, now
        self.result = self._evaluate(None)

    def _evaluate(self, cursor: object) -> dg.EvaluateAutomationConditionsResult:
        return dg.evaluate_automation_conditions(
            self.defs, self.instance, evaluation_time=self.now, cursor=cursor  # type: ignore[arg-type]
        )  # fmt: skip

    def tick(self) -> dict[str, set[str | None]]:
        """What is requested: assets with their partitions."""
        self.result = self._evaluate(self.result.cursor)
        keys = self.defs.resolve_asset_graph().get_all_asset_keys()
        found = {key.to_user_string(): self.result.get_requested_partitions(key) for key in keys}
        return {name: partitions for name, partitions in found.items() if partitions}

    def compute_hours(self, asset: str, moments: Sequence[datetime]) -> None:
        for each in moments:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=hour_key(each)))


@pytest.fixture
def automation(dagster_instance: dg.DagsterInstance) -> Automation:
    return Automation(DEFS, dagster_instance, NOON)


def day(ago: int) -> list[datetime]:
    midnight = NOON.replace(hour=0) - timedelta(days=ago)
    return [midnight + number * HOUR for number in range(24)]


def name(ago: int) -> str:
    return f"{day(ago)[0]:%Y-%m-%d}"


def test_the_tail_follows_one_hour_although_history_is_missing(dagster_instance: dg.DagsterInstance) -> None:
    now = datetime.now(UTC)
    automation = Automation(build_defs(), dagster_instance, now)
    assert automation.tick() == {}
    automation.compute_hours(SPINE[-1], [floor_hour(now) - 50 * HOUR])
    assert automation.tick() == {asset: {None} for asset in TAIL}
    assert automation.tick() == {}


def test_a_run_that_computed_the_tail_too_is_followed_by_nothing(automation: Automation) -> None:
    chain = [hours, statistics, queue]
    automation.compute_hours("hours", day(3)[:5])
    assert automation.tick().keys() == {"statistics", "queue"}
    dg.materialize(chain, partition_key=hour_key(day(2)[0]), instance=automation.instance)
    assert automation.tick() == {}
    dg.materialize([hours], partition_key=hour_key(day(2)[1]), instance=automation.instance)
    assert automation.tick().keys() == {"statistics", "queue"}


def test_several_runs_in_a_row_are_followed_by_one(automation: Automation) -> None:
    job = DEFS.resolve_implicit_global_asset_job_def()
    running = automation.instance.create_run_for_job(
        job,
        asset_selection=frozenset({hours.key}),
        tags={"dagster/partition": hour_key(day(2)[7])},
        status=dg.DagsterRunStatus.STARTED,
    )
    automation.compute_hours("hours", day(2)[:2])
    assert automation.tick() == {}
    automation.instance.report_run_canceled(running)
    assert automation.tick().keys() == {"statistics", "queue"}


def test_a_day_follows_when_its_last_hour_is_there(automation: Automation) -> None:
    automation.compute_hours("hours", day(1)[:23])
    assert "days" not in automation.tick()
    automation.compute_hours("hours", day(1)[23:])
    assert automation.tick()["days"] == {name(1)}
    assert "days" not in automation.tick()


def test_late_data_refreshes_its_day_up_to_ninety_days_back(automation: Automation) -> None:
    late = (2, 60, 89, 95)
    automation.compute_hours("hours", [hour for ago in late for hour in day(ago)])
    assert automation.tick()["days"] == {name(2), name(60), name(89)}
    automation.compute_hours("hours", [day(60)[5], day(95)[5]])
    assert automation.tick()["days"] == {name(60)}


def test_the_day_that_is_not_over_is_not_asked_for(automation: Automation) -> None:
    automation.compute_hours("hours", day(0)[:12])
    assert "days" not in automation.tick()
