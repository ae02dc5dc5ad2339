"""What an error means: one sentence, and the exit code, found among its causes."""

from __future__ import annotations

import pytest
from dlt.common.exceptions import SignalReceivedException

from pipelines import errors
from pipelines.errors import BUSY, FAILED, WRONG_USAGE, Busy, LockLost, NothingLoaded, PipelineError
from pipelines.errors.explain import explain
from sources.signalwire.errors import AccessDenied, ConfigurationError


def wrapped(cause: BaseException) -> Exception:
    """An error as dlt wraps it."""
    outer = RuntimeError("Pipeline execution failed at step=load")
    outer.__cause__ = cause
    return outer


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (Busy("who"), BUSY),
        (LockLost("lost"), FAILED),
        (NothingLoaded("nothing"), WRONG_USAGE),
        (ConfigurationError("setting"), WRONG_USAGE),
        (AccessDenied("401"), FAILED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_text_of_our_own_errors_is_the_sentence(cause: Exception, code: int) -> None:
    assert explain(wrapped(cause)) == (str(cause), code)


@pytest.mark.parametrize(
    ("interruption", "code"), [(KeyboardInterrupt(), 130), (SignalReceivedException(15), 143)]
)
def test_an_interruption_counts_before_what_it_led_to(
    interruption: BaseException, code: int
) -> None:
    failed = Busy("who")
    failed.__cause__ = interruption
    sentence, found = explain(wrapped(failed))
    assert (found, sentence.partition(";")[0]) == (code, "interrupted")


def test_any_other_error_is_named() -> None:
    assert explain(wrapped(KeyError("x"))) == ("RuntimeError: 'x'", FAILED)


def test_the_drawing_shows_every_error() -> None:
    drawn = errors.__doc__ or ""
    for error in PipelineError.__subclasses__():
        assert f"── {error.__name__} " in drawn
