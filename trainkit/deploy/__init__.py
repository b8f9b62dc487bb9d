"""From a trained model to files for phones, each proved to answer like the model.

`trainkit.deploy` is this package and, called, its function `deploy`.
"""

import sys
from types import ModuleType

from trainkit.deploy.deploy import check_deploy, check_exports, deploy
from trainkit.deploy.production import Deployment

__all__ = ["Deployment", "check_deploy", "check_exports", "deploy"]


class _CallablePackage(ModuleType):
    """Importing a submodule makes `trainkit.deploy` name the package: so it answers to the function's calls."""

    __call__ = staticmethod(deploy)


sys.modules[__name__].__class__ = _CallablePackage
