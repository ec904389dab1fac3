-- Work items for people: what failed, for whom, and how much money waits for it.

CREATE TABLE exception (
    stream text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    about text COLLATE "C" NOT NULL,
    message text NOT NULL,
    what_to_do text NOT NULL,
    owner_role text COLLATE "C" NOT NULL,
    system text COLLATE "C",
    resource text COLLATE "C",
    project text COLLATE "C",
    engagement text COLLATE "C",
    customer text COLLATE "C",
    invoice text COLLATE "C",
    selling_entity text COLLATE "C" NOT NULL,
    money_at_risk numeric,
    currency text COLLATE "C",
    hours_at_risk text,
    waits_for text COLLATE "C",
    is_open boolean NOT NULL,
    occurrences bigint NOT NULL,
    retries bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text COLLATE "C",
    resolution text,
    version bigint NOT NULL,
    PRIMARY KEY (stream)
);

-- indexes
CREATE INDEX exception_last ON exception (last_at, stream);
CREATE INDEX exception_opened ON exception (opened_at, stream);
CREATE INDEX exception_open_last ON exception (last_at, stream) WHERE is_open;
CREATE INDEX exception_open_opened ON exception (opened_at, stream) WHERE is_open;
CREATE INDEX exception_project ON exception (project, last_at, stream) WHERE project IS NOT NULL;
CREATE INDEX exception_engagement ON exception (engagement, last_at, stream) WHERE engagement IS NOT NULL;
CREATE INDEX exception_entity ON exception (selling_entity, last_at, stream);
