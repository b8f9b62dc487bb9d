"""What a network asks of the places where its files are to run, known before it is trained."""

from trainkit.models.targets.findings import findings
from trainkit.models.targets.target import Finding, Target

__all__ = ["Finding", "Target", "findings"]
