"""PostgreSQL: embedded server, engine, migrations, bulk loads and named statements."""
