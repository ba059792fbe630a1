"""The ROI summary as one HTML file that needs nothing else: no script, no network, charts as inline SVG."""

from __future__ import annotations

from html import escape

from pattern_pipeline.cli.show import VERDICTS, usd
from pattern_pipeline.economics.words import chance
from pattern_pipeline.roi.charts import estimates_chart, reality_chart, tornado_chart
from pattern_pipeline.roi.portfolio import Portfolio, Ranked

CSS = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "svg{max-width:100%;height:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "caption{text-align:left;font-weight:600}th,td{padding:.3rem .5rem;border-bottom:1px solid #8886;text-align:left}"
    ".n{text-align:right;white-space:nowrap}.scroll{overflow-x:auto}"
)


def page(found: Portfolio) -> str:
    """The whole page."""
    tornadoes = "".join(f"<figure>{tornado_chart(each)}</figure>" for each in found.tornadoes)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>What automating is worth</title><style>{CSS}</style></head><body><main>"
        f"<h1>What automating is worth</h1><p><strong>{escape(found.in_words)}</strong></p>"
        + ("" if found.state == "current" else f"<p>These figures are not final: {escape(found.state)}.</p>")
        + f"<h2>Ranked</h2><figure>{estimates_chart(found.estimates)}</figure>{_table(found)}"
        + (f"<h2>What moves the best</h2>{tornadoes}" if tornadoes else "")
        + f"<h2>Estimate against reality</h2>{_realised(found)}"
        + f"<figure>{reality_chart(found.realised.validations)}</figure></main></body></html>\n"
    )


def _table(found: Portfolio) -> str:
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in (
            "Pattern",
            "Runs",
            "Net a month, P10 to P90",
            "Chance of a loss",
            "Naive claim",
            "Verdict",
            "Remarks",
        )
    )
    body = "".join(_row(row) for row in found.estimates)
    return (
        f'<div class="scroll"><table><caption>Current estimates; overlapping patterns do not add up</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Ranked) -> str:
    known = row.model_dump(mode="json")
    net = "-" if row.net_p10 is None else f"{usd(known['net_p10'])} to {usd(known['net_p90'])}"
    loss = "-" if row.probability_of_loss is None else chance(float(row.probability_of_loss))
    remarks = ", ".join(flag.replace("_", " ") for flag in row.flags)
    return (
        f'<tr><th scope="row">{escape(row.pattern_signature)}</th><td class="n">{row.occurrences:,}</td>'
        f'<td class="n">{net}</td><td class="n">{loss}</td><td class="n">{usd(known["naive_monthly_savings"])}</td>'
        f"<td>{VERDICTS[row.verdict][0]}</td><td>{escape(remarks)}</td></tr>"
    )


def _realised(found: Portfolio) -> str:
    realised = found.realised
    if not realised.total_executions:
        return "<p>No automation has reported an execution yet.</p>"
    said = f"{realised.successful_executions:,} of {realised.total_executions:,} executions succeeded."
    if realised.realisation is not None:
        r = realised.realisation
        said += f" Realised: {r.ratio:.0%} of what was estimated (95 %: {r.low:.0%} to {r.high:.0%})."
    return f"<p>{said}</p>"
