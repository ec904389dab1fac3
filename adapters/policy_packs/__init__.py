"""Policy packs: what jurisdictions say about tax and holidays, as data files that are published as facts."""
