"""The project's settings as dlt's last resort, wherever the command runs.

dlt reads `.dlt/` in the current folder, in Airflow the one beside the DAGs. The settings that come
with this project have to hold in any other folder too, or telemetry would be on there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
import tomlkit
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import CustomLoaderDocProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.runtime.run_context import active
from dlt.common.runtime.telemetry import stop_telemetry

NAME = "signalwire-orders defaults"
DEFAULTS = Path(__file__).with_name("defaults.toml")


def register_defaults() -> None:
    """Adds the settings that come with the project behind all others; doing it again is fine."""
    if NAME in Container()[PluggableRunContext].providers:
        return
    dlt.config.register_provider(
        CustomLoaderDocProvider(NAME, _load, supports_secrets=False, locations=[str(DEFAULTS)])
    )
    # dlt reads its runtime settings, telemetry among them, as soon as it is imported: once more
    stop_telemetry()
    active().initialize_runtime()


def _load() -> dict[str, Any]:
    return dict(tomlkit.parse(DEFAULTS.read_text(encoding="utf-8")).unwrap())
