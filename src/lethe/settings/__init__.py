"""Every setting, read once from `lethe.toml` and the environment into one frozen object.

The environment wins over the file: `LETHE_PORT=8081`, nested with two underscores: `LETHE_LIMITS__BURST=100`. Which
file is read is said by `LETHE_CONFIG`, or is `lethe.toml` in the working directory. `docs/reference/settings.md` is
made from the descriptions here: `installation` is the whole, the other modules are its parts.
"""

from lethe.settings.callers import TrustedIssuerSettings
from lethe.settings.datasets import DatasetSettings
from lethe.settings.installation import CONFIG_VARIABLE, LimitSettings, Settings, config_path, load, unknown_variables
from lethe.settings.organizations import OrgSettings, SandboxSettings
from lethe.settings.products import (
    HttpProductSettings,
    IdentityColumnsSettings,
    ProductSettings,
    ProductsSettings,
    SqlProductSettings,
    TableSettings,
)
from lethe.settings.work import AftercareSettings, WebhookSettings

__all__ = [
    "CONFIG_VARIABLE",
    "AftercareSettings",
    "DatasetSettings",
    "HttpProductSettings",
    "IdentityColumnsSettings",
    "LimitSettings",
    "OrgSettings",
    "ProductSettings",
    "ProductsSettings",
    "SandboxSettings",
    "Settings",
    "SqlProductSettings",
    "TableSettings",
    "TrustedIssuerSettings",
    "WebhookSettings",
    "config_path",
    "load",
    "unknown_variables",
]
