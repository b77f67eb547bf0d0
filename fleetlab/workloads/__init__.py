"""Where jobs come from: seeded generators, calibrated mixes, and traces of real clusters."""
