"""Where rows come from: one loader a format, streamed, with one clear error naming file and line."""
