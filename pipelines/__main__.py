"""`python -m pipelines` and the console script `signalwire-orders`."""

import sys

from pipelines.cli import main

if __name__ == "__main__":
    sys.exit(main())
