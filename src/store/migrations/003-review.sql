-- What people said about the machine's findings. Append-only: what is wrong is superseded, never changed; triggers see to
-- it. No foreign keys to nights: a night that is inspected again keeps its reviews.

CREATE TABLE review_cases (           -- an agent's part of a conversation as it was judged by a pack, with its masked chat
    night TEXT NOT NULL, part TEXT NOT NULL, conversation TEXT NOT NULL, agent TEXT NOT NULL,
    pack_sha256 TEXT NOT NULL,
    record      BLOB NOT NULL,        -- compressed JSON behind a format number
    PRIMARY KEY (night, part, conversation, agent, pack_sha256)
) STRICT;

CREATE TABLE review_samples (
    id          TEXT PRIMARY KEY,
    night TEXT NOT NULL, part TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('random', 'stratified', 'targeted', 'appeal')),
    seed        INTEGER NOT NULL,
    plan        TEXT NOT NULL,        -- how it was asked for (JSON)
    at          TEXT NOT NULL,
    who         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE review_drawn (           -- the cases of a sample
    sample      TEXT NOT NULL REFERENCES review_samples (id),
    number      INTEGER NOT NULL,
    conversation TEXT NOT NULL, agent TEXT NOT NULL,
    stratum     TEXT NOT NULL,
    population  INTEGER NOT NULL,     -- cases of the stratum; 0 in targeted samples
    drawn       INTEGER NOT NULL,     -- of these drawn
    reasons     TEXT NOT NULL,
    PRIMARY KEY (sample, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE review_sheets (          -- sheets as they were given out, to hold against what is handed in
    id          TEXT PRIMARY KEY,
    sample      TEXT NOT NULL REFERENCES review_samples (id),
    round       TEXT NOT NULL,
    reviewer    TEXT NOT NULL,
    at          TEXT NOT NULL,
    model       BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE review_imports (
    id          INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    who         TEXT NOT NULL,
    file        TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    sheet       TEXT NOT NULL REFERENCES review_sheets (id)
) STRICT;

CREATE TABLE reviews (                -- one person's look at one case
    id          INTEGER PRIMARY KEY,
    import      INTEGER NOT NULL REFERENCES review_imports (id),
    sample      TEXT NOT NULL REFERENCES review_samples (id),
    night TEXT NOT NULL, part TEXT NOT NULL, conversation TEXT NOT NULL, agent TEXT NOT NULL,
    round       TEXT NOT NULL,
    reviewer    TEXT NOT NULL,
    digest      TEXT NOT NULL,        -- of its decisions: importing the same again adds nothing
    supersedes  INTEGER UNIQUE REFERENCES reviews (id)
) STRICT;
CREATE INDEX reviews_case ON reviews (night, part, conversation, agent);

CREATE TABLE review_decisions (
    review      INTEGER NOT NULL REFERENCES reviews (id),
    rule        TEXT NOT NULL,
    turn        INTEGER NOT NULL,     -- from 0
    verdict     TEXT NOT NULL CHECK (verdict IN ('confirmed', 'overturned', 'missed', 'appealed')),
    comment     TEXT NOT NULL,
    PRIMARY KEY (review, rule, turn)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_standing (          -- rules demoted to review-only, and restored; the last row of a rule holds
    id          INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    who         TEXT NOT NULL,
    rule        TEXT NOT NULL,
    demoted     INTEGER NOT NULL CHECK (demoted IN (0, 1)),
    reason      TEXT NOT NULL
) STRICT;

CREATE VIEW standing_reviews AS
SELECT r.*, i.at, i.who, i.file FROM reviews r JOIN review_imports i ON i.id = r.import
WHERE r.id NOT IN (SELECT supersedes FROM reviews WHERE supersedes IS NOT NULL);

CREATE TRIGGER review_imports_kept BEFORE UPDATE ON review_imports BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER review_imports_held BEFORE DELETE ON review_imports BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER reviews_kept BEFORE UPDATE ON reviews BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER reviews_held BEFORE DELETE ON reviews BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER review_decisions_kept BEFORE UPDATE ON review_decisions BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER review_decisions_held BEFORE DELETE ON review_decisions BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER rule_standing_kept BEFORE UPDATE ON rule_standing BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER rule_standing_held BEFORE DELETE ON rule_standing BEGIN SELECT RAISE(ABORT, 'append only'); END;
