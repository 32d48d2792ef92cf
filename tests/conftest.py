import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# how long an example takes, and how long it is to make, depends on what else the machine does
settings.register_profile("any load", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any load")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # a shell starts what it runs in the background so, and programs under test would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def pytest_addoption(parser):
    parser.addoption(
        "--full",
        action="store_true",
        help="run tests that take a figure at the full one of R1-R18 (benchmarks/hardening.py)",
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data that lies beside the checkout and may not be committed."""
    if not SHARED.is_dir():
        pytest.skip("the real data folder ../shared/data is not beside this checkout")
    return SHARED


@pytest.fixture
def figure(request, record_property) -> Callable[..., int]:
    """How many: ``figure("kills", ci=20, full=200)`` is 20, and 200 with ``--full``.

    The figure is recorded beside the result of the test, for the table of the hardening run.
    """

    def take(what: str, *, ci: int, full: int) -> int:
        number = full if request.config.getoption("--full") else ci
        record_property(what, number)
        return number

    return take
