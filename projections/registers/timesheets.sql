-- Work as people told it: one row per entry or expense line, and one per person and week.

CREATE TABLE entry (
    stream text COLLATE "C" NOT NULL,
    entry text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    project text COLLATE "C" NOT NULL,
    task text COLLATE "C",
    work_date date NOT NULL,
    hours numeric,
    time_type text COLLATE "C",
    started text COLLATE "C",
    note text NOT NULL,
    category text COLLATE "C",
    amount numeric,
    currency text COLLATE "C",
    receipt text,
    billable boolean NOT NULL,
    status text COLLATE "C" NOT NULL,
    status_version bigint NOT NULL,
    status_at timestamptz NOT NULL,
    waits_since timestamptz,  -- for its approval, by the clock of its source
    was_revoked boolean NOT NULL,
    approved_by text COLLATE "C",
    approved_at timestamptz,
    approved_hours numeric,  -- where they are not those that were worked
    merged_into text COLLATE "C",
    systems text[] COLLATE "C" NOT NULL,
    unrated_code text COLLATE "C",
    unrated_detail text,
    unrated_version bigint,
    unrated_at timestamptz,
    lots bigint NOT NULL,  -- lots that stand for it now
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    told_at timestamptz NOT NULL,  -- by the clock of its source
    PRIMARY KEY (stream, entry)
);

CREATE TABLE sheet (
    stream text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    week date NOT NULL,  -- its Monday
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (stream)
);

-- indexes
CREATE INDEX entry_work_date ON entry (work_date, stream, entry);
CREATE INDEX entry_project ON entry (project, work_date, stream, entry);
CREATE INDEX entry_resource ON entry (resource, work_date, stream, entry);
CREATE INDEX sheet_week ON sheet (week, stream);
CREATE INDEX sheet_resource ON sheet (resource, week, stream);
