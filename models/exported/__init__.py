"""ONNX files: written, checked, and run without torch."""
