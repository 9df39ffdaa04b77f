"""The schema's history: one module a step, numbered, each applied once to a database and recorded there (run.py)."""
