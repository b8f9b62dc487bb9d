"""Why int8 is bad, where it is bad, and the repair."""

from trainkit.deploy.sensitivity.explain import Explainer, Explanation, explain_files, write_explanation
from trainkit.deploy.sensitivity.report import print_explanation, print_islands

__all__ = [
    "Explainer",
    "Explanation",
    "explain_files",
    "print_explanation",
    "print_islands",
    "write_explanation",
]
