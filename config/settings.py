"""Settings of one installation: environment variables (QIANMEN_…) or a ``.env`` file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from config.errors import ConfigError
from config.secretfiles import SECRETS, SecretFiles, read_secrets, secrets_folder

ROOT = Path(__file__).resolve().parent.parent
Port = Annotated[int, Field(ge=1, le=65535)]
HttpServer = Annotated[str, Field(pattern=r"^(https?://[^/\s]+)?$")]
WebSocketServer = Annotated[str, Field(pattern=r"^(wss?://[^/\s]+)?$")]


def _plain(name: str) -> AliasChoices:
    """Accept both QIANMEN_NAME and the plain NAME that other tools use."""
    return AliasChoices(f"qianmen_{name}", name)


class Settings(BaseSettings):
    """Everything an installation may set; the defaults run the sample city on one machine.

    Each setting is the variable ``QIANMEN_NAME``; those with a plain name beside it (MODEL,
    ASR_URL, REDIS_URL, DATABASE_URL) take that too. Tuples are JSON lists.
    """

    model_config = SettingsConfigDict(
        env_prefix="qianmen_", env_file=".env", extra="ignore", populate_by_name=True
    )

    data_dir: Path = Field(
        default=ROOT / "var", description="Folder of everything that is kept: database, recordings."
    )
    city: Path = Field(
        default=ROOT / "config" / "cities" / "sample", description="The city's folder of YAML."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    secrets_dir: Path | None = Field(
        default=None,
        description="Folder with secrets as files (qianmen_secret_key …); /run/secrets if there.",
    )

    sip_host: str = Field(
        default="0.0.0.0",  # noqa: S104  # a phone line listens to the outside by its nature
        description="Address that SIP and RTP listen on.",
    )
    sip_port: Port = Field(default=5060, description="UDP port of SIP.")
    sip_public_host: str = Field(
        default="", description="Address that callers send sound to, where NAT hides ours."
    )
    sip_peers: tuple[str, ...] = Field(
        default=(), description="Addresses or networks (JSON list) that may call; empty: all."
    )
    sip_registrar: str = Field(
        default="", description="PBX (host or host:port) that we register at; empty: a trunk."
    )
    sip_user: str = Field(
        default="", description="Our extension at that PBX; the name for a trunk that asks for one."
    )
    sip_password: str = Field(
        default="", repr=False, description="Password of that user (better as a file)."
    )
    sip_realm: str = Field(
        default="", description="Realm that may ask for the password; empty: any of that PBX."
    )
    sip_proxy: str = Field(
        default="", description="Where calls to bare numbers and host names go; empty: the PBX."
    )
    line_engine: Literal["sip", "pyvoip"] = Field(
        default="sip", description="Engine of the line; pyvoip: one stock telephone at a PBX."
    )
    rtp_first_port: Port = Field(default=20000, description="First UDP port of sound (RTP).")
    rtp_last_port: Port = Field(default=20999, description="Last UDP port of sound (RTP).")
    max_calls: int = Field(
        default=150, ge=1, le=1000, description="Calls at a time; more are refused as busy."
    )
    max_setups_per_s: int = Field(
        default=0, ge=0, le=10000, description="New calls a second; more get 503; 0: no bound."
    )
    dead_after_s: float = Field(
        default=30.0, ge=0, le=3600,
        description="Seconds without sound until the other side is asked (OPTIONS); 0: never.",
    )  # fmt: skip
    session_expires_s: int = Field(
        default=1800, ge=90, le=86400, description="Session timer (RFC 4028), seconds."
    )
    recording: bool = Field(default=True, description="Whether calls are recorded.")
    phone_health_port: Port = Field(
        default=5061, description="TCP port of the phone process's health and metrics."
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="Address that metrics and the keeper listen on."
    )
    web_metrics_port: Port = Field(default=8001, description="TCP port of the web's metrics.")
    keeper_port: Port = Field(
        default=8002, description="TCP port of the keeper's health and metrics."
    )
    courier_port: Port = Field(
        default=8003, description="TCP port of the courier's health and metrics."
    )
    speech_voice: str = Field(default="cmn", description="Voice of espeak-ng.")
    speech_command: str = Field(
        default="", description="Another synthesiser: words on stdin, a sound file on stdout."
    )
    speech_speed: int = Field(
        default=165, ge=80, le=400, description="Speed of speech, words a minute."
    )

    asr_host: str = Field(default="127.0.0.1", description="Address of our recogniser process.")
    asr_port: Port = Field(default=2700, description="TCP port of our recogniser process.")
    asr_server: WebSocketServer = Field(
        default="",
        description="Base URL where others reach our recogniser, if not at the host above.",
    )
    model: Path | None = Field(
        default=None,
        validation_alias=_plain("model"),
        description="Folder of a Vosk model; none: the starter model (synthetic voices only).",
    )
    asr_url: str = Field(
        default="",
        validation_alias=_plain("asr_url"),
        description="A vosk-server (ws://host:port) to recognise instead of a model of ours.",
    )

    actions_host: str = Field(default="127.0.0.1", description="Address of the actions process.")
    actions_port: Port = Field(default=5055, description="TCP port of the actions process.")
    actions_server: HttpServer = Field(
        default="", description="Base URL where others reach the actions, if not at the host above."
    )
    rasa_host: str = Field(
        default="127.0.0.1", description="Address of Rasa: keep it from the outside."
    )
    rasa_port: Port = Field(default=5005, description="TCP port of Rasa.")
    rasa_server: HttpServer = Field(
        default="", description="Base URL where others reach Rasa, if not at the host above."
    )
    rasa_python: Path = Field(
        default=ROOT / ".venv-rasa" / "bin" / "python", description="Python of Rasa's environment."
    )
    rasa_timeout_s: float = Field(
        default=3.0, gt=0, le=10, description="Seconds until a turn goes to a person instead."
    )

    web_host: str = Field(default="127.0.0.1", description="Address of the web process.")
    web_port: Port = Field(default=8000, description="TCP port of the web process.")
    web_server: HttpServer = Field(
        default="", description="Base URL where others reach the web, if not at the host above."
    )
    web_proxies: tuple[str, ...] = Field(
        default=("127.0.0.1",), description="Proxies (JSON list) whose X-Forwarded-… is believed."
    )
    public_url: str = Field(
        default="", description="The web as citizens reach it, https://…; sets cookies secure."
    )
    embed_origins: tuple[str, ...] = Field(
        default=(), description="Sites (JSON list, https://…) that may embed the citizen's page."
    )
    session_idle_minutes: int = Field(
        default=30, ge=1, le=720, description="Minutes without a click until staff are signed out."
    )
    oidc_issuer: str = Field(default="", description="Issuer URL of the city's single sign-on.")
    oidc_client_id: str = Field(default="", description="Our client id there.")
    oidc_client_secret: str = Field(
        default="", repr=False, description="Our client secret there (better as a file)."
    )
    oidc_label: str = Field(
        default="单位统一身份认证", description="What the button for single sign-on says."
    )
    oidc_roles_claim: str = Field(default="roles", description="Claim that carries the roles.")

    redis_url: str = Field(
        default="",
        repr=False,
        validation_alias=_plain("redis_url"),
        description="redis:// or rediss:// URL of the city's Redis; none: an embedded Valkey.",
    )
    redis_port: Port = Field(default=6390, description="TCP port of the embedded Valkey.")
    database_url: str = Field(
        default="",
        repr=False,
        validation_alias=_plain("database_url"),
        description="postgresql+psycopg://… URL; none: SQLite in data_dir.",
    )
    secret_key: str = Field(
        default="", repr=False, description="Signs sessions; none: made once, in data_dir/secret."
    )
    data_key: str = Field(
        default="", repr=False, description="Key(s) that encrypt personal data at rest; none: off."
    )

    link_keys: str = Field(
        default="", repr=False,
        description="Keys that sign messages of links: 110=KEY erp=KEY,OLD (better as a file).",
    )  # fmt: skip

    wechat_appid: str = Field(
        default="", pattern=r"^(wx[0-9a-zA-Z]{8,40})?$",
        description="AppID of the city's WeChat Official Account; empty: no WeChat.",
    )  # fmt: skip
    wechat_secret: str = Field(
        default="", repr=False, description="AppSecret of that account (better as a file)."
    )
    wechat_token: str = Field(
        default="", repr=False,
        description="Token of its server configuration (better as a file); empty: no WeChat.",
    )  # fmt: skip
    wechat_token_before: str = Field(
        default="", repr=False, description="The token before, while it is changed there."
    )
    wechat_aes_key: str = Field(
        default="", repr=False,
        description="EncodingAESKey (43 characters) for compatible and secure mode.",
    )  # fmt: skip
    wechat_aes_key_before: str = Field(
        default="", repr=False, description="The EncodingAESKey before, while it is changed there."
    )
    wechat_api: HttpServer = Field(
        default="https://api.weixin.qq.com", description="Base URL of WeChat's server interface."
    )
    wechat_line: str = Field(
        default="", description="Number of the city's line that the account belongs to; ours first."
    )
    wechat_reply_s: float = Field(
        default=4.0, ge=0, le=4.5,
        description="Seconds until WeChat is answered without an answer; it follows by itself.",
    )  # fmt: skip
    wechat_skew_s: int = Field(
        default=300, ge=30, le=3600, description="Seconds that a message's time stamp may be off."
    )
    wechat_quota: int = Field(
        default=5, ge=0, le=100, description="Messages that WeChat allows within 48 h of a message."
    )
    wechat_click_quota: int = Field(
        default=3, ge=0, le=100, description="Messages WeChat allows in the minute after a click."
    )
    wechat_calls_per_s: float = Field(
        default=20, gt=0, le=1000, description="Calls a second that one process makes to WeChat."
    )
    wechat_templates: str = Field(
        default="",
        description="Template ids in place of wechat.yaml's: created=ID close=ID, by spaces.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # ours in its place
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, environment, ``.env``, secrets' files; the first that has a value counts."""
        return (init_settings, env_settings, dotenv_settings, SecretFiles(settings_cls))

    def environment(self, *, secrets: bool = True) -> dict[str, str]:
        """The variables that give another process exactly these settings.

        A secret that it finds in the same file is left out; ``secrets`` False leaves out all.
        """
        variables = {}
        for name, value in self.model_dump(mode="json", exclude_defaults=True).items():
            if name in SECRETS and (not secrets or self._stands_in_file(name, value)):
                continue
            text = value if isinstance(value, str) else json.dumps(value)
            variables[f"QIANMEN_{name.upper()}"] = text
        return variables

    def _stands_in_file(self, name: str, value: str) -> bool:
        folder = secrets_folder(self.secrets_dir)
        return folder is not None and read_secrets(folder).get(name) == value

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
    """Read the settings; raises :class:`ConfigError` that names each wrong variable.

    ``settings_invalid``, and for secrets in files ``secrets_missing``, ``secret_unreadable``,
    ``secret_empty``. No message carries a value.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"{_variable(item['loc'])}: {item['msg']}" for item in error.errors()]
        raise ConfigError("settings_invalid", "; ".join(lines)) from None
    except SettingsError as error:  # a list that is no JSON
        raise ConfigError("settings_invalid", f'{error}; lists are JSON: ["…"]') from None


def _variable(place: tuple[int | str, ...]) -> str:
    name = "_".join(str(part) for part in place).upper()
    return name if name.startswith("QIANMEN_") else f"QIANMEN_{name}"
