"""What the faults of a plan do to a world."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tests.simulation.node import Node
from tests.simulation.plan import Fault, Kind

if TYPE_CHECKING:
    from tests.simulation.world import World


class Mishaps:
    """Lets faults begin, and end."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._lives = [0, 0]

    def begin(self, fault: Fault) -> None:
        """Let a fault happen, and end when its time is over."""
        world = self._world
        world.note("fault", None, lambda: str(fault))
        end: Callable[[], None] | None = None
        line = world.nodes[fault.node].line
        match fault.kind:
            case Kind.LOST_BEFORE | Kind.LOST_AFTER | Kind.LATE:
                line.armed.append(fault.kind)

                def end() -> None:
                    if fault.kind in line.armed:
                        line.armed.remove(fault.kind)
            case Kind.SLOW:
                line.slow += 1

                def end() -> None:
                    line.slow -= 1
            case Kind.DOWN:
                world.weather.down += 1
                for node in world.nodes:
                    node.line.lose_session()

                def end() -> None:
                    world.weather.down -= 1
            case Kind.FROZEN:
                world.weather.frozen += 1

                def end() -> None:
                    world.weather.frozen -= 1
                    if not world.weather.frozen:
                        world.weather.thaw()
            case Kind.CRASH | Kind.CRASH_OF_ALL:
                end = self._crash([fault.node] if fault.kind is Kind.CRASH else range(len(world.nodes)))
            case Kind.CUT:
                line.cut += 1
                line.lose_session()

                def end() -> None:
                    line.cut -= 1

            case Kind.STEP:
                world.stepped_at = world.loop.time()
                world.database_step_ms += int((fault.until - fault.at) * (-1000 if fault.node else 1000))
            case Kind.PARTITION:
                world.partitions += 1

                def end() -> None:
                    world.partitions -= 1
                    if not world.partitions:
                        for node in world.nodes:
                            if node.alive:
                                node.resynchronize()

        world.look_at_service()
        if end is not None:
            world.loop.call_at(fault.until, self._end, fault, end)

    def _crash(self, numbers: Iterable[int]) -> Callable[[], None]:
        """Kill nodes that live; return what lets others take their places."""
        world = self._world
        killed = [number for number in numbers if not world.nodes[number].dead]
        for number in killed:
            world.crashed_at = world.loop.time()
            world.nodes[number].kill()
        if all(node.dead for node in world.nodes):
            world.note("all nodes dead", None, lambda: "no node serves")

        def replace_them() -> None:
            for number in killed:
                self._lives[number] += 1
                world.nodes[number] = Node(world, number, self._lives[number])

        return replace_them

    def _end(self, fault: Fault, end: Callable[[], None]) -> None:
        self._world.note("fault ends", None, lambda: str(fault))
        end()
        self._world.look_at_service()
