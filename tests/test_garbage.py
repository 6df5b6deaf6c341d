"""What Python's garbage collector does not look at (`gc=False`) cannot lead to itself: else it would stay for ever."""

import importlib
import pkgutil
from collections.abc import Iterable
from enum import Enum
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from msgspec import Struct

import pairquiz_server
from pairquiz_server.web.guard.places import Places

ATOMS = (int, float, str, bytes, NoneType, Enum)
COUNTERS = (Places,)
"""Objects of ours that know nobody."""


def unseen() -> Iterable[type[Struct]]:
    for module in pkgutil.walk_packages(pairquiz_server.__path__, "pairquiz_server."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = list(Struct.__subclasses__())
    for kind in kinds:
        kinds += kind.__subclasses__()
    return [kind for kind in kinds if kind.__module__.startswith("pairquiz_server") and not collected(kind)]


def collected(kind: type[Struct]) -> bool:
    return bool(kind.__struct_config__.gc)


def harmless(hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return True
    if parts := get_args(hint):
        return all(part is ... or harmless(part) for part in parts)
    return issubclass(hint, ATOMS + COUNTERS) or (issubclass(hint, Struct) and not collected(hint))


@pytest.mark.parametrize("kind", unseen(), ids=lambda kind: kind.__qualname__)
def test_what_is_not_collected_is_made_of_values_alone(kind: type[Struct]) -> None:
    wrong = {name: hint for name, hint in get_type_hints(kind).items() if not harmless(hint)}
    assert not wrong
