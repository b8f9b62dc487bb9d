"""From a trained model to files for phones, each proved to answer like the model.

`trainkit.deploy` is this package and, called, its function `deploy`. What that is made of is imported with the first
call: TensorFlow Model Optimization takes seconds, which a training need not spend.
"""

import sys
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    """Importing a submodule makes `trainkit.deploy` name the package: so it answers to the function's calls."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from trainkit.deploy.deploy import deploy

        return deploy(*arguments, **options)


sys.modules[__name__].__class__ = _CallablePackage
