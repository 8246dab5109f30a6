"""HTML pages and their charts: views in, strings out; for the HTML report and the dashboard alike.

Import from the file that owns a thing: `visible` (foreign text), `diffs` (answers word by word), `charts`
(SVG), `marks` (outcomes as shape, word and colour), `drawing` (templates), `report` (the page of a document).
"""
