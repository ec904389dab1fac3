-- Which facts concern which engagement, project, invoice or customer; the facts themselves are read from the log.

CREATE TABLE timeline (
    subject text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (subject, position)
);
