"""Charts are well-formed, show every row where it belongs, and let no text of a user's become markup."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pattern_pipeline.economics.charts import estimate_against_reality, ranked_intervals, tornado

SVG = "{http://www.w3.org/2000/svg}"


def interval(label: str, low: float | None, middle: float | None, high: float | None) -> dict[str, Any]:
    return {"label": label, "low": low, "middle": middle, "high": high}


def spans(svg: str) -> list[tuple[float, float]]:
    return [
        (float(e.attrib["x1"]), float(e.attrib["x2"])) for e in ET.fromstring(svg).findall(f"{SVG}line[@class='r']")
    ]


def test_intervals_keep_their_order_and_their_proportions() -> None:
    svg = ranked_intervals(
        [interval("a", 0, 50, 100), interval("b", -100, 0, 100), interval("unknown", None, None, None)]
    )
    (a_low, a_high), (b_low, b_high) = spans(svg)
    assert b_low < a_low < a_high == b_high
    assert (b_high - b_low) == pytest.approx(2 * (a_high - a_low), abs=0.3)
    (zero,) = ET.fromstring(svg).findall(f"{SVG}line[@class='z']")
    assert float(zero.attrib["x1"]) == a_low


def test_a_chart_can_be_read_without_being_seen() -> None:
    root = ET.fromstring(ranked_intervals([interval("a", 1, 2, 3)], "Worth"))
    assert (root.attrib["role"], root.findtext(f"{SVG}title")) == ("img", "Worth")
    assert root.findtext(f"{SVG}desc") == "a: $1.00 to $3.00, middle $2.00"


def test_markup_in_a_name_stays_text() -> None:
    svg = ranked_intervals([interval("<script>alert('x')</script> & more", 1, 2, 3)], "<b>")
    assert "<script" not in svg
    assert "<b>" not in svg
    assert ET.fromstring(svg).findtext(f"{SVG}title") == "<b>"


def test_a_tornado_tells_costs_from_gains() -> None:
    rows = [
        {"input": "coverage", "low": 0.5, "high": 1, "npv_low": -10, "npv_high": 90},
        {"input": "build_cost", "low": 50, "high": 90, "npv_low": 40, "npv_high": 0},
    ]
    bars = ET.fromstring(tornado(rows, "x")).findall(f"{SVG}rect")
    assert [bar.attrib["class"] for bar in bars] == ["h", "l"]
    assert float(bars[0].attrib["width"]) == pytest.approx(2.5 * float(bars[1].attrib["width"]), abs=0.5)


def test_reality_is_drawn_around_its_mean_beside_the_estimate() -> None:
    row = {
        "label": "a",
        "validation": "refuted",
        "estimated": 2.0,
        "realised_mean": 0.5,
        "difference_low": -1.75,
        "difference_high": -1.25,
    }
    svg = estimate_against_reality([row, row | {"difference_low": None, "difference_high": None}])
    (low, high), (same, again) = spans(svg)
    mean = float(ET.fromstring(svg).findall(f"{SVG}circle")[0].attrib["cx"])
    assert low < mean < high
    assert same == again == mean
    estimate = float(ET.fromstring(svg).findall(f"{SVG}line[@class='e']")[0].attrib["x1"])
    assert high < estimate


def test_a_chart_of_nothing_says_so() -> None:
    assert "Nothing to show yet." in ranked_intervals([])
    assert "Nothing to show yet." in ranked_intervals([interval("a", None, None, None)])
