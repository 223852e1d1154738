"""Monitoring: what each layer does while a network is trained, and what is wrong with it."""
