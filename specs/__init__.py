"""The shipped `.net` files, with their own assertions."""
