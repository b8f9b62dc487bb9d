"""What can be said of `deploy.export` from the config alone, in no time: a training asks before it begins."""

from __future__ import annotations

from trainkit.config import Config
from trainkit.deploy.export import file_name


def check_exports(config: Config) -> list[str]:
    """The name of each file that a config asks for.

    Raises:
        ConfigError: If two are the same.
    """
    names: list[str] = []
    for index, node in enumerate(config.experiment.deploy.export):
        name = file_name(node.class_name, node.arguments, config.experiment.name)
        if name in names:
            message = f"writes {name}, as deploy.export[{names.index(name)}] does. Remove one of the two."
            raise config.document.error(("deploy", "export", index), message)
        names.append(name)
    return names
