"""`trainkit check`"""

from __future__ import annotations

from trainkit.cli.arguments import AllowCode, ConfigFile, Overrides


def check(config: ConfigFile, overrides: Overrides = None, allow_code: AllowCode = False) -> None:
    """Find every problem in CONFIG, then show its layers, shapes and parameters; trains nothing."""
    from trainkit.config import load_config

    loaded = load_config(config, overrides or ())

    from rich.console import Console

    from trainkit.deploy import check_deploy
    from trainkit.training import prepare
    from trainkit.training.report import print_network

    prepared = prepare(loaded)
    check_deploy(loaded, prepared.model)
    print_network(Console(), prepared)
