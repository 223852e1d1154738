"""What training is made of, as graphs: losses, regularizers, optimizers, schedules."""
