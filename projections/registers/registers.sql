-- Engagements, projects, customers and legal entities as they stand.

CREATE TABLE engagement (
    engagement text COLLATE "C" NOT NULL,
    title text NOT NULL,
    customer text COLLATE "C" NOT NULL,
    selling_entity text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    held_because text,
    opportunity text COLLATE "C",
    signed_on date,
    starts date,
    ends date,
    purchase_order_required boolean NOT NULL,
    purchase_order text,
    purchase_order_amount numeric,
    purchase_order_valid_to date,
    lines json NOT NULL,
    opened_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (engagement)
);
CREATE INDEX engagement_customer ON engagement (customer, engagement);
CREATE INDEX engagement_entity ON engagement (selling_entity, engagement);

CREATE TABLE project (
    project text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    selling_entity text COLLATE "C" NOT NULL,
    delivering_entity text COLLATE "C" NOT NULL,
    title text NOT NULL,
    line text COLLATE "C" NOT NULL,
    starts date NOT NULL,
    ends date,
    closed_on date,
    manager text COLLATE "C",
    internal boolean NOT NULL,
    status text COLLATE "C" NOT NULL,
    held_because text,
    tasks json NOT NULL,
    assignments json NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (project)
);
CREATE INDEX project_unplaced ON project (project) WHERE selling_entity = '';
CREATE INDEX project_engagement ON project (engagement, project);

CREATE TABLE customer (
    customer text COLLATE "C" NOT NULL,
    name text NOT NULL,
    country text COLLATE "C",
    blocked_because text,
    version bigint NOT NULL,
    PRIMARY KEY (customer)
);

CREATE TABLE legal_entity (
    entity text COLLATE "C" NOT NULL,
    name text NOT NULL,
    country text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    functional_currency text COLLATE "C" NOT NULL,
    time_zone text COLLATE "C" NOT NULL,
    countries text[] COLLATE "C" NOT NULL,  -- of all versions, past and future
    version bigint NOT NULL,
    PRIMARY KEY (entity)
);
CREATE INDEX legal_entity_region ON legal_entity (region);

-- indexes
CREATE INDEX engagement_opened ON engagement (opened_at, engagement);
CREATE INDEX engagement_updated ON engagement (updated_at, engagement);
CREATE INDEX project_customer ON project (customer, project);
CREATE INDEX project_entity ON project (selling_entity, project);
CREATE INDEX project_created ON project (created_at, project);
CREATE INDEX project_updated ON project (updated_at, project);
