"""`python -m translate` is the command `translate`."""

from translate.cli import main

if __name__ == "__main__":
    main()
