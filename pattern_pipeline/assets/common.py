"""What every asset shares: its decorator, the window of a run, and the metadata of a table.

No asset is defined here.
"""

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from pattern_pipeline import checks
from pattern_pipeline.automation import Condition, after_the_hours_of_a_day
from pattern_pipeline.partitions import DAILY, HOURLY, day_key, hour_key
from pattern_pipeline.patterns.windows import Committed, Window
from pattern_pipeline.warehouse.database import DRIVER_ERRORS, Warehouse

# Beta since 1.5 and the documented way to run a range at once; the warning would greet every user four times.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)

# An hour is late when its run did not come; the daily catalogue has a day more than its schedule.
EVERY_HOUR = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=6), warn_window=timedelta(hours=2))
EVERY_DAY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=50), warn_window=timedelta(hours=26))

RETRIES = 2
RETRY_SECONDS = 5

AssetFunction = Callable[..., dg.MaterializeResult[None]]
AssetDecorator = Callable[[AssetFunction], dg.AssetsDefinition]


def table_asset(
    group: str,
    description: str,
    deps: Sequence[dg.AssetsDefinition] = (),
    automation: Condition | None = None,
    freshness: dg.FreshnessPolicy = EVERY_HOUR,
) -> AssetDecorator:
    """An asset that publishes a table as a whole; it returns the results of its checks with its metadata."""
    return _asset(group, description, deps, automation=automation, freshness=freshness)


def hourly_asset(group: str, description: str, deps: Sequence[dg.AssetsDefinition]) -> AssetDecorator:
    """An asset that publishes a table hour by hour; any range of hours is one run."""
    return _asset(group, description, deps, HOURLY, dg.BackfillPolicy.single_run())


def daily_asset(group: str, description: str, deps: Sequence[dg.AssetsDefinition]) -> AssetDecorator:
    """An asset that publishes a table day by day, each once its 24 hours are there; any range of days is one run."""
    return _asset(
        group, description, deps, DAILY, dg.BackfillPolicy.single_run(), after_the_hours_of_a_day(), EVERY_DAY
    )


def _asset(
    group: str,
    description: str,
    deps: Sequence[dg.AssetsDefinition],
    partitions: dg.PartitionsDefinition | None = None,
    backfill: dg.BackfillPolicy | None = None,
    automation: Condition | None = None,
    freshness: dg.FreshnessPolicy = EVERY_HOUR,
) -> AssetDecorator:
    def decorate(function: AssetFunction) -> dg.AssetsDefinition:
        step = _tried_again(function)
        # With checks there are several outputs, and Dagster knows the result type only without its parameter.
        step.__annotations__["return"] = dg.MaterializeResult
        return dg.asset(
            group_name=group,
            description=description,
            deps=deps,
            partitions_def=partitions,
            backfill_policy=backfill,
            automation_condition=automation,
            freshness_policy=freshness,
            tags={"layer": group},
            check_specs=checks.specs(function.__name__),
            kinds={"python", "postgres"},
            owners=["team:automation"],
            pool="warehouse",
        )(step)

    return decorate


def _tried_again(function: AssetFunction) -> AssetFunction:
    """Has the step run again when the database went away: what it had not committed is gone, the rest is replaced.

    Not a retry policy, which would try again what is wrong with the sources or the policy too.
    """

    @functools.wraps(function)
    def attempt(*args: Any, **kwargs: Any) -> dg.MaterializeResult[None]:
        try:
            return function(*args, **kwargs)
        except DRIVER_ERRORS as error:
            raise dg.RetryRequested(RETRIES, RETRY_SECONDS) from error

    return attempt


def window_of(context: dg.AssetExecutionContext) -> Window:
    """The hours that this run was asked for, one or many."""
    asked = context.partition_time_window
    return Window(asked.start, asked.end)


class Committing:
    """Notes the parts of a range as they are committed; when the step fails, records them as materialised.

    Dagster itself counts a range as done only when all of it is. With this, the hours that are in the table show as
    such after a failure, and "failed and missing" redoes the others. On success nothing is recorded twice.
    """

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._context = context
        self._committed: list[Window] = []

    def __enter__(self) -> Committed:
        return self._committed.append

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            return
        for window in self._committed:
            for hour in window.hours():
                self._context.log_event(dg.AssetMaterialization(self._context.asset_key, partition=hour_key(hour)))


def table_metadata(warehouse: Warehouse, table: str) -> dict[str, Any]:
    """Row count and column schema of a table, as Dagster shows them."""
    with warehouse.transaction() as tx:
        columns = tx.rows("catalog/columns", table=table)
        rows = tx.scalar("catalog/estimated_rows", table=table)
    schema = dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=c["column_name"],
                type=c["data_type"],
                constraints=dg.TableColumnConstraints(nullable=c["nullable"]),
            )
            for c in columns
        ]
    )
    return {"dagster/column_schema": schema, "estimated rows": rows}


def add_to_newest(context: dg.AssetExecutionContext, metadata: Mapping[str, Any]) -> None:
    """Attach what is about a whole run to its newest partition: a result's metadata would be stored with every hour."""
    context.add_asset_metadata(metadata, partition_key=context.partition_key_range.end)


def add_row_counts(context: dg.AssetExecutionContext, warehouse: Warehouse, statement: str, window: Window) -> None:
    """Attach to each hour of the window how many rows it has, as the statement counts them."""
    with warehouse.transaction() as tx:
        counted = tx.rows(statement, **window.params)
    add_hour_metadata(context, {row["hour"]: {"dagster/partition_row_count": row["rows"]} for row in counted})


def add_hour_metadata(context: dg.AssetExecutionContext, hours: Mapping[datetime, Mapping[str, Any]]) -> None:
    """Attach metadata to the partitions of single hours, each named by its start."""
    for hour, metadata in hours.items():
        context.add_asset_metadata(metadata, partition_key=hour_key(hour))


def add_day_metadata(context: dg.AssetExecutionContext, days: Mapping[datetime, Mapping[str, Any]]) -> None:
    """Attach metadata to the partitions of single days, each named by its start."""
    for day, metadata in days.items():
        context.add_asset_metadata(metadata, partition_key=day_key(day))


def small_table(rows: list[dict[str, Any]]) -> dg.TableMetadataValue:
    """A short table for the UI; values become text."""
    return dg.MetadataValue.table(
        records=[dg.TableRecord({k: "" if v is None else str(v) for k, v in row.items()}) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in (rows[0] if rows else ("nothing",))]),
    )
