"""The database: tables, engine, migrations. It imports no room."""
