"""Every setting of Tutordesk, in one class. The only reader of the environment and of `.env`.

`load_settings()` refuses a bad value with a sentence that names the variable. `load_secret_keys()` creates and stores
the key that signs cookies. docs/settings.md is generated from this class.
"""

import ipaddress
import os
import secrets
import stat
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tutordesk.ground.operator_error import OperatorError

PROVIDERS = ("gemini", "openai", "ollama", "offline")
DEFAULT_GEMINI = "gemini:gemini-3.8-flash"
WEAK_SECRETS = ("changeme", "change-me", "secret", "password", "tutordesk", "default", "example")
SECRET_BYTES = 32


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_prefix="TUTORDESK_", extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, description="Processes that serve.")
    data_dir: Path = Field(Path("data"), description="Private folder of the embedded MongoDB and the secret key.")
    model: str = Field(
        "",
        description="The tutor's model as `provider:name`, or several separated by commas: if a model fails, the next "
        "answers. Providers: `gemini`, `openai`, `ollama`, `offline`. Default: Gemini's current flash model if "
        "`GEMINI_API_KEY` is set, else `offline`.",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Signs cookies: a key of 32 bytes or more, or several separated by commas, the newest first. "
        "Default: created once and stored in the data folder.",
    )
    mongod: Path | None = Field(None, description="The `mongod` to start. Default: from `PATH`, else the bundled one.")
    mongodb_url: SecretStr | None = Field(
        None,
        validation_alias="MONGODB_URL",
        description="A MongoDB 6+ replica set to use instead of the embedded one. The URL's path names the database.",
    )
    mongodb_backup_url: SecretStr | None = Field(
        None,
        validation_alias="MONGODB_BACKUP_URL",
        description="The same database with a user who may read the oplog, for the change log, `dump` and `restore`. "
        "Default: `MONGODB_URL`.",
    )
    change_log: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether to write every change to the folder `changelog` too, from which any instant can be "
        "restored: `on`, `off`, or `auto`, which is on with the embedded MongoDB.",
    )
    redis_url: SecretStr | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="A Redis that carries the events of rooms between processes and counts the limits. Default: "
        "MongoDB does.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Lets other machines read `/metrics` by sending it as `Authorization: Bearer …`. Default: only "
        "this machine and admins may read them.",
    )
    gemini_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        description="Key of the Gemini API (`GOOGLE_API_KEY` works too).",
    )
    gemini_base_url: str | None = Field(
        None, validation_alias="GEMINI_BASE_URL", description="Another address of the Gemini API."
    )
    openai_api_key: SecretStr | None = Field(
        None, validation_alias="OPENAI_API_KEY", description="Key of the OpenAI-compatible server, if it needs one."
    )
    openai_base_url: str = Field(
        "https://api.openai.com/v1",
        validation_alias="OPENAI_BASE_URL",
        description="Address of any OpenAI-compatible server, including `/v1`.",
    )
    ollama_base_url: str = Field(
        "http://127.0.0.1:11434", validation_alias="OLLAMA_BASE_URL", description="Address of Ollama."
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Addresses or networks of the proxies in front, separated by commas. Their `X-Forwarded-For` (the "
        "visitor's address) and `X-Forwarded-Proto` (TLS) are trusted.",
    )
    max_running_replies: int = Field(4, ge=0, description="Answers at once for one visitor; 0: no limit.")
    max_messages_per_minute: int = Field(30, ge=0, description="Messages a minute from one visitor; 0: no limit.")
    max_messages_per_minute_per_ip: int = Field(
        120, ge=0, description="Messages a minute from one address, of IPv6 one /64; 0: no limit."
    )
    max_tickets_per_hour: int = Field(60, ge=0, description="Tickets an hour from one visitor; 0: no limit.")
    max_room_messages_per_minute: int = Field(
        100, ge=0, description="Messages a minute in rooms from one member; 0: no limit."
    )
    max_rooms_per_hour: int = Field(20, ge=0, description="Rooms an hour that one member creates; 0: no limit.")
    max_tokens_per_day: int = Field(0, ge=0, description="Tokens a day for all visitors together; 0: no limit.")

    @field_validator("data_dir", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().resolve()

    @field_validator("gemini_base_url", "openai_base_url", "ollama_base_url", mode="after")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/") if url else None

    @field_validator("mongodb_url", "mongodb_backup_url", mode="after")
    @classmethod
    def _mongodb_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not url.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must start with mongodb:// or mongodb+srv://")
        return url

    @field_validator("trusted_proxies", mode="after")
    @classmethod
    def _known_addresses(cls, value: str) -> str:
        for proxy in filter(None, (part.strip() for part in value.split(","))):
            try:
                network = ipaddress.ip_network(proxy)
            except ValueError:
                raise ValueError(f"{proxy!r} is neither an address nor a network such as 10.0.0.0/24") from None
            if network.prefixlen == 0:
                raise ValueError(f"{proxy} would let everybody claim any address; write the proxy's address")
        return value

    @field_validator("redis_url", mode="after")
    @classmethod
    def _redis_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return url

    @field_validator("model", mode="after")
    @classmethod
    def _known_providers(cls, value: str) -> str:
        for model in filter(None, (part.strip() for part in value.split(","))):
            provider, _, name = model.partition(":")
            if provider not in PROVIDERS or (not name and provider != "offline"):
                raise ValueError(f"{model!r} is not `provider:name` with one of the providers {', '.join(PROVIDERS)}")
        return value

    @field_validator("secret_key", mode="after")
    @classmethod
    def _strong_secret(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not _split_keys(key.get_secret_value()):
            raise ValueError("is empty; `openssl rand -hex 32` makes a good key")
        for part in _split_keys(key.get_secret_value()) if key else []:
            refuse_weak_secret(part)
        return key

    @property
    def writes_change_log(self) -> bool:
        """Return whether this server writes the change log."""
        return self.change_log == "on" or (self.change_log == "auto" and not self.mongodb_url)

    def backup_url(self, url: str) -> str:
        """Return the URL for the change log, dump and restore, when the server itself signs in at `url`."""
        return self.mongodb_backup_url.get_secret_value() if self.mongodb_backup_url else url

    @property
    def proxies(self) -> list[str]:
        return [part.strip() for part in self.trusted_proxies.split(",") if part.strip()]

    @property
    def models(self) -> list[str]:
        """Return the fallback chain, at least one `provider:name`."""
        chosen = [part.strip() for part in self.model.split(",") if part.strip()]
        return chosen or [DEFAULT_GEMINI if self.gemini_api_key else "offline"]


def _split_keys(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def refuse_weak_secret(key: str) -> None:
    """Refuse a short or guessable key.

    Raises ValueError for fewer than 32 bytes or 10 different characters, and for a well-known word at the beginning.
    """
    if len(key.encode()) < SECRET_BYTES:
        raise ValueError(f"has fewer than {SECRET_BYTES} bytes; `openssl rand -hex 32` makes a good key")
    if len(set(key)) < 10 or any(key.lower().startswith(word) for word in WEAK_SECRETS):
        raise ValueError("is easy to guess; `openssl rand -hex 32` makes a good key")


def load_settings(**options: object) -> Settings:
    """Return the settings from the options that are not None, the environment and `.env`, in this order.

    Raises OperatorError, which names the variable.
    """
    try:
        settings = Settings(**{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]
        _refuse_models_without_key(settings)
        _refuse_backup_of_another(settings)
        return settings
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        variable = name if name.isupper() else f"TUTORDESK_{name.upper()}"
        raise OperatorError(f"{variable}: {first['msg'].removeprefix('Value error, ')}.") from None


def _refuse_models_without_key(settings: Settings) -> None:
    if any(model.startswith("gemini:") for model in settings.models) and not settings.gemini_api_key:
        raise OperatorError(
            "TUTORDESK_MODEL names a Gemini model, but GEMINI_API_KEY is not set. Set it, or choose another model."
        )


def _refuse_backup_of_another(settings: Settings) -> None:
    """Raise OperatorError unless both URLs name the same database, or the backup's URL is not set."""
    if not settings.mongodb_backup_url:
        return
    if not settings.mongodb_url:
        raise OperatorError("MONGODB_BACKUP_URL is set, but MONGODB_URL is not. Set both, or neither.")
    server, backup = (
        urlsplit(url.get_secret_value()).path.strip("/") for url in (settings.mongodb_url, settings.mongodb_backup_url)
    )
    if server != backup:
        raise OperatorError("MONGODB_BACKUP_URL names another database than MONGODB_URL. Give both the same path.")


def load_secret_keys(settings: Settings) -> list[str]:
    """Return the keys of cookies, of which the first signs: the setting, or the lines of the file `secret_key`.

    The file is in the data folder. If absent, it is created with one key and mode 0600. Raises OperatorError if other
    users can read it or a key is weak.
    """
    if settings.secret_key:
        return _split_keys(settings.secret_key.get_secret_value())
    path = settings.data_dir / "secret_key"
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(file, "w") as key_file:
            key_file.write(secrets.token_hex(SECRET_BYTES))
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise OperatorError(f"TUTORDESK_SECRET_KEY: other users can read {path}. Run: chmod 600 {path}")
    keys = path.read_text().split()
    try:
        for key in keys or [""]:
            refuse_weak_secret(key)
    except ValueError as error:
        raise OperatorError(f"TUTORDESK_SECRET_KEY: a key in {path} {error}.") from None
    return keys
