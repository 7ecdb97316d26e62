"""The same training in MXNet, TensorFlow and JAX: one file each, none imported by default.

Each file runs in an environment of its own, without PyTorch; `common` is what they share.
"""
