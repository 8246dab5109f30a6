"""The dashboard: a read-only web page over results folders.

A page is one module here with a `Page`: its address (`regrade.addresses`), and a function that asks `store`
and `api`, has `report` make a view and gives what `pages` draws. `app.PAGES` lists them. Guarding, frame,
formats and errors are the same for all and lie in files of their own.
"""
