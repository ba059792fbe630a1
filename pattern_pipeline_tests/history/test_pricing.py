"""The price book: what tokens cost, by model and day; an unknown model has no price."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from pattern_pipeline.cli import prices as command
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.landing import land
from pattern_pipeline.history.list_prices import BUCKETS, list_price
from pattern_pipeline.history.pricing import UNCHARGED, PriceBook, Usage, load_prices, shipped_prices
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.files import default_policy
from pattern_pipeline_tests.history.reading import a_run, read, write_lines
from pattern_pipeline_tests.history.transcripts import Session, a_working_day, text, write_transcript
from pattern_pipeline_tests.tables import snapshot

OWN = """
version = "team"
[[prices]]
models = ["claude-unheard-of*", "claude-opus-4-5*"]
input = "1"
output = "2"
"""


def book(*entries: dict[str, object]) -> PriceBook:
    return PriceBook.model_validate({"version": "test", "prices": list(entries)})


@pytest.mark.parametrize(
    ("model", "rates"),
    [
        ("claude-opus-4-5-20251101", ("5", "25", "0.50", "6.25", "10")),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("3", "15", "0.30", "3.75", "6")),
        ("claude-opus-5-5", ("4", "20", "0.20", "5", "8")),
        ("claude-sonnet-5-5", ("2", "10", "0.20", "2.50", "4")),
        ("claude-opus-4-1-20250805", ("15", "75", "1.50", "18.75", "30")),
        ("Claude-Haiku-4-5-20251001", ("1", "5", "0.10", "1.25", "2")),
        ("openai/gpt-5-mini-2025-08-07", ("0.25", "2", "0.025", None, None)),
        ("gpt-5-codex-mini", ("0.25", "2", "0.025", None, None)),
        ("gemini-2.5-pro-preview-06-05", ("1.25", "10", "0.125", None, None)),
        ("gemini-2.5-flash-lite", ("0.10", "0.40", "0.01", None, None)),
        ("deepseek/deepseek-chat", ("0.28", "0.42", "0.028", None, None)),
    ],
)
def test_the_documented_list_prices_are_found(model: str, rates: tuple[str | None, ...]) -> None:
    price = shipped_prices().price(model)
    assert price is not None
    found = (price.input, price.output, price.cache_read, price.cache_write_5m, price.cache_write_1h)
    assert found == tuple(None if rate is None else Decimal(rate) for rate in rates)


@pytest.mark.parametrize(
    "model",
    ["claude-opus-99", "gpt-5.2-pro", "gemini-2.5-pro-preview-tts", "gemini-3-pro-image-preview", "llama", "", None],
)
def test_an_unknown_model_has_no_price(model: str | None) -> None:
    assert shipped_prices().cost(model, Usage(input=1)) is None


def test_every_bucket_has_its_own_rate() -> None:
    usage = Usage(input=1_000_000, output=100_000, cache_read=10_000, cache_write_5m=1_000, cache_write_1h=100)
    cost = shipped_prices().cost("claude-opus-4-5", usage)
    assert cost == Decimal("5") + Decimal("2.5") + Decimal("0.005") + Decimal("0.00625") + Decimal("0.001")


def test_a_rate_that_is_left_out_is_that_of_input() -> None:
    price = book({"models": ["m"], "input": "4", "output": "8"}).price("m")
    assert price is not None
    assert price.cost(Usage(cache_read=500_000, cache_write_5m=250_000, cache_write_1h=250_000)) == 4


def test_a_message_that_no_model_wrote_costs_nothing() -> None:
    assert shipped_prices().cost(UNCHARGED, Usage()) == 0


def test_the_closest_wildcard_and_the_price_of_the_day_count() -> None:
    prices = book(
        {"models": ["*"], "input": "9", "output": "9"},
        {"models": ["m-*"], "input": "1", "output": "1"},
        {"models": ["m-*"], "input": "2", "output": "2", "valid_from": date(2026, 1, 1)},
        {"models": ["m-large*"], "input": "3", "output": "3"},
    )

    def rate(model: str, day: date | None = None) -> int:
        price = prices.price(model, day)
        assert price is not None
        return int(price.input)

    assert [rate("m-small", date(2025, 12, 31)), rate("m-small", date(2026, 1, 1)), rate("m-small")] == [1, 2, 2]
    assert [rate("m-large-1"), rate("other")] == [3, 9]


def test_the_users_prices_go_before_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    own = load_prices(tmp_path / "own.toml")
    assert own.cost("claude-opus-4-5-20251101", Usage(output=1_000_000)) == 2
    assert own.cost("claude-unheard-of", Usage(output=1_000_000)) == 2
    assert own.cost("claude-haiku-4-5", Usage(output=1_000_000)) == 5
    assert shipped_prices().cost("claude-opus-4-5-20251101", Usage(output=1_000_000)) == 25
    assert own.version == f"{shipped_prices().version}+team"
    assert own.digest != shipped_prices().digest


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[[prices]", "no valid TOML"),
        ('[[prices]]\nmodels = ["m"]\ninput = "1"', r"prices\.0\.output"),
        ('[[prices]]\nmodels = ["m"]\ninput = "-1"\noutput = "1"', r"prices\.0\.input.*greater than or equal to 0"),
        ('[[prices]]\nmodels = ["m"]\ninput = "nan"\noutput = "1"', r"prices\.0\.input"),
        ('[[prices]]\nmodels = []\ninput = "1"\noutput = "1"', r"prices\.0\.models"),
        ("[[rates]]\nx = 1", "rates.*Allowed: version, and .*cache_write_1h"),
    ],
)
def test_a_wrong_price_book_is_refused_by_name(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "own.toml").write_text(content)
    with pytest.raises(InvalidInput, match=f"own.toml.*{told}"):
        load_prices(tmp_path / "own.toml")


def test_a_price_book_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"absent\.toml cannot be read"):
        load_prices(tmp_path / "absent.toml")


def test_a_changed_price_book_prices_the_history_anew(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write_transcript(tmp_path / "s1.jsonl", a_working_day().lines)
    book_of_mine = tmp_path / "own.toml"
    book_of_mine.write_text(OWN)

    def cost(settings: Settings) -> tuple[float, int]:
        report = land(warehouse, [str(path)], policy=default_policy(), settings=settings)
        rows = [json.loads(row) for row in snapshot(warehouse)["workflow_history"]]
        assert {row["cost_basis"] for row in rows} == {"priced"}
        return sum(row["estimated_cost_total"] for row in rows), report.unchanged

    shipped, _ = cost(Settings())
    own, unchanged = cost(Settings(prices=book_of_mine))
    assert (own < shipped, unchanged) == (True, 0)
    assert cost(Settings(prices=book_of_mine)) == (own, 1)
    assert cost(Settings()) == (shipped, 0)


def test_prices_check_lists_the_models_with_their_share(
    warehouse: Warehouse, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard = Session("s2", model="claude-unheard-of")
    unheard.prompt("go")
    unheard.call(text(), output=9_000)
    write_transcript(tmp_path / "p" / "s1.jsonl", a_working_day().lines)
    write_transcript(tmp_path / "p" / "s2.jsonl", unheard.lines)
    settings = Settings(database_url=SecretStr(database_url), home=tmp_path)
    land(warehouse, [str(tmp_path / "p")], policy=default_policy(), settings=settings)
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", database_url)
    result = CliRunner().invoke(command.app, ["check", "--json"], catch_exceptions=False)
    told = json.loads(result.stdout)
    assert [(each["model"], each["runs"], each["input_usd_per_million"]) for each in told["models"]] == [
        ("claude-unheard-of", 1, None),
        ("claude-opus-4-5-20251101", 3, 5),
    ]
    share = 10_103 / (10_103 + 8 * 1_103 + 10 * 6 + 40 + 20)
    assert told["unpriced_share"] == pytest.approx(share, abs=1e-6)
    assert told["models"][0]["cost_usd"] is None
    shown = CliRunner().invoke(command.app, ["check"], catch_exceptions=False).stdout
    assert "no price" in shown
    assert "PATTERN_PIPELINE_PRICES" in shown


def test_records_without_a_bill_have_the_list_price_of_their_tokens(tmp_path: Path) -> None:
    used = {"model": "claude-sonnet-4-5", "input_tokens": 1_000_000, "output_tokens": 100_000}
    cached = {"cached_input_tokens": 400_000}
    step = {"tool": "Bash", "command": "ls", "input_tokens": 500_000, "output_tokens": 0}
    records = [
        a_run(id="listed", **used),
        a_run(id="cached", **used, **cached),
        a_run(id="billed", **used, cost_usd="0.25"),
        a_run(id="unknown", **{**used, "model": "house-model"}),
        a_run(id="half", model="claude-sonnet-4-5", input_tokens=5, total_tokens=10),
        a_run(id="nothing", model="house-model", input_tokens=0, output_tokens=0),
        a_run(id="guessed", **{**used, "model": "house-model"}, estimated_cost="7"),
        a_run(id="steps", model="claude-sonnet-4-5", steps=[{**step, "request_id": "q"}, {**step, "request_id": "q"}]),
    ]
    reading = read(write_lines(tmp_path / "runs.jsonl", *records))
    columns = ("actual_cost_total", "estimated_cost_total", "cost_basis")
    found = {run["workflow_id"]: tuple(run[name] for name in columns) for run in reading.runs.iter_rows(named=True)}
    assert found == {
        "generic:listed": (None, Decimal("4.5"), "priced"),
        "generic:cached": (None, Decimal("3.42"), "priced"),
        "generic:billed": (Decimal("0.25"), None, "billed"),
        "generic:unknown": (None, None, "unpriced"),
        "generic:half": (None, None, "unpriced"),
        "generic:nothing": (None, None, "unpriced"),
        "generic:guessed": (None, Decimal(7), "unpriced"),
        "generic:steps": (None, Decimal("1.5"), "priced"),
    }
    assert reading.steps["cost_usd"].to_list() == [Decimal("0.75"), Decimal("0.75")], "one call issued both"


def test_columns_are_priced_as_single_calls_are() -> None:
    prices = book(
        {"models": ["m*"], "input": "3.123456", "output": "15", "cache_read": "0.3", "cache_write_5m": "3.75"},
        {"models": ["m*"], "input": "9", "output": "9", "valid_from": "2026-02-01"},
    )
    days = [date(2026, 1, 31), date(2026, 2, 1), None]
    models = ["m-1", "M-2", "x", UNCHARGED, None]
    amounts = [(1, 2, 3, 4), (7_000_001, 13, 0, 999_999_937)]
    rows = [
        (model, None if day is None else datetime.combine(day, time(5), UTC), *tokens)
        for model in models for day in days for tokens in amounts
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["model_used", "moment", *BUCKETS], orient="row")
    expected = [prices.cost(model, Usage(*tokens), moment and moment.date()) for model, moment, *tokens in rows]
    assert list_price(frame, prices).to_list() == expected
