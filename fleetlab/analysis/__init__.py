"""What can be read from a Run: reasons, lives of jobs, instants, distances, differences."""
