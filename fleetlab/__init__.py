"""fleetlab: a cluster-scheduler simulator, and the lab that is built on it."""

try:
    import numpy as _numpy
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        "fleetlab needs NumPy, which this Python does not have; "
        "install it: python3 -m pip install numpy"
    ) from None

from fleetlab.run import Run
from fleetlab.scenario import Scenario, ScenarioError
from fleetlab.simulate import simulate

del _numpy

__version__ = "0.1.0"
__all__ = ["Run", "Scenario", "ScenarioError", "__version__", "simulate"]
