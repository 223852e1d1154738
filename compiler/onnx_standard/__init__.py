"""ONNX itself: its schemas, its protobuf messages, and operators that only it defines."""
