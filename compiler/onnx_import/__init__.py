"""ONNX files to graphs: a file is read and checked, then raised to the opset that graphs speak."""
