"""A page over a published copy: streamlit run examples/streamlit_app.py -- bi.duckdb"""

import sys

import duckdb
import streamlit as st

# period 0 ends now, period 1 is the one before
ORDERS = """(SELECT order_processing.*, date_diff('day', created_day, as_of::DATE) // ? AS period
    FROM order_processing, data_as_of WHERE use_case IN (SELECT unnest(?)))"""
MEASURES = """count(*) AS "Orders", median(processing_hours) AS "Median hours",
    100 * avg(within_target::INT) AS "Within target, %" """


def ask(sql, *values):
    # opened for each question, so that the next one reads the next copy
    with duckdb.connect(sys.argv[1], read_only=True) as copy:
        return copy.execute(f"USE signalwire_reports; {sql}", values).df()


st.title("SignalWire orders")
names = ask("SELECT DISTINCT use_case FROM order_processing ORDER BY 1").use_case.tolist()
chosen = st.multiselect("Use cases", names, default=names) or names
days = st.select_slider("Last days, beside as many before", [7, 30, 90], value=30)
periods = ask(f"SELECT period, {MEASURES} FROM {ORDERS} GROUP BY 1", days, chosen)
now, before = (periods.set_index("period").reindex([0, 1]).loc[n] for n in (0, 1))
for column, name in zip(st.columns(3), now.index, strict=True):
    rise = "inverse" if name == "Median hours" else "normal"  # slower is shown in red
    difference = round(now[name] - before[name], 1)
    column.metric(name, f"{round(now[name], 1):,g}", f"{difference:+,g}", delta_color=rise)
by_day = f"SELECT created_day, {MEASURES} FROM {ORDERS} WHERE period = 0 GROUP BY 1 ORDER BY 1"
st.line_chart(ask(by_day, days, chosen), x="created_day", y="Median hours")
st.dataframe(ask("SELECT * FROM stuck_orders WHERE use_case IN (SELECT unnest(?))", chosen))
