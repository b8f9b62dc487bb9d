"""The fewest layers in float32 that will do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trainkit.deploy.sensitivity.parts import Parts
from trainkit.deploy.sensitivity.trials import Trial, Trials

FEW = 8
"""Moves that are tried again in a later round: those that were best in the round before."""


@dataclass(frozen=True)
class Step:
    """A move of the search.

    Args:
        layers: That were put into float32, or back: then `back` is true.
        trial: What was measured after it.
        back: Whether it was found that they can be left out.
    """

    layers: tuple[str, ...]
    trial: Trial
    back: bool = False


@dataclass(frozen=True)
class Choice:
    """Which layers of an int8 file compute with real numbers, and why.

    Args:
        layers: Their names, in the order of the network.
        needed: Those of them that no file computes with integers.
        before: What was measured with none.
        after: What was measured with these; where it would not do with all layers in float32 either, with all of them.
        steps: How they were found.
        tried: Files that were made and measured in all.
    """

    layers: tuple[str, ...]
    needed: tuple[str, ...]
    before: Trial
    after: Trial
    steps: tuple[Step, ...]
    tried: int

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


def choose(trials: Trials, parts: Parts, ranking: Sequence[str]) -> Choice:
    """Find layers without which, in float32, the file of integers does not do.

    If one layer, or one with those that take what it gives, is enough, it is found. Else the search is greedy: it takes
    what lowers the error most for each layer. At the end it leaves out again whatever can be left out, so that no
    member of the result can.

    Args:
        trials: Measures files; their `passed` is what has to be met.
        parts: Those of the network.
        ranking: Layers, and inputs, from the worst down: what is tried, and in what order where all else is equal.
    """
    return _Search(trials, parts, ranking).run()


class _Search:
    def __init__(self, trials: Trials, parts: Parts, ranking: Sequence[str]) -> None:
        self._trials, self._parts, self._ranking = trials, parts, ranking
        self._free = list(parts.by_name)
        self._needed = [part.name for part in parts.of(trials.calibrated.floats)]
        self._chosen = list(self._needed)
        self._steps: list[Step] = []

    def run(self) -> Choice:
        before = self._trials.of(())
        if not before.passed and not (ideal := self._trials.of(self._free)).passed:  # rounding is not to blame
            return Choice(tuple(self._needed), tuple(self._needed), before, ideal, (), self._trials.count)
        moves = self._moves()
        while not self._now.passed and len(self._chosen) < len(self._free):
            moves = self._grow(moves)
        self._prune()
        order = [name for name in self._free if name in self._chosen]
        return Choice(tuple(order), tuple(self._needed), before, self._now, tuple(self._steps), self._trials.count)

    @property
    def _now(self) -> Trial:
        return self._trials.of(self._chosen)

    def _moves(self) -> list[tuple[str, ...]]:
        """Each layer by itself, then each with all that must be in float32 for what it gives not to be rounded."""
        single = [(name,) for name in self._ranking if name in self._free]
        around = [self._parts.around(name) for name in self._ranking]
        return list(dict.fromkeys(self._parts.with_tied(move) for move in [*single, *around] if move))

    def _grow(self, moves: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Make the best move; return those that are worth another try, the best first."""
        results = [(move, self._trials.of([*self._chosen, *move])) for move in self._new(moves)]
        if enough := [(move, trial) for move, trial in results if trial.passed]:
            best, _ = min(enough, key=lambda result: (len(self._added(result[0])), result[1].error))
            self._take(best)
            return []
        error = self._now.error
        gains = {move: (error - trial.error) / len(self._added(move)) for move, trial in results}
        order = sorted(gains, key=lambda move: -gains[move])
        if order and gains[order[0]] > 0:
            self._take(order[0])
            return order[1 : FEW + 1] or self._rest()[:FEW]
        self._take(self._rest()[0])
        return order[:FEW] or self._rest()[:FEW]

    def _new(self, moves: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return [move for move in moves if self._added(move)]

    def _added(self, move: Iterable[str]) -> list[str]:
        return [name for name in move if name not in self._chosen]

    def _rest(self) -> list[tuple[str, ...]]:
        """The layers that are integers still, the worst first."""
        order = dict.fromkeys([*self._ranking, *self._free])
        left = [name for name in order if name in self._free and name not in self._chosen]
        return [self._parts.with_tied((name,)) for name in left]

    def _take(self, move: Iterable[str]) -> None:
        added = self._added(move)
        self._chosen += added
        self._steps.append(Step(tuple(added), self._now))

    def _prune(self) -> None:
        """Leave out what can be left out, the layers that came last first, until nothing can."""
        is_done = not self._now.passed
        while not is_done:
            is_done = True
            for name in [one for one in self._chosen[::-1] if one not in self._needed]:
                tied = self._parts.with_tied((name,))
                fewer = [one for one in self._chosen if one not in tied]
                if len(fewer) < len(self._chosen) and self._trials.of(fewer).passed:
                    self._chosen, is_done = fewer, False
                    self._steps.append(Step(tied, self._now, back=True))
