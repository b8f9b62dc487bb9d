"""`trainkit schema`"""

from __future__ import annotations

import json


def schema() -> None:
    """Print the JSON Schema of a config, for editors."""
    from trainkit.config import make_schema

    print(json.dumps(make_schema(), indent=1))
