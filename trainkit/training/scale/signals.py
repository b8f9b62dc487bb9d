"""Signals that all workers of a training answer after the same step."""

from __future__ import annotations

import signal

from trainkit.training.scale.team import Team
from trainkit.training.signals import Signals
from trainkit.workers import SIGNALS


class TeamSignals(Signals):
    """Holds signals back, and answers what came to any worker with all of them.

    Args:
        team: The workers; each asks as often as the others whether a signal came.
    """

    def __init__(self, team: Team) -> None:
        super().__init__()
        self._team = team
        self._agreed: int | None = None

    @property
    def asked(self) -> bool:
        """Whether a signal came to any worker that was not answered yet."""
        if self._agreed is None:
            came = self._team.sum([self._asked == number for number in SIGNALS])
            self._agreed = next((number for number, count in zip(SIGNALS, came, strict=True) if count), None)
        return self._agreed is not None

    def answer(self) -> None:
        """Do what the signal would have done that came first, here or elsewhere."""
        number, self._agreed = self._agreed, None
        if number is not None:  # one that comes here late, too, is no second one
            self._asked = number if number in self._before else signal.SIGTERM
        super().answer()


def signals_of(team: Team) -> Signals:
    """What holds signals back in a worker of a team."""
    return Signals() if team.count == 1 else TeamSignals(team)
