"""Our assets and jobs without what starts them by itself: for tests that count runs."""

import dagster as dg

from pattern_pipeline.definitions import build_defs


def without_automation(ours: dg.Definitions) -> dg.Definitions:
    return dg.Definitions(assets=ours.assets, jobs=ours.jobs, resources=ours.resources, executor=ours.executor)


defs = without_automation(build_defs())
