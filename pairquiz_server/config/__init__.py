"""config.toml, the environment and flags → frozen `Settings`. Whatever is wrong stops the start with one line."""

from pairquiz_server.config.settings import DEVELOPMENT_ORIGINS, ROOT_DATA_DIR, Settings, default_file, load
from pairquiz_server.config.sources import ConfigError

__all__ = ["DEVELOPMENT_ORIGINS", "ROOT_DATA_DIR", "ConfigError", "Settings", "default_file", "load"]
