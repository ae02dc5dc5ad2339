"""The project's settings as dlt's last resort, wherever the command runs.

dlt reads `.dlt/` in the current folder, in Airflow the one beside the DAGs. The settings that come
with this project have to hold in any other folder too, or telemetry would be on there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
import tomlkit
from dlt.common.configuration.exceptions import DuplicateConfigProviderException
from dlt.common.configuration.providers import CustomLoaderDocProvider
from dlt.common.runtime.run_context import active
from dlt.common.runtime.telemetry import stop_telemetry

DEFAULTS = Path(__file__).with_name("defaults.toml")


def register_defaults() -> None:
    """Adds the settings that come with the project behind all others; doing it again is fine."""
    provider = CustomLoaderDocProvider(
        "signalwire-orders defaults", _load, supports_secrets=False, locations=[str(DEFAULTS)]
    )
    try:
        dlt.config.register_provider(provider)
    except DuplicateConfigProviderException:
        return
    # dlt reads its runtime settings, telemetry among them, as soon as it is imported: once more
    stop_telemetry()
    active().initialize_runtime()


def _load() -> dict[str, Any]:
    return dict(tomlkit.parse(DEFAULTS.read_text(encoding="utf-8")).unwrap())
