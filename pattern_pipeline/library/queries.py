"""Reading templates: by id, by words, by tags and scores, by what they are related to, and the best of them.

Each function performs one operation inside the caller's transaction.
"""

from __future__ import annotations

import re
from typing import Final

from rapidfuzz import fuzz, utils

from pattern_pipeline.library.contracts import Filter, GetById, GetByType, GetRelated, GetTop, Search
from pattern_pipeline.library.outcomes import Outcome, listed, no_template, plain
from pattern_pipeline.warehouse.database import Transaction

CANDIDATES: Final = 100
"""Templates with the words that are ranked by their names' likeness to the query, if no more are asked for."""
MOST_CANDIDATES: Final = 2_000
_WORD: Final = re.compile(r"[^\W_]+")


def get_by_id(tx: Transaction, request: GetById, actor: str) -> Outcome:
    """The template.

    Raises:
        NotFound: No such template.
    """
    row = tx.one("library/template", pattern_id=request.pattern_id)
    if row is None:
        raise no_template(request.pattern_id)
    return Outcome(plain(row), 1, request.pattern_id)


def search(tx: Transaction, request: Search, actor: str) -> Outcome:
    """Templates with all words of the query, each with its `similarity` (0 to 100) of name and query."""
    # PostgreSQL's text search: all words, each as a prefix. A query without any word is in no template.
    words = " & ".join(f"{word}:*" for word in _WORD.findall(request.query.lower()))
    wanted = request.offset + request.limit
    if not words or wanted > MOST_CANDIDATES:
        return listed([])
    candidates = tx.rows(
        "library/search_templates",
        query=request.query.strip(),
        words=words,
        **request.model_dump(
            include={"language", "pattern_type", "category", "min_confidence_score", "min_success_rate"}
        ),
        limit=max(CANDIDATES, wanted),
    )
    ranked = sorted(
        ((_likeness(request.query, row["pattern_name"]), row["fit"], row["id"]) for row in candidates),
        key=lambda each: (-each[0], -each[1], each[2]),
    )[request.offset : wanted]
    found = {row["id"]: row for row in tx.rows("library/templates", ids=[id_ for _, _, id_ in ranked])}
    return listed({**found[id_], "similarity": likeness, "fit": fit} for likeness, fit, id_ in ranked if id_ in found)


def _likeness(query: str, name: str) -> float:
    return round(fuzz.WRatio(query, name, processor=utils.default_process), 2)


def filter_templates(tx: Transaction, request: Filter, actor: str) -> Outcome:
    """Templates that have the tags and the minimums, best first."""
    wanted = request.model_dump(exclude={"operation", "correlation_id", "tags"})
    return listed(tx.rows("library/filter_templates", **wanted, tags=list(request.tags) or None))


def get_related(tx: Transaction, request: GetRelated, actor: str) -> Outcome:
    """Relationships of a template, as it sees them.

    Raises:
        NotFound: No such template.
    """
    rows = tx.rows("library/related", **request.model_dump(exclude={"operation", "correlation_id"}))
    if not rows and tx.one("library/template", pattern_id=request.pattern_id) is None:
        raise no_template(request.pattern_id)
    found = listed(rows)
    return Outcome(found.data, found.count, request.pattern_id)


def get_top(tx: Transaction, request: GetTop | GetByType, actor: str) -> Outcome:
    """The best templates, of one type if asked for."""
    pattern_type = request.pattern_type if isinstance(request, GetByType) else None
    page = {"language": request.language, "limit": request.limit, "offset": request.offset}
    return listed(tx.rows("library/top", pattern_type=pattern_type, **page))
