"""The dashboard: the reports as one HTML page that needs no server and no network.

`queries.py` is the SQL, `data.py` runs it and `board.py` is what comes out. `words.py` puts values
into words, `svg.py` and `axes.py` draw, `charts.py`, `bars.py` and `flow.py` are the pictures,
`figures.py` says what they show, `header.py` and `tables.py` are the rest, `page.py` is the whole.
All but `data.py` are functions of plain values.
"""
