"""The ground floor: clock, ids, settings, database, errors, logs and metrics. Every room uses it; it knows no room."""
