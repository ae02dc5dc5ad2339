"""Where orders are loaded to: one file per destination behind the interface of `base.Destination`.

How a load runs is in `loading`, and what is made of loaded data in `reporting` and `publishing`.
"""
