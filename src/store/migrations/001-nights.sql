-- One row a run: a night, or a part of it (two channels inspected apart). Milli-points are thousandths of a point.

CREATE TABLE packs (                  -- the rule packs that nights were judged by
    sha256      TEXT PRIMARY KEY,     -- over all its files
    id          TEXT NOT NULL,
    version     TEXT NOT NULL,
    title       TEXT NOT NULL,
    topics      TEXT NOT NULL,        -- ids of its topics (JSON), by whose number contacts name theirs
    sources     BLOB NOT NULL         -- its files, so that an old night is rendered with its own rules
) STRICT, WITHOUT ROWID;

CREATE TABLE nights (
    night               TEXT NOT NULL,      -- 2026-11-20: the last busy day of its conversations, or --night
    part                TEXT NOT NULL,      -- --part; empty for a night in one piece
    program             TEXT NOT NULL,      -- version that wrote it
    pack_sha256         TEXT NOT NULL REFERENCES packs (sha256),
    thresholds          TEXT NOT NULL,      -- fingerprint of pass mark, weights, least sample, targets
    records_inspected   INTEGER NOT NULL,
    records_rejected    INTEGER NOT NULL,
    conversations       INTEGER NOT NULL,
    judged              INTEGER NOT NULL,   -- conversations judged for at least one agent
    agent_conversations INTEGER NOT NULL,   -- one for each agent of a conversation: what scores are means over
    score_sum           INTEGER NOT NULL,   -- milli-points
    score_squares       INTEGER NOT NULL,   -- squared milli-points
    passed              INTEGER NOT NULL,
    critical            INTEGER NOT NULL,   -- with a critical finding
    resolved            INTEGER NOT NULL,   -- conversations that ended resolved
    unresolved          INTEGER NOT NULL,
    anonymous           INTEGER NOT NULL,   -- contacts that cannot be followed: no customer or no time
    contacts            INTEGER,            -- contacts stored for following customers; NULL once they are pruned
    quotes              INTEGER NOT NULL,   -- 0 once the evidence is pruned
    PRIMARY KEY (night, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE inputs (                 -- the files a night was read from
    night TEXT NOT NULL, part TEXT NOT NULL,
    number      INTEGER NOT NULL,     -- in the order read
    path        TEXT NOT NULL,
    bytes       INTEGER NOT NULL,     -- as stored
    sha256      TEXT NOT NULL,
    records     INTEGER NOT NULL,
    PRIMARY KEY (night, part, number),
    FOREIGN KEY (night, part) REFERENCES nights (night, part) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (                 -- figures of each agent
    night TEXT NOT NULL, part TEXT NOT NULL, agent TEXT NOT NULL,
    name            TEXT,
    team            TEXT,
    conversations   INTEGER NOT NULL, -- judged
    score_sum       INTEGER NOT NULL, -- milli-points
    score_squares   INTEGER NOT NULL, -- squared milli-points
    raw_sum         INTEGER NOT NULL, -- milli-points before critical findings set the score to 0
    passed          INTEGER NOT NULL,
    critical        INTEGER NOT NULL,
    PRIMARY KEY (night, part, agent),
    FOREIGN KEY (night, part) REFERENCES nights (night, part) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_rules (            -- each agent's record with each rule that was due
    night TEXT NOT NULL, part TEXT NOT NULL, agent TEXT NOT NULL, rule TEXT NOT NULL,
    applicable  INTEGER NOT NULL,     -- conversations in which it was due
    found       INTEGER NOT NULL,     -- conversations with a finding
    findings    INTEGER NOT NULL,
    review      INTEGER NOT NULL,     -- findings left to a person's review, not among the others
    points      INTEGER NOT NULL,     -- milli-points
    PRIMARY KEY (night, part, agent, rule),
    FOREIGN KEY (night, part) REFERENCES nights (night, part) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_dimensions (
    night TEXT NOT NULL, part TEXT NOT NULL, agent TEXT NOT NULL, dimension TEXT NOT NULL,
    applicable  INTEGER NOT NULL,     -- conversations in which something of it was judged
    lost        INTEGER NOT NULL,     -- milli-points
    PRIMARY KEY (night, part, agent, dimension),
    FOREIGN KEY (night, part) REFERENCES nights (night, part) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE topics (                 -- why customers came
    night TEXT NOT NULL, part TEXT NOT NULL, topic TEXT NOT NULL,
    conversations   INTEGER NOT NULL, -- that show it
    main            INTEGER NOT NULL, -- whose main reason it is, on its level
    PRIMARY KEY (night, part, topic),
    FOREIGN KEY (night, part) REFERENCES nights (night, part) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Everything counted, for reports: compressed JSON behind a format number, with the ids its numbers stand for.
CREATE TABLE pieces (
    night TEXT NOT NULL, part TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('sums', 'quotes', 'words', 'days')),
    bytes   BLOB NOT NULL,
    PRIMARY KEY (night, part, kind),
    FOREIGN KEY (night, part) REFERENCES nights (night, part) ON DELETE CASCADE
) STRICT;

-- Who contacted when (hashes only), for recontacts across nights; kept for 14 days.
CREATE TABLE contacts (
    night TEXT NOT NULL, part TEXT NOT NULL,
    number  INTEGER NOT NULL,
    bytes   BLOB NOT NULL,
    PRIMARY KEY (night, part, number),
    FOREIGN KEY (night, part) REFERENCES nights (night, part) ON DELETE CASCADE
) STRICT;

-- What became of a night's contacts, all parts together, as later nights show it.
CREATE TABLE followed (
    night   TEXT PRIMARY KEY,
    bytes   BLOB NOT NULL
) STRICT;
