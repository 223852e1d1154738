"""Graph to artefact: ONNX, diagrams."""
