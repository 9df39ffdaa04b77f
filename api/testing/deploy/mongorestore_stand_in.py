"""A stand-in for mongorestore, which tests do not have: it records its calls.

It signs in as it is told to, and appends its options to the file RECORD. MODE says what it does then: `insert` a
document into `restored.<name of the dump>`; the same and `fail`, or the same and `kill` who called it; or restore
the dump really, by the command `tutordesk`. That the real tool takes these options, only a container shows.
"""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymongo

TUTORDESK = str(Path(sys.executable).parent / "tutordesk")


def main() -> int:
    called = [option for option in sys.argv[1:] if not option.startswith("--config=")]
    options = dict(option.removeprefix("--").partition("=")[::2] for option in sys.argv[1:])
    config = Path(options.pop("config"))
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    password = config.read_text().partition('password: "')[2].partition('"')[0]
    with Path(os.environ["RECORD"]).open("a") as record:
        record.write(json.dumps(called) + "\n")
    user, host = options["username"], f"{options['host']}:{options['port']}"
    url = f"mongodb://{user}:{password}@{host}/tutordesk?authSource={options['authenticationDatabase']}"
    source = options.get("archive") or options["dir"]
    mode = os.environ["MODE"]
    if mode == "tutordesk":
        command = [TUTORDESK, "restore", source, "--data-dir", f"{config.parent}/data"]
        return subprocess.run(command, env=os.environ | {"MONGODB_URL": f"{url}&directConnection=true"}).returncode
    with pymongo.MongoClient[Any](url, directConnection=True) as client:
        client["restored"][Path(source).name].insert_one({})
    if mode == "kill":
        os.kill(os.getppid(), signal.SIGKILL)
    return 1 if mode == "fail" else 0


if __name__ == "__main__":
    raise SystemExit(main())
