"""`python -m lssat` is `lssat`."""

from lssat.cli import main

main()
