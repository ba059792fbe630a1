"""Column lineage of the published tables, as `lineage.toml` states it."""

import tomllib
from functools import cache
from pathlib import Path

import dagster as dg


@cache
def _stated() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_name("lineage.toml").read_text())


def column_lineage(asset: str) -> dg.TableColumnLineage | None:
    """Of an asset's table; None when it is stated nowhere."""
    if asset not in _stated():
        return None
    return dg.TableColumnLineage({column: list(map(_source, sources)) for column, sources in _stated()[asset].items()})


def _source(name: str) -> dg.TableColumnDep:
    asset, column = name.split(".")
    return dg.TableColumnDep(asset_key=dg.AssetKey(asset), column_name=column)
