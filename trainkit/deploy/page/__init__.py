"""The page that shows what was trained and what was made of it, and the model card, from the same facts."""

from trainkit.deploy.page.write import write_report

__all__ = ["write_report"]
