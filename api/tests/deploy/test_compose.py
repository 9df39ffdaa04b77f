"""compose.yaml as `docker-compose config` reads it, and the images that it builds. No container is started here."""

import fnmatch
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from testing.deploy.compose import PASSWORDS, ROOT, compose_config
from testing.pages import variable_of
from tutordesk.ground.settings import Settings

DOCKERFILES = (ROOT / "api" / "Dockerfile", ROOT / "web" / "Dockerfile")


@pytest.mark.parametrize("name", PASSWORDS)
def test_missing_password_is_refused_with_a_sentence(name: str) -> None:
    emptied = {"MONGODB_BACKUP_PASSWORD": ""} if name == "MONGODB_BACKUP_PASSWORD" else {}  # empty is missing, too
    said = compose_config(**{key: value for key, value in PASSWORDS.items() if key != name}, **emptied)
    assert said.returncode != 0
    assert said.stderr.strip().endswith(f"Set {name} in .env; openssl rand -hex 24 makes one.")


def test_every_container_is_hardened(services: Any) -> None:
    assert set(services) == {"mongodb", "mongodb-init", "api", "web"}
    for name in ("mongodb", "mongodb-init", "api", "web"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert int(service["user"].split(":")[0]) > 0
        assert service.keys().isdisjoint({"privileged", "cap_add", "devices", "pid", "ipc"})
        assert any(place.startswith("/tmp") for place in service["tmpfs"])
        mounted = [volume for volume in service["volumes"] if volume.startswith("/")]
        assert all(volume.endswith(":ro") for volume in mounted)  # of this machine nothing is written
        assert not any("docker.sock" in volume for volume in mounted)
        assert ("healthcheck" in service) == (name != "mongodb-init")


def test_only_nginx_has_ports_and_mongodb_no_way_out(services: Any, composed: Any) -> None:
    published = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert published == {"web": ["127.0.0.1:8080:8080/tcp", "127.0.0.1:8443:8443/tcp"]}
    assert list(services["mongodb"]["networks"]) == ["database"]
    assert composed["networks"]["database"] == {"internal": True}
    assert services["mongodb-init"]["network_mode"] == "service:mongodb"
    assert list(services["web"]["networks"]) == ["front"]


def test_each_waits_for_what_it_needs(services: Any) -> None:
    waits = {name: one.get("depends_on", {}) for name, one in services.items()}
    healthy, ended = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    assert waits == {
        "mongodb": {},
        "mongodb-init": {"mongodb": healthy},
        "api": {"mongodb": healthy, "mongodb-init": ended},
        "web": {"api": healthy},
    }
    assert services["mongodb-init"]["restart"] == "no"


def test_nobody_knows_more_passwords_than_it_needs(services: Any) -> None:
    known = {name: re.findall(r"(\w+)-0123456789", str(one)) for name, one in services.items()}
    assert {name: sorted(set(passwords)) for name, passwords in known.items()} == {
        "mongodb": [],
        "mongodb-init": ["administrator", "application", "backup"],
        "api": ["application", "backup"],
        "web": [],
    }


def test_server_gets_every_setting_and_starts_with_it(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = services["api"]["environment"]
    assert set(environment) == {variable_of(name) for name in Settings.model_fields} - {"TUTORDESK_MONGOD"}
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    settings = Settings(_env_file=None)
    assert settings.writes_change_log
    assert settings.workers == 1
    assert settings.proxies == [services["web"]["networks"]["front"]["ipv4_address"]]
    assert settings.backup_url("") == environment["MONGODB_BACKUP_URL"]


def test_settings_of_the_machine_reach_the_server() -> None:
    variables = {
        "TUTORDESK_MODEL": "openai:x",
        "OPENAI_API_KEY": "key-of-openai",
        "WEB_ADDRESS": "0.0.0.0",
        "HTTP_PORT": "80",
    }
    services = yaml.safe_load(compose_config(**PASSWORDS, **variables).stdout)["services"]
    assert services["api"]["environment"]["TUTORDESK_MODEL"] == "openai:x"
    assert services["api"]["environment"]["OPENAI_API_KEY"] == "key-of-openai"
    assert services["web"]["ports"][0] == "0.0.0.0:80:8080/tcp"


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_images_are_built_from_locks_and_run_without_rights(file: Path, services: Any) -> None:
    text = file.read_text(encoding="utf-8")
    stages = re.split(r"^FROM ", text, flags=re.M)[1:]
    assert len(stages) >= 2
    assert all(re.match(r"\S+:[\w.-]*\d", stage) for stage in stages)  # a version, never `latest`
    uid = re.search(r"^USER (\d+)$", stages[-1], re.M)
    assert uid
    assert services[file.parent.name]["user"].split(":")[0] == uid[1] != "0"
    assert "npm ci" in text
    assert "npm install" not in text
    for install in re.findall(r"pip install[^&]*", text):
        assert "--require-hashes" in install or "--no-deps --no-build-isolation -e ." in install
    assert not re.search(r"^ADD |https?://|curl|wget|ARG .*(PASSWORD|KEY|SECRET)", text, re.M)


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_what_images_copy_is_in_the_repository_and_not_ignored(file: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    sent = [path for path in tracked if path and not is_ignored(path)]
    for line in re.findall(r"^COPY (?!--from)(.+)$", file.read_text(encoding="utf-8"), re.M):
        for source in line.split()[:-1]:
            assert [path for path in sent if path == source or path.startswith(f"{source}/")], source
    assert not any("/tests/" in path or path.endswith((".env", ".key", ".pem")) for path in sent)


def is_ignored(path: str) -> bool:
    """As Docker reads .dockerignore: the last line that fits a path, or a folder that it is in, decides."""
    parts = path.split("/")
    ignored = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n"):
        pattern = line.lstrip("!").strip()
        if not pattern or pattern.startswith("#"):
            continue
        places = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        names = places if not pattern.startswith("**/") else parts
        if any(fnmatch.fnmatchcase(name, pattern.removeprefix("**/")) for name in names):
            ignored = not line.startswith("!")
    return ignored


def test_no_key_and_no_dump_is_in_the_repository() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not [path for path in tracked if re.search(r"keyfile|\.pem$|\.key$|\.archive|\.bson", path)]
    assert [path for path in tracked if path.startswith("mongo-init/dumps/")] == ["mongo-init/dumps/.gitkeep"]
