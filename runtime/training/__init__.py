"""Training: a job, its steps and the loop around them, and who listens to it."""
