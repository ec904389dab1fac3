-- Every lot, and all work that is not a lot yet: where it stands and every reason why it is not billed.

CREATE TABLE item (
    stream text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,  -- the lot, or the entry
    is_lot boolean NOT NULL,
    kind text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    is_open boolean NOT NULL,
    state text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    project text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    selling_entity text COLLATE "C" NOT NULL,
    delivering_entity text COLLATE "C",
    line text COLLATE "C",
    task text COLLATE "C",
    resource text COLLATE "C",
    role text COLLATE "C",
    practice text COLLATE "C",
    work_date date NOT NULL,
    quantity numeric NOT NULL,
    unit text COLLATE "C" NOT NULL,
    currency text COLLATE "C",
    price numeric,
    value numeric,
    eligible_quantity numeric NOT NULL,
    eligible_value numeric NOT NULL,
    over_cap_quantity numeric NOT NULL,
    over_cap_value numeric NOT NULL,
    cost numeric,
    cost_currency text COLLATE "C",
    cost_in_billing_currency numeric,
    functional_currency text COLLATE "C",
    functional_rate numeric,
    functional_value numeric,
    functional_cost numeric,
    functional_billed numeric,
    invoice text COLLATE "C",
    number text COLLATE "C",
    description text NOT NULL,
    approved_at timestamptz,
    non_billable_because text COLLATE "C",
    receipt_missing boolean NOT NULL,
    was_revoked boolean NOT NULL,
    unrated_code text COLLATE "C",
    unrated_detail text,
    status_version bigint NOT NULL,  -- the event that brought the status
    status_at timestamptz NOT NULL,
    recorded_version bigint NOT NULL,  -- the event that rated the lot, or moved the entry
    recorded_at timestamptz NOT NULL,
    codes text[] COLLATE "C" NOT NULL,
    owner_roles text[] COLLATE "C" NOT NULL,  -- one for each code
    reasons json NOT NULL,
    waits boolean NOT NULL,
    waits_until date,  -- the day on which it is decided again
    told_at timestamptz,  -- by the clock of the source of the work
    transfer_gap text COLLATE "C",
    transfer_gap_detail text,
    postponed_until date,
    holds json NOT NULL,
    PRIMARY KEY (stream, item)
);
-- Which open work a change of its engagement touches.
CREATE INDEX item_open ON item (engagement) WHERE is_open;

-- Sums by state, so that totals need not read the rows.
CREATE TABLE item_sum (
    by text COLLATE "C" NOT NULL,  -- project, engagement, customer, selling_entity
    key text COLLATE "C" NOT NULL,
    selling_entity text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    parts bigint NOT NULL,
    items bigint NOT NULL,
    hours numeric NOT NULL,
    value numeric NOT NULL,
    PRIMARY KEY (by, key, selling_entity, state, currency)
);

CREATE TABLE reason_sum (
    selling_entity text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    owner_role text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    items bigint NOT NULL,
    value numeric NOT NULL,
    PRIMARY KEY (selling_entity, code, owner_role, currency)
);

-- indexes
CREATE INDEX item_named ON item (item);
CREATE INDEX item_work_date ON item (work_date, stream, item);
CREATE INDEX item_state ON item (state, work_date, stream, item);
CREATE INDEX item_engagement ON item (engagement, work_date, stream, item);
CREATE INDEX item_project ON item (project, work_date, stream, item);
CREATE INDEX item_customer ON item (customer, work_date, stream, item);
CREATE INDEX item_entity ON item (selling_entity, work_date, stream, item);
CREATE INDEX item_resource ON item (resource, work_date, stream, item);
CREATE INDEX item_invoice ON item (invoice) WHERE invoice IS NOT NULL;
CREATE INDEX item_unbilled ON item (work_date, stream, item) WHERE state IN ('eligible', 'held', 'over_cap', 'reserved');
CREATE INDEX item_open_value ON item (coalesce(value, 0), stream, item) WHERE is_open;
CREATE INDEX item_codes ON item USING gin (codes) WHERE is_open;
CREATE INDEX item_waits ON item (stream, item) WHERE waits;
CREATE INDEX item_unconverted ON item (stream, item) WHERE is_lot AND functional_rate IS NULL;
