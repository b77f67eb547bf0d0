"""The figures that the prose and the answer key name, each from a run or a closed form."""
