"""The client in a real browser: the figures of `npm run bench`, which writes them to a file."""

import json
import os
import subprocess
from pathlib import Path

from testing.figures import Figure

WEB = Path(__file__).parents[2] / "web"


def measure(folder: Path) -> list[Figure]:
    """Run the browser's benchmarks. Raises subprocess.CalledProcessError when they cannot run."""
    file = folder / "figures.json"
    environment = os.environ | {"FIGURES": str(file)}
    subprocess.run(["npm", "run", "--silent", "bench"], cwd=WEB, env=environment, check=True)
    rows = json.loads(file.read_text(encoding="utf-8"))
    return [Figure(row["name"], row["value"], row["unit"], row.get("limit")) for row in rows]
