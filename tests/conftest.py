"""What all tests share: where the data beside the checkout lies, and hypothesis's settings."""

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, and no deadline: a slow machine is not a wrong answer.
settings.register_profile("fleetlab", derandomize=True, deadline=None)
settings.load_profile("fleetlab")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real traces beside the checkout, or skip the test where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder of real traces, ../shared/data, is not beside this checkout")
    return folder
