"""Settings of one installation: environment variables (QIANMEN_…) or a ``.env`` file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
Port = Annotated[int, Field(ge=1, le=65535)]
HttpServer = Annotated[str, Field(pattern=r"^(https?://[^/\s]+)?$")]
WebSocketServer = Annotated[str, Field(pattern=r"^(wss?://[^/\s]+)?$")]


def _plain(name: str) -> AliasChoices:
    """Accept both QIANMEN_NAME and the plain NAME that other tools use."""
    return AliasChoices(f"qianmen_{name}", name)


class Settings(BaseSettings):
    """Everything an installation may set; the defaults run the sample city on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="qianmen_", env_file=".env", extra="ignore", populate_by_name=True
    )

    data_dir: Path = ROOT / "var"
    city: Path = ROOT / "config" / "cities" / "sample"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    sip_host: str = "0.0.0.0"  # noqa: S104  # a phone line listens to the outside by its nature
    sip_port: Port = 5060
    sip_public_host: str = ""
    sip_peers: tuple[str, ...] = ()
    rtp_first_port: Port = 20000
    rtp_last_port: Port = 20999
    max_calls: int = Field(default=150, ge=1, le=1000)
    recording: bool = True
    phone_health_port: Port = 5061
    metrics_host: str = "127.0.0.1"
    web_metrics_port: Port = 8001
    keeper_port: Port = 8002
    speech_voice: str = "cmn"
    speech_speed: int = Field(default=165, ge=80, le=400)

    asr_host: str = "127.0.0.1"
    asr_port: Port = 2700
    asr_server: WebSocketServer = ""
    model: Path | None = Field(default=None, validation_alias=_plain("model"))
    asr_url: str = Field(default="", validation_alias=_plain("asr_url"))

    actions_host: str = "127.0.0.1"
    actions_port: Port = 5055
    actions_server: HttpServer = ""
    rasa_host: str = "127.0.0.1"
    rasa_port: Port = 5005
    rasa_server: HttpServer = ""
    rasa_python: Path = ROOT / ".venv-rasa" / "bin" / "python"
    rasa_timeout_s: float = Field(default=3.0, gt=0, le=10)

    web_host: str = "127.0.0.1"
    web_port: Port = 8000
    web_server: HttpServer = ""
    web_proxies: tuple[str, ...] = ("127.0.0.1",)
    public_url: str = ""
    session_idle_minutes: int = Field(default=30, ge=1, le=720)
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_label: str = "单位统一身份认证"
    oidc_roles_claim: str = "roles"

    redis_url: str = Field(default="", validation_alias=_plain("redis_url"))
    redis_port: Port = 6390
    database_url: str = Field(default="", validation_alias=_plain("database_url"))
    secret_key: str = ""
    data_key: str = ""

    def environment(self) -> dict[str, str]:
        """The variables that give another process exactly these settings (secrets among them)."""
        variables = {}
        for name, value in self.model_dump(mode="json", exclude_defaults=True).items():
            text = value if isinstance(value, str) else json.dumps(value)
            variables[f"QIANMEN_{name.upper()}"] = text
        return variables

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL; SQLite under ``data_dir`` unless DATABASE_URL says so."""
        return self.database_url or f"sqlite:///{self.data_dir / 'qianmen.sqlite3'}"

    @property
    def redis(self) -> str:
        """The Redis URL; the embedded Valkey of this machine unless REDIS_URL says so."""
        return self.redis_url or f"redis://127.0.0.1:{self.redis_port}/0"

    @property
    def recordings_dir(self) -> Path:
        """Where recordings of calls are kept."""
        return self.data_dir / "recordings"

    @property
    def speech_dir(self) -> Path:
        """Where rendered sentences are kept."""
        return self.data_dir / "speech"

    @property
    def log_dir(self) -> Path:
        """Where each process writes its log."""
        return self.data_dir / "log"

    # Where a process listens (``…_host``) is not always where others reach it: in containers it
    # listens on every address and is reached by its name, which ``…_server`` gives as a base URL.

    @property
    def asr_address(self) -> str:
        """The WebSocket URL of our own recogniser process."""
        return self.asr_server or f"ws://{reachable(self.asr_host)}:{self.asr_port}"

    @property
    def rasa_address(self) -> str:
        """The base URL of Rasa's HTTP server."""
        return self.rasa_server or f"http://{reachable(self.rasa_host)}:{self.rasa_port}"

    @property
    def actions_address(self) -> str:
        """The base URL of the actions process."""
        return self.actions_server or f"http://{reachable(self.actions_host)}:{self.actions_port}"

    @property
    def web_address(self) -> str:
        """The base URL of the web process as this installation reaches it."""
        return self.web_server or f"http://{reachable(self.web_host)}:{self.web_port}"


def reachable(host: str) -> str:
    """Where this machine reaches what listens on ``host``."""
    return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104  # compared only


def load_settings() -> Settings:
    """Read the settings; raises :class:`ConfigError` that names each wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"QIANMEN_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
            for item in error.errors()
        ]
        raise ConfigError("settings_invalid", "; ".join(lines)) from None
