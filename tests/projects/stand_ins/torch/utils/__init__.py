"""What is not about tensors."""
