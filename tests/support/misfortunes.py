"""What the answers of a space can be like, drawn at random for `histories.py`."""

from __future__ import annotations

from hypothesis import strategies as st

from sources.simulator import Fault

DATES = (
    "Wed, 05 Mar 2036 12:00:00 GMT",
    "Sat, 05 Mar 2016 12:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "yesterday",
)
faults = st.one_of(
    st.builds(
        lambda path, status, times: Fault(path, "respond", status=status, times=times),
        st.sampled_from(
            ["/orders", "/orders/", "/numbers", "/campaigns$", "brands", "page_number"]
        ),
        st.sampled_from([404, 408, 422, 429, 500, 503]),
        st.sampled_from([1, 2, 9, None]),
    ),
    st.builds(
        lambda path, kind, times: Fault(path, kind, times=times),
        st.sampled_from(["/orders", "/campaigns", "brands"]),
        st.sampled_from(["reset", "cut"]),
        st.sampled_from([1, 2, 9]),
    ),
    st.builds(
        lambda body, times: Fault("/orders", "respond", status=200, body=body, times=times),
        st.sampled_from(
            [
                "<html>",
                '{"data": [',
                '{"error": "oops"}',
                '{"error": "oops", "data": [], "links": {}}',
                '{"errors": [{"detail": "oops"}], "data": []}',
                '{"links": {}}',
                '{"links": {"next": "http://[::1"}, "data": []}',
            ]
        ),
        st.sampled_from([1, 9]),
    ),
    st.builds(
        lambda path, date, times: Fault(path, "headers", headers={"Date": date}, times=times),
        st.sampled_from(["", "/orders", "brands"]),
        st.sampled_from(DATES),
        st.sampled_from([1, 1, 5, None]),
    ),
)
