-- What finance states: accounting periods, exchange rates, agreements between entities, accounts of the ERPs.

CREATE TABLE accounting_period (
    entity text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,  -- as 2026-03
    status text COLLATE "C" NOT NULL,
    by text COLLATE "C" NOT NULL,  -- who brought the status
    at timestamptz NOT NULL,
    reason text NOT NULL,
    closed_position bigint,  -- where the log stood at its newest close
    closed_at timestamptz,
    closes bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (entity, period)
);

CREATE TABLE fx_rate (
    base text COLLATE "C" NOT NULL,
    quote text COLLATE "C" NOT NULL,
    on_day text COLLATE "C" NOT NULL,  -- ISO 8601
    source text COLLATE "C" NOT NULL,
    rate numeric NOT NULL,
    corrections bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    event text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (base, quote, on_day, source)
);

CREATE TABLE fx_policy (
    effective_from text COLLATE "C" NOT NULL,  -- ISO 8601
    reporting_currency text COLLATE "C" NOT NULL,
    sources text[] COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (effective_from)
);

CREATE TABLE account_mapping (
    entity text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    effective_from text COLLATE "C" NOT NULL,  -- ISO 8601
    account text COLLATE "C" NOT NULL,
    by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (entity, target, role, effective_from)
);

CREATE TABLE intercompany_agreement (
    lender text COLLATE "C" NOT NULL,
    borrower text COLLATE "C" NOT NULL,
    effective_from text COLLATE "C" NOT NULL,  -- ISO 8601
    ends date,
    model text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    parameter numeric,
    roles text[] NOT NULL,  -- "Analyst 120", one for each role that has a parameter of its own
    tax_category text COLLATE "C",
    tax_percent numeric,
    tax_reason text,
    by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (lender, borrower, effective_from)
);

-- The newest day of the books, of the work, or of the exchange rates: one for the whole firm, whoever asks.
CREATE VIEW newest_day AS
    SELECT greatest(
        (SELECT max(effective_on) FROM posting),
        (SELECT max(work_date) FROM item),
        (SELECT max(on_day)::date FROM fx_rate)
    ) AS day;

-- indexes
CREATE INDEX fx_rate_day ON fx_rate (on_day, base, quote, source);
CREATE INDEX accounting_period_closed ON accounting_period (closed_position) WHERE closed_position IS NOT NULL;
