"""Constants of the SignalWire source.

The paths and their meaning come from the vendor's reference, "Campaign Registry".
"""

API_ROOT = "/api/relay/rest"
REGISTRY = f"{API_ROOT}/registry/beta"

MAX_PAGE_SIZE = 1000
MAX_WORKERS = 64

# Defaults of what can be set under [sources.signalwire]; they are nowhere else.
# the most concurrent requests, each over its own connection; how many it are follows the server
DEFAULT_WORKERS = MAX_WORKERS
# a campaign seldom has more orders than fit on the largest page, so one request reads it whole
DEFAULT_PAGE_SIZE = MAX_PAGE_SIZE
# seconds without a byte from the API after which a request is tried again
REQUEST_TIMEOUT = 60.0
# tries of one request before its campaign counts as failed
REQUEST_MAX_ATTEMPTS = 5
# seconds before the second try; doubles with each further one
REQUEST_BACKOFF_FACTOR = 1.0
# the longest wait between two tries in seconds, also when Retry-After asks for more
REQUEST_MAX_RETRY_DELAY = 300.0
# seconds after which a campaign is read to its end in any case: an order that seemed settled may
# have changed, or be gone. A day bounds how long that goes unnoticed
FULL_WALK_EVERY = 24 * 3600.0
# seconds between two readings of a campaign in which nothing happens; 0: it is read at every run
RECHECK_IDLE_EVERY = 0.0
# seconds without any change after which nothing is under way in a campaign
IDLE_AFTER = 30 * 24 * 3600.0
# seconds after which an untouched failed order is not expected to change; an open one always is
SETTLE_AFTER = 30 * 24 * 3600.0

# seconds after a change of an order within which its numbers may be assigned: the vendor says a day
NUMBERS_FOLLOW_WITHIN = 24 * 3600.0

# the numbers that can be set: their type, and the least and most that can work
LONGEST_WAIT = 31 * 24 * 3600.0
LONGEST_AGE = 10_000_000_000.0  # 300 years, which every destination can subtract from now
NUMBERS: dict[str, tuple[type, float, float]] = {
    "workers": (int, 1, MAX_WORKERS),
    "page_size": (int, 1, MAX_PAGE_SIZE),
    "request_timeout": (float, 0.01, LONGEST_WAIT),
    "request_max_attempts": (int, 1, 1_000_000),
    "request_backoff_factor": (float, 0, LONGEST_WAIT),
    "request_max_retry_delay": (float, 0, LONGEST_WAIT),
    "full_walk_every": (float, 0, LONGEST_AGE),
    "recheck_idle_every": (float, 0, LONGEST_AGE),
    "settle_after": (float, 0, LONGEST_AGE),
}
# states of orders that the vendor documents; others are asked for all the same
KNOWN_STATES = ("pending", "processing", "processed", "failed")

# seconds to wait for a TCP connection; an answer may take longer (request_timeout)
CONNECT_TIMEOUT = 10.0

# statuses that pass: something on the way was busy, slow, restarting or hung up
PASSING_STATUSES = frozenset((408, 425, 429, 499, *range(500, 600)))
# seconds; a longer wait is not asked for in earnest
MAX_RETRY_AFTER = 24 * 3600.0
# characters of a server's reason that messages repeat
MAX_REASON = 300

# bytes of an answer that are read at once; a full page of orders has some 250,000
READ_SIZE = 1_000_000

# A server that ignores its own page token serves one page for ever, each time under another URL.
# Rows do shift between pages while orders arrive, so one page without news is no
# proof; this many are.
MAX_PAGES_WITHOUT_NEWS = 100

# pages of orders that are converted together, at least, as long as requests are under way
PAGES_TOGETHER = 8

# Rows gathered before they are handed to dlt: large enough for a quick merge, a few megabytes each.
BATCH_ROWS = 20_000
# rows hold on to all pages that were decoded with theirs; beyond so many bytes they are copied
MAX_BATCH_BYTES = 16_000_000
# records of brands, campaigns and number assignments that become rows together
RECORDS_AT_ONCE = 1_000
# small tables cost more than their rows; so many of them are joined while a batch is gathered
MAX_BATCH_PARTS = 256
