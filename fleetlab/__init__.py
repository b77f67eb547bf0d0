"""fleetlab: a cluster-scheduler simulator, and the lab that is built on it."""

__version__ = "0.1.0"
