from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data that lies beside the checkout and may not be committed."""
    if not SHARED.is_dir():
        pytest.skip("the real data folder ../shared/data is not beside this checkout")
    return SHARED
