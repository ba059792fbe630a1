"""URLs: every usual form means the same database to every driver, and secrets stay out of what is shown."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import URL

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.warehouse.urls import described, normalise, redacted, with_database, without_password

odd_text = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=20)


@pytest.mark.parametrize(
    "given_url",
    [
        "postgres://u:p@db.example:5433/work?sslmode=require",
        "postgresql://u:p@db.example:5433/work?sslmode=require",
        "postgresql+psycopg://u:p@db.example:5433/work?sslmode=require",
        "postgresql+psycopg2://u:p@db.example:5433/work?sslmode=require",
        "postgresql+asyncpg://u:p@db.example:5433/work?sslmode=require\n",
    ],
)
def test_every_form_of_a_url_names_the_wanted_driver(given_url: str) -> None:
    rest = "://u:p@db.example:5433/work?sslmode=require"
    assert normalise(given_url, "psycopg") == "postgresql+psycopg" + rest
    assert normalise(given_url, "psycopg2") == "postgresql+psycopg2" + rest
    assert normalise(given_url, "libpq") == "postgresql" + rest


@given(user=odd_text, password=odd_text, database=odd_text)
def test_odd_characters_reach_sqlalchemy_and_libpq_unchanged(user: str, password: str, database: str) -> None:
    written = URL.create("postgresql", user, password, "localhost", 5432, database).render_as_string(
        hide_password=False
    )

    for_sqlalchemy = sqlalchemy.make_url(normalise(written, "psycopg"))
    assert (for_sqlalchemy.username, for_sqlalchemy.password, for_sqlalchemy.database) == (user, password, database)
    for_libpq = conninfo_to_dict(normalise(written, "libpq"))
    assert (for_libpq["user"], for_libpq["password"], for_libpq["dbname"]) == (user, password, database)
    assert normalise(normalise(written, "psycopg2"), "libpq") == normalise(written, "libpq")


@pytest.mark.parametrize(
    "given_url",
    [
        "postgresql://me@/work?host=%2Frun%2Fmy%20sockets&port=5432",
        "postgresql://me@/work?host=/run/my sockets&port=5432",
        "postgresql://me@%2Frun%2Fmy%20sockets:5432/work",
    ],
)
def test_a_socket_directory_is_understood_in_query_and_host(given_url: str) -> None:
    found = conninfo_to_dict(normalise(given_url, "libpq"))
    assert (found["host"], str(found["port"]), found["user"]) == ("/run/my sockets", "5432", "me")


def test_an_ipv6_address_keeps_its_brackets() -> None:
    assert normalise("postgres://u@[::1]:5432/work", "libpq") == "postgresql://u@[::1]:5432/work"


@pytest.mark.parametrize(
    "given_url",
    ["mysql://u:geheim@host/db", "postgresql://u:geheim@host:port/db", "geheim", "", "postgresql://u:geheim@host/"],
)
def test_an_unusable_url_is_refused_without_repeating_it(given_url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        normalise(given_url, "psycopg")
    assert "geheim" not in str(refusal.value)


def test_shown_forms_hide_every_password() -> None:
    url = "postgresql://u:geheim@h:5432/work?sslpassword=geheim2"
    assert redacted(url) == "postgresql://u:***@h:5432/work?sslpassword=***"
    assert described(url) == "database 'work' at h:5432"
    assert without_password(url) == "postgresql://u@h:5432/work?sslpassword=geheim2"
    assert redacted("postgresql//geheim") == "<unreadable database URL>"


def test_another_database_of_the_same_server_keeps_everything_else() -> None:
    url = with_database("postgres://u:p%40ss@h:5433/work?sslmode=require", "other one")
    assert url == "postgresql://u:p%40ss@h:5433/other%20one?sslmode=require"


def test_both_drivers_connect_with_the_normalised_url_of_a_real_server(server_url: str) -> None:
    with psycopg.connect(normalise(server_url, "libpq")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    for driver in ("psycopg", "psycopg2"):
        engine = sqlalchemy.create_engine(normalise(server_url, driver))
        with engine.connect() as sa_connection:
            assert sa_connection.exec_driver_sql("SELECT 1").scalar() == 1
        assert engine.driver == driver
        engine.dispose()
