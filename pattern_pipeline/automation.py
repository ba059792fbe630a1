"""Automation conditions: when an asset is computed because of the state of its parents.

The hourly chain is the schedule's and computes the tail itself; these conditions follow whatever else computes hours:
sensors, backfills, runs by hand. `AutomationCondition.eager()` is no use here. Below partitioned history it waits for
every hour that there ever was, so that one hour that was never computed stops the queue for good; it requests
partitions whose parents are yet to come; and of days it looks at the newest only, so that late hours of older days are
lost.
"""

from datetime import timedelta
from typing import Final, TypeAlias

import dagster as dg

DAYS_REFRESHED: Final = timedelta(days=90)

Condition: TypeAlias = dg.AutomationCondition[dg.AssetKey | dg.AssetCheckKey]


def after_its_parents() -> Condition:
    """For a table as a whole: a parent changed in a run that did not compute the table too, and no parent is running.

    Several runs in a row are followed by one: while the next one is queued or running, the condition waits.
    """
    return (
        _news() & ~dg.AutomationCondition.any_deps_in_progress() & ~dg.AutomationCondition.in_progress()
    ).with_label("after its parents")


def after_the_hours_of_a_day() -> Condition:
    """For a day: all of its hours are there, and one of them changed since the day was computed; 90 days back."""
    return (
        dg.AutomationCondition.in_latest_time_window(lookback_delta=DAYS_REFRESHED)
        & _news()
        & ~dg.AutomationCondition.any_deps_missing()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
    ).with_label("after the hours of a day")


def _news() -> Condition:
    """A parent changed since the asset was computed, or was requested because of an earlier change.

    Unlike in `since_last_handled()`, what changes between a request and the next tick stays news: the run that was
    requested may have read its parents before.
    """
    changed = dg.AutomationCondition.any_deps_updated()
    requested_before = dg.AutomationCondition.newly_requested() & ~changed
    computed = dg.AutomationCondition.newly_updated() | dg.AutomationCondition.initial_evaluation()
    return changed.since(requested_before | computed)
