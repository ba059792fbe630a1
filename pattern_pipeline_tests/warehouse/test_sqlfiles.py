"""Statement files: what is a parameter and what only looks like one."""

from __future__ import annotations

import pytest

from pattern_pipeline.warehouse.sqlfiles import Statement, parse, sql_root, statement, statements


def only(text: str) -> Statement:
    (found,) = parse(text)
    return found


def test_parameters_get_each_drivers_spelling_and_a_repeated_name_its_number() -> None:
    found = only("SELECT * FROM t WHERE a >= :low AND b < :high AND c = :low")
    assert found.names == ("low", "high")
    assert found.numbered == "SELECT * FROM t WHERE a >= $1 AND b < $2 AND c = $1"
    assert found.named == "SELECT * FROM t WHERE a >= %(low)s AND b < %(high)s AND c = %(low)s"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a::text, b::numeric(24, 12) FROM t",
        "SELECT 'at 12:30, :no, it''s :not' FROM t",
        'SELECT "col:umn" FROM t',
        "SELECT 1 -- not :this",
        "SELECT 1 /* nor :this /* nor :that */ ; nor :these */",
        "SELECT $$ :none ; $$, $tag$ :none $$ ; $tag$",
        "SELECT a[1:n], a[i:n] FROM t",
        "SELECT make_interval(days := 3)",
    ],
)
def test_what_only_looks_like_a_parameter_is_left_alone(text: str) -> None:
    found = only(text)
    assert found.names == ()
    assert found.numbered == text


def test_a_cast_of_a_parameter_is_both() -> None:
    assert only("SELECT :day::date, :list::text[]").numbered == "SELECT $1::date, $2::text[]"


def test_percent_signs_are_escaped_for_psycopg_alone() -> None:
    found = only("SELECT a % 2 FROM t WHERE b LIKE '50%' AND c = :c")
    assert found.named == "SELECT a %% 2 FROM t WHERE b LIKE '50%%' AND c = %(c)s"
    assert found.numbered == "SELECT a % 2 FROM t WHERE b LIKE '50%' AND c = $1"


def test_a_file_splits_at_top_level_semicolons_and_drops_empty_parts() -> None:
    found = list(parse("SELECT ';';;\n-- last; words\nDO $$ BEGIN; END $$; -- done\n/* end; */"))
    assert [each.numbered for each in found] == ["SELECT ';'", "-- last; words\nDO $$ BEGIN; END $$"]


def test_a_missing_file_is_named() -> None:
    with pytest.raises(LookupError, match="warehouse/no_such_statement"):
        statement("warehouse/no_such_statement")


def test_every_statement_of_the_package_can_be_read() -> None:
    names = [path.relative_to(sql_root() / "statements") for path in (sql_root() / "statements").rglob("*.sql")]
    assert names
    for name in names:
        assert statements(str(name.with_suffix("")))
