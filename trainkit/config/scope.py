"""What the names that a config itself brings stand for, at a place of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from trainkit.config.signatures import Definition, Signature, known_names
from trainkit.config.zoo import zoo_definition, zoo_files


@dataclass(frozen=True)
class Scope:
    """The names that are known where something is written.

    Args:
        values: What `$name` may be: the parameters of the blocks around it, the names of a `for_each`.
        blocks: The blocks that can be used, by name.
        custom: What the config's own Python code adds, by kind and name.
        networks: Whether the networks of the zoo can be used; not in the zoo itself.
    """

    values: frozenset[str] = frozenset()
    blocks: Mapping[str, Definition] = field(default_factory=dict)
    custom: Mapping[str, Mapping[str, Definition]] = field(default_factory=dict)
    networks: bool = True

    def definition(self, kind: str, name: str) -> Definition | None:
        """What a name stands for, if neither Keras nor TrainKit has it."""
        if kind == "layer" and name in self.blocks:
            return self.blocks[name]
        if name in known_names(kind):
            return None
        if kind == "layer" and name in self._zoo:
            return zoo_definition(name)
        return self.custom.get(kind, {}).get(name)

    def names(self, kind: str) -> dict[str, Signature]:
        """Everything of a kind that can be built here, with the arguments that it takes."""
        own = dict(self.custom.get(kind, {}))
        if kind == "layer":
            own |= {**{name: zoo_definition(name) for name in self._zoo}, **self.blocks}
        return {**known_names(kind), **{name: definition.signature for name, definition in own.items()}}

    def with_values(self, names: Iterable[str]) -> Scope:
        """The same with more values."""
        return replace(self, values=self.values | frozenset(names))

    def inside(self, blocks: Mapping[str, Definition], values: Iterable[str] = ()) -> Scope:
        """What is known inside a block: its own blocks and those around it, but of values its own only."""
        return replace(self, values=frozenset(values), blocks={**self.blocks, **blocks})

    @property
    def _zoo(self) -> Iterable[str]:
        return zoo_files() if self.networks else ()
