"""Settings are read in one place, and a bad one is refused with a sentence that names it."""

import os
import stat
from pathlib import Path

import pytest

from tutordesk.ground.operator_error import OperatorError
from tutordesk.ground.settings import Settings, load_secret_keys, load_settings

GOOD_KEY = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TUTORDESK_PORT", "x"),
        ("TUTORDESK_PORT", "0"),
        ("TUTORDESK_PORT", "70000"),
        ("TUTORDESK_MODEL", "gpt-5"),
        ("TUTORDESK_MODEL", "gemini:"),
        ("TUTORDESK_MODEL", "offline,nonsense:x"),
        ("TUTORDESK_MODEL", "gemini:gemini-3.8-flash"),
        ("TUTORDESK_SECRET_KEY", "changeme"),
        ("TUTORDESK_SECRET_KEY", "x" * 31),
        ("TUTORDESK_SECRET_KEY", "a" * 64),
        ("TUTORDESK_SECRET_KEY", ","),
        ("TUTORDESK_SECRET_KEY", GOOD_KEY + ",too short"),
        ("TUTORDESK_SECRET_KEY", "changeme-changeme-changeme-0123456789"),
        ("TUTORDESK_MAX_RUNNING_REPLIES", "-1"),
        ("MONGODB_URL", "localhost:27017"),
        ("MONGODB_BACKUP_URL", "localhost:27017"),
        ("MONGODB_BACKUP_URL", "mongodb://127.0.0.1/tutordesk"),
        ("TUTORDESK_TRUSTED_PROXIES", "*"),
        ("TUTORDESK_TRUSTED_PROXIES", "127.0.0.1,web"),
        ("TUTORDESK_TRUSTED_PROXIES", "10.0.0.7/24"),
        ("TUTORDESK_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("OPENAI_BASE_URL", "api.example.com"),
        ("GEMINI_BASE_URL", "ftp://x"),
    ],
)
def test_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    with pytest.raises(OperatorError, match=rf"^{variable}\b.+\.$"):
        load_settings()


def test_backup_signs_in_to_the_same_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONGODB_URL", "mongodb://a:1@127.0.0.1/tutordesk?replicaSet=x")
    assert load_settings().backup_url("mongodb://x") == "mongodb://x"
    monkeypatch.setenv("MONGODB_BACKUP_URL", "mongodb://b:2@127.0.0.1/tutordesk")
    assert load_settings().backup_url("mongodb://x") == "mongodb://b:2@127.0.0.1/tutordesk"
    monkeypatch.setenv("MONGODB_BACKUP_URL", "mongodb://b:2@127.0.0.1/other")
    with pytest.raises(OperatorError, match="names another database"):
        load_settings()


def test_model_follows_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings().models == ["offline"]
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    assert load_settings().models == ["gemini:gemini-3.8-flash"]
    monkeypatch.setenv("TUTORDESK_MODEL", "ollama:a, openai:b ,offline")
    assert load_settings().models == ["ollama:a", "openai:b", "offline"]


def test_env_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("TUTORDESK_PORT=9001\nGEMINI_API_KEY=k\n")
    assert load_settings().port == 9001
    assert load_settings(port=9002).port == 9002
    assert load_settings().gemini_api_key


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path / "data")
    keys = load_secret_keys(settings)
    assert [len(key) >= 32 for key in keys] == [True]
    assert load_secret_keys(settings) == keys
    file = settings.data_dir / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700


def test_newest_of_several_keys_comes_first(tmp_path: Path) -> None:
    """The first key signs, and the others are still accepted."""
    older = GOOD_KEY[::-1]
    settings = Settings(_env_file=None, secret_key=f"{GOOD_KEY}, {older}")
    assert load_secret_keys(settings) == [GOOD_KEY, older]
    file = tmp_path / "secret_key"
    file.write_text(f"{GOOD_KEY}\n{older}\n")
    file.chmod(0o600)
    assert load_secret_keys(Settings(_env_file=None, data_dir=tmp_path)) == [GOOD_KEY, older]


def test_readable_secret_is_refused(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    load_secret_keys(settings)
    os.chmod(tmp_path / "secret_key", 0o644)
    with pytest.raises(OperatorError, match=r"TUTORDESK_SECRET_KEY: other users can read .+secret_key"):
        load_secret_keys(settings)


def test_weak_secret_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret_key"
    file.write_text("changeme")
    file.chmod(0o600)
    with pytest.raises(OperatorError, match="TUTORDESK_SECRET_KEY"):
        load_secret_keys(Settings(_env_file=None, data_dir=tmp_path))


def test_keys_are_never_printed() -> None:
    """Keys stay out of whatever is printed or logged."""
    settings = Settings(_env_file=None, GEMINI_API_KEY="AIza-secret", secret_key=GOOD_KEY)
    assert "AIza" not in repr(settings)
    assert GOOD_KEY not in str(settings.model_dump())
