"""The relational base: settings, home folder, engine, tables, migrations."""
