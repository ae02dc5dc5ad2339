"""`python -m pipelines` and the console script `signalwire-orders`."""

import sys

from pipelines.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
