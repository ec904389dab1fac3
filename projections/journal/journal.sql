-- The books in double entry: every posting, what the accounts come to, and what is open and at which amount.

CREATE TABLE posting (
    posting text COLLATE "C" NOT NULL,  -- position of the fact, number of the entry, number of the posting
    entry text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    event_name text COLLATE "C" NOT NULL,
    because text NOT NULL,
    entity text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    counterparty text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    line text COLLATE "C" NOT NULL,
    project text COLLATE "C" NOT NULL,
    lot text COLLATE "C" NOT NULL,
    invoice text COLLATE "C" NOT NULL,
    payment text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,  -- as 2026-03
    effective_on date NOT NULL,
    true_on date NOT NULL,  -- earlier than effective_on where the period was closed
    currency text COLLATE "C" NOT NULL,
    amount numeric NOT NULL,
    functional_currency text COLLATE "C" NOT NULL,
    functional numeric NOT NULL,
    reporting_currency text COLLATE "C" NOT NULL,
    reporting numeric,
    rate_id text NOT NULL,
    reporting_rate_id text NOT NULL,
    message text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (posting)
);

CREATE TABLE journal_balance (
    grain text COLLATE "C" NOT NULL,  -- month or day
    span text COLLATE "C" NOT NULL,  -- 2026-03, or 2026-03-31
    entity text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    functional_currency text COLLATE "C" NOT NULL,
    reporting_currency text COLLATE "C" NOT NULL,
    postings bigint NOT NULL,
    unreported bigint NOT NULL,
    amount numeric NOT NULL,
    debit numeric NOT NULL,
    credit numeric NOT NULL,
    functional numeric NOT NULL,
    reporting numeric NOT NULL,
    PRIMARY KEY (grain, span, entity, account, currency, functional_currency, reporting_currency)
);

CREATE TABLE journal_open (
    kind text COLLATE "C" NOT NULL,  -- position, receivable, retention, receipt, ic_receivable, ic_payable
    name text COLLATE "C" NOT NULL,  -- of an engagement, invoice, invoice, payment
    entity text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    functional_currency text COLLATE "C" NOT NULL,
    rate numeric NOT NULL,
    rate_id text NOT NULL,
    amount numeric NOT NULL,
    functional numeric NOT NULL,
    is_foreign boolean NOT NULL,
    waits_since date,
    PRIMARY KEY (kind, name)
);

CREATE TABLE journal_line (
    engagement text COLLATE "C" NOT NULL,
    line text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    method text COLLATE "C" NOT NULL,
    price numeric,
    recognised numeric NOT NULL,
    adjusted numeric NOT NULL,
    billed numeric NOT NULL,
    hours numeric NOT NULL,
    cost numeric NOT NULL,
    over_cap numeric NOT NULL,
    provision numeric NOT NULL,
    breakage numeric NOT NULL,
    running boolean NOT NULL,
    recognised_through date,
    basis_since date,
    basis_recognised numeric,
    basis_done numeric,
    basis_left numeric,
    basis_price numeric,
    estimate_measure text COLLATE "C" NOT NULL,  -- hours, cost, or empty
    estimate numeric,
    PRIMARY KEY (engagement, line)
);

CREATE TABLE journal_lot (
    stream text COLLATE "C" NOT NULL,
    lot text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    line text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    project text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    delivering_entity text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    work_date date NOT NULL,
    approved_at timestamptz NOT NULL,
    open boolean NOT NULL,
    account text COLLATE "C" NOT NULL,
    earns boolean NOT NULL,
    is_agent boolean NOT NULL,
    hours numeric NOT NULL,
    currency text COLLATE "C" NOT NULL,
    value numeric NOT NULL,
    recognised numeric NOT NULL,
    functional_recognised numeric NOT NULL,
    cost_currency text COLLATE "C" NOT NULL,
    cost numeric NOT NULL,
    line_cost numeric NOT NULL,
    tax numeric NOT NULL,
    cost_rate numeric,
    cost_rate_id text NOT NULL,
    waiting boolean NOT NULL,
    held_back boolean NOT NULL,
    PRIMARY KEY (stream, lot)
);

CREATE TABLE journal_expense (
    stream text COLLATE "C" NOT NULL,
    line text COLLATE "C" NOT NULL,
    tax numeric NOT NULL,
    PRIMARY KEY (stream, line)
);

CREATE TABLE journal_charge (
    stream text COLLATE "C" NOT NULL,
    lot text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    lender text COLLATE "C" NOT NULL,  -- a practice of the entity, as DE01/Data
    borrower text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    line text COLLATE "C" NOT NULL,
    project text COLLATE "C" NOT NULL,
    work_date date NOT NULL,
    currency text COLLATE "C" NOT NULL,
    amount numeric NOT NULL,
    functional_currency text COLLATE "C" NOT NULL,
    functional numeric NOT NULL,
    rate_id text NOT NULL,
    waiting boolean NOT NULL,
    PRIMARY KEY (stream, lot)
);

CREATE INDEX journal_lot_open ON journal_lot (engagement, open);  -- the fold asks for the open lots under a cap

-- indexes
CREATE INDEX posting_statement ON posting (entity, account, effective_on, posting);
CREATE INDEX posting_effective ON posting (effective_on, posting);
CREATE INDEX posting_entry ON posting (entry);
CREATE INDEX posting_event ON posting (event);
CREATE INDEX posting_engagement ON posting (engagement, effective_on, posting) WHERE engagement <> '';
CREATE INDEX posting_customer ON posting (customer, effective_on, posting) WHERE customer <> '';
CREATE INDEX posting_invoice ON posting (invoice, posting) WHERE invoice <> '';
CREATE INDEX journal_lot_customer ON journal_lot (customer, open);
CREATE INDEX journal_lot_waiting ON journal_lot (waiting) WHERE waiting;
CREATE INDEX journal_charge_waiting ON journal_charge (waiting) WHERE waiting;
CREATE INDEX posting_between ON posting (effective_on) WHERE account IN ('REVENUE_IC', 'COST_IC');
CREATE INDEX journal_open_foreign ON journal_open (is_foreign) WHERE is_foreign;
CREATE INDEX journal_line_running ON journal_line (running) WHERE running;
