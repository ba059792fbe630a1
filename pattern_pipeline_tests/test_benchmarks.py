"""What is made of measurements: the gate against regressions, and the table in the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import ALLOWANCE, BASELINE, BENCHMARKS, regressions
from benchmarks.report import BEGIN, END, Benchmarked, Report, into_document, markdown
from benchmarks.results import Result


def report_of(*results: Result, failed: bool = False) -> Report:
    benchmark = Benchmarked(module="bca", arguments=("500",), seconds=61, failed=failed, results=results)
    return Report(machine={"cores": 2}, size="gate", benchmarks=(benchmark,))


def ratio(value: float, name: str = "chain", *, more_is_better: bool = False, gated: bool = True) -> Result:
    return Result(name=name, values=(value,), reference="bare COPY", goal=3, more_is_better=more_is_better, gated=gated)


def test_a_ratio_that_became_several_times_as_bad_is_a_regression() -> None:
    before = report_of(ratio(2.0))
    assert regressions(report_of(ratio(2.0 * ALLOWANCE)), before) == []
    assert regressions(report_of(ratio(2.1 * ALLOWANCE)), before) == ["chain: 6.3, was 2"]
    assert regressions(report_of(ratio(0.1)), before) == []


def test_of_a_ratio_of_which_more_is_better_less_is_a_regression() -> None:
    before = report_of(ratio(30.0, more_is_better=True))
    assert regressions(report_of(ratio(9.0, more_is_better=True)), before) == ["chain: 9, was 30"]
    assert regressions(report_of(ratio(300.0, more_is_better=True)), before) == []


def test_a_ratio_that_has_no_counterpart_is_told_instead_of_passed_over() -> None:
    found = regressions(report_of(ratio(2.0, "renamed")), report_of(ratio(2.0)))
    assert [words.partition(":")[0] for words in found] == ["chain", "renamed"]
    assert all(BASELINE.name in words for words in found)


def test_only_ratios_travel_between_machines() -> None:
    seconds = Result(name="seconds", values=(1.0,), unit="s", gated=True)
    assert report_of(seconds, ratio(2.0, gated=False)).gated() == {}


def test_the_baseline_covers_what_the_gate_runs() -> None:
    baseline = Report.load(BASELINE)
    assert baseline.size == "gate"
    assert {(each.module, each.arguments) for each in baseline.benchmarks} == {
        (each.module, each.gate) for each in BENCHMARKS if each.gate is not None
    }
    assert all(each.results for each in baseline.benchmarks)
    assert not any(each.failed for each in baseline.benchmarks)


@pytest.mark.parametrize("module", [each.module for each in BENCHMARKS])
def test_every_benchmark_says_what_it_measures(module: str) -> None:
    described = Benchmarked(module=module, arguments=(), seconds=0, failed=False, results=()).description
    assert len(described) > 40
    assert "`python -m" not in described.partition("\n")[0], "how it is called is told by its command"


def test_figures_go_between_the_marks_of_a_document_and_leave_the_rest(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    found = report_of(ratio(2.5), Result(name="peak | memory", values=(1.0, 3.0, 2.0), unit="MB", goal=1))
    for _ in range(2):
        into_document(found, document)
        text = document.read_text()
        assert text.startswith(f"before\n{BEGIN}\n")
        assert text.endswith(f"{END}\nafter\n")
        assert "old" not in text
        assert "| chain | bare COPY | 2.5 x |  | at most 3 | kept |" in text
        assert "| peak \\| memory |  | 2 MB | 1 to 3 | at most 1 | missed |" in text
        assert "1 of 2 goals kept" in text
        assert "`python -m benchmarks.bca 500`, 61 s" in text


def test_a_failed_benchmark_is_not_shown_as_a_success() -> None:
    assert "It failed" in markdown(report_of(failed=True))


def test_a_document_without_marks_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("nothing here\n")
    with pytest.raises(ValueError, match="figures: begin"):
        into_document(report_of(), document)
    assert document.read_text() == "nothing here\n"
