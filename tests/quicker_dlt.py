"""dlt with its answers remembered, for tests that make hundreds of small runs in one process.

Most of such a run is dlt asking itself the same things again: what the type of a setting is, what
its value is, whether its own schema is well formed. What is remembered or left out here are
functions of their arguments alone, checks of dlt's own schemas, and what it notes for its trace;
none of it decides what is read or written.
"""

from __future__ import annotations

import gc
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import pytest
from dlt.common.configuration import resolve
from dlt.common.configuration.specs import base_configuration
from dlt.common.configuration.specs.base_configuration import BaseConfiguration
from dlt.common.normalizers.json import relational
from dlt.common.schema import schema
from dlt.common.schema import utils as schema_utils
from dlt.extract import extract, hints

from pipelines import signalwire_orders

OF_THE_TYPE_ALONE = (
    (resolve, "is_secret_hint extract_inner_hint is_union_type is_optional_type"),
    (base_configuration, "is_secret_hint extract_inner_hint extract_inner_type"),
)
CHECKS = (
    (schema, "validate_dict"),
    (relational, "validate_dict"),
    (schema_utils, "validate_dict_ignoring_xkeys"),
    (hints, "validate_dict_ignoring_xkeys"),
)
# a few runs' worth; beyond it, what the runs leave behind would be searched too often
GARBAGE_THRESHOLD = 100_000


@contextmanager
def quicker_dlt() -> Iterator[None]:
    """Takes a third off the time of a small run."""
    often = gc.get_threshold()
    gc.freeze()  # what is imported by now never becomes garbage
    gc.set_threshold(GARBAGE_THRESHOLD)
    with pytest.MonkeyPatch.context() as patch:
        for module, names in OF_THE_TYPE_ALONE:
            for name in names.split():
                patch.setattr(module, name, lru_cache(None)(getattr(module, name)))
        for module, name in CHECKS:
            patch.setattr(module, name, lambda *_, **__: None)
        patch.setattr(extract, "yaml", SimpleNamespace(dump=lambda *_, **__: ""))
        patch.setattr(schema_utils, "deepcopy", lambda value: pickle.loads(pickle.dumps(value)))  # noqa: S301
        length = lru_cache(None)(lambda kind: len(list(BaseConfiguration.__iter__(kind))))
        patch.setattr(BaseConfiguration, "__len__", lambda self: length(type(self)))
        _remember_settings(patch)
        yield
    gc.set_threshold(*often)
    gc.unfreeze()


def _remember_settings(patch: pytest.MonkeyPatch) -> None:
    """Looks each setting up once a run; the environment changes between runs only."""
    values: dict[Any, Any] = {}
    look_up, begin = resolve.resolve_single_provider_value, signalwire_orders.find_target

    def remembered(*arguments: Any) -> Any:
        try:
            if arguments not in values:
                values[arguments] = look_up(*arguments)
        except TypeError:  # the type of a setting that cannot be a key
            return look_up(*arguments)
        return values[arguments]

    def begun(*arguments: Any) -> Any:
        values.clear()
        return begin(*arguments)

    patch.setattr(resolve, "resolve_single_provider_value", remembered)
    patch.setattr(signalwire_orders, "find_target", begun)
