"""`python -m netc` is `netc`."""

from .cli import main

if __name__ == "__main__":
    main()
