"""fleetlab: a cluster-scheduler simulator, and the lab that is built on it."""

from fleetlab.run import Run
from fleetlab.scenario import Scenario, ScenarioError
from fleetlab.simulate import simulate

__version__ = "0.1.0"
__all__ = ["Run", "Scenario", "ScenarioError", "__version__", "simulate"]
