"""Looking inside a network: are its gradients right, and what do its layers compute."""
