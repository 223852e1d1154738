"""Arrays from outside: what they may hold, how large they may be, and `.npy` files of them."""
