"""config.toml, the environment and flags → frozen `Settings`. Whatever is wrong stops the start with one line."""

from pairquiz_server.config.folders import ROOT_DATA_DIR, default_file
from pairquiz_server.config.settings import DEVELOPMENT_ORIGINS, Settings, load
from pairquiz_server.config.sources import ConfigError

__all__ = ["DEVELOPMENT_ORIGINS", "ROOT_DATA_DIR", "ConfigError", "Settings", "default_file", "load"]
