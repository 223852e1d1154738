"""Looking inside a network: are its gradients right, does it learn, and what do its layers do."""
