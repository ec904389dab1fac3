-- The generations of the read models: one schema each, and which of them is asked.

CREATE TABLE IF NOT EXISTS generation (
    name text COLLATE "C" NOT NULL,
    schema text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('building', 'live', 'as_of', 'kept', 'retired')),
    position bigint NOT NULL DEFAULT 0,
    recorded_at timestamptz,
    until bigint,  -- the position at which an as-of generation was asked to stop
    events bigint NOT NULL DEFAULT 0,
    code_version text NOT NULL,
    shape text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    retired_at timestamptz,
    live_one text GENERATED ALWAYS AS (CASE WHEN status = 'live' THEN 'live' END) STORED,
    PRIMARY KEY (name),
    UNIQUE (schema),
    -- Deferrable, so that it is checked when the one statement that switches has changed both rows.
    CONSTRAINT generation_one_is_live UNIQUE (live_one) DEFERRABLE
);
