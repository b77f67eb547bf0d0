"""What a run is worth to each track: training, the safety loop, frames, hearing, and dollars."""
