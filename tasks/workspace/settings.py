"""Where things are: folders, addresses and switches, read once from the environment (`PACKSHOT_*`)."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
}
SOURCE = Path(__file__).resolve().parents[2]
"""The checkout that this code runs from."""


def in_url(host: str) -> str:
    """A host as a URL writes it."""
    return f"[{host}]" if ":" in host else host


class CheckoutFolders(Protocol):
    """What a function uses that works on the checkout's files."""

    @property
    def root(self) -> Path: ...
    @property
    def home(self) -> Path: ...
    @property
    def data(self) -> Path: ...


class TrackingPlace(Protocol):
    """What a function uses that works on MLflow's runs and versions, through its server or beside its database."""

    @property
    def home(self) -> Path: ...
    @property
    def mlflow_host(self) -> str: ...
    @property
    def mlflow_port(self) -> int: ...
    @property
    def mlflow_url(self) -> str: ...
    @property
    def mlflow_database(self) -> str: ...
    @property
    def mlflow_artifacts(self) -> Path: ...


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that holds a `data.dvc` and a `params.yaml`, else this checkout."""
    for folder in (start, *start.parents):
        if (folder / "data.dvc").exists() and (folder / "params.yaml").exists():
            return folder
    return SOURCE


class Settings(BaseSettings):
    """Every setting has an environment variable of the same name with the prefix `PACKSHOT_`."""

    model_config = SettingsConfigDict(env_prefix="PACKSHOT_", frozen=True, extra="ignore")

    root: Path = Field(
        default_factory=lambda: find_root(Path.cwd()),
        description="the checkout to work in; the nearest folder, from the current one upwards, with data.dvc and "
        "params.yaml when unset",
    )
    home_: Path | None = Field(
        default=None,
        validation_alias="PACKSHOT_HOME",
        description="all state but DVC's cache, whose place .dvc/config names; .packshot in the root when unset",
    )
    prefect_host: str = Field(default="127.0.0.1", description="where Prefect's server listens")
    prefect_port: int = Field(default=4200, ge=1, le=65535, description="its port")
    mlflow_host: str = Field(default="127.0.0.1", description="where MLflow's server listens")
    mlflow_port: int = Field(default=5000, ge=1, le=65535, description="its port")
    allowed_hosts: str = Field(
        default="", description="further names by which browsers reach the servers, as NAME or NAME:PORT, with commas"
    )
    debian_datasets: Path = Field(
        default=Path("/usr/share/datasets"), description="where Debian's dataset-* packages put files"
    )
    offline: bool = Field(default=False, description="never try the network for data")
    checkpoint_seconds: float = Field(default=30.0, gt=0, description="seconds between two checkpoints of a training")
    retrain_cron: str | None = Field(
        default=None, description="when the deployment `retrain` runs: five cron fields, UTC; off when unset"
    )

    @field_validator("root")
    @classmethod
    def absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def home(self) -> Path:
        """The one folder of state: databases, artifacts, caches, secrets."""
        return (self.home_ or self.root / ".packshot").expanduser().resolve()

    @property
    def data(self) -> Path:
        """The catalogues' folder, pinned by `data.dvc`."""
        return self.root / "data"

    @property
    def prefect_url(self) -> str:
        return f"http://{in_url(self.prefect_host)}:{self.prefect_port}"

    @property
    def mlflow_url(self) -> str:
        return f"http://{in_url(self.mlflow_host)}:{self.mlflow_port}"

    @property
    def other_names(self) -> tuple[str, ...]:
        """The names of `allowed_hosts`."""
        return tuple(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())

    @property
    def mlflow_database(self) -> str:
        """SQLAlchemy URL of MLflow's own database, which the tracking server shares."""
        return f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}"

    @property
    def prefect_database(self) -> str:
        """SQLAlchemy URL of Prefect's own database, which the Prefect server shares."""
        return f"sqlite+aiosqlite:///{self.home / 'prefect' / 'prefect.db'}"

    @property
    def mlflow_artifacts(self) -> Path:
        return self.home / "mlflow" / "artifacts"

    @property
    def dvc_state(self) -> Path:
        """What DVC remembers between commands; it unpickles from there, so no other account may write there."""
        return self.home / "dvc-state"

    def variables(self) -> dict[str, str]:
        """The `PACKSHOT_*` variables by which another process has these settings."""
        values = {**self.model_dump(exclude={"home_"}, exclude_none=True), "home": self.home}
        return {f"PACKSHOT_{name.upper()}": str(value) for name, value in values.items()}

    def environment(self) -> dict[str, str]:
        """What the libraries read from the environment; set it before any of them is imported."""
        return {
            **TELEMETRY_OFF,
            "PREFECT_HOME": str(self.home / "prefect"),
            "PREFECT_API_DATABASE_CONNECTION_URL": self.prefect_database,
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            "DVC_SITE_CACHE_DIR": str(self.dvc_state),
            "MLFLOW_LOGGING_LEVEL": "WARNING",
            "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads starve the servers beside a training
        }
