"""Tables that stay readable at any width: what does not fit is left out, column by column, and never folded to bits.

How a table looks belongs here; what is in it belongs to the commands.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

NARROWEST_TEXT = 24


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its heading.
        justify: `right` for figures.
        rank: Columns of a higher rank are left out first; rank 0 stays and is folded when there is no other way.
    """

    name: str
    justify: Literal["left", "right"] = "left"
    rank: int = 0


class FittedTable:
    """A table with as many of its columns as the terminal has room for."""

    def __init__(self, title: str, columns: Sequence[Column], rows: Iterable[Sequence[str | Text]]) -> None:
        self.title = title
        self.columns = tuple(columns)
        self.rows = [tuple(row) for row in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        chosen = list(range(len(self.columns)))
        while not self._fits(chosen, console, options) and any(self.columns[each].rank for each in chosen):
            chosen.remove(max(chosen, key=lambda each: self.columns[each].rank))
        yield self._table(chosen)
        left_out = [column.name for index, column in enumerate(self.columns) if index not in chosen]
        if left_out:
            yield Text(f"On a wider terminal, or with --json: {', '.join(left_out)}.", style="dim")

    def _fits(self, chosen: Sequence[int], console: Console, options: ConsoleOptions) -> bool:
        """Whether every cell stands on one line; text of rank 0 may be folded down to `NARROWEST_TEXT`."""
        table = self._table(chosen)
        for column in table.columns:
            if not column.no_wrap:
                column.max_width = NARROWEST_TEXT
        unlimited = options.update(width=10_000)
        return Measurement.get(console, unlimited, table).maximum <= options.max_width

    def _table(self, chosen: Sequence[int]) -> Table:
        table = Table(title=self.title, title_justify="left")
        for index in chosen:
            column = self.columns[index]
            is_text = column.rank == 0 and column.justify == "left"
            table.add_column(column.name, justify=column.justify, no_wrap=not is_text, overflow="fold")
        for row in self.rows:
            table.add_row(*(row[index] for index in chosen))
        return table
