"""The folder of a run: what training leaves there, and how it is read back."""
