-- One row for each run: what is searched, and where it stands.
CREATE TABLE run (
    number   INTEGER PRIMARY KEY,
    id       BLOB NOT NULL UNIQUE,
    playbook TEXT NOT NULL,
    created  INTEGER NOT NULL,
    parent   BLOB,
    slot     TEXT,
    state    TEXT NOT NULL,
    due      INTEGER,
    ended    INTEGER,
    outcome  TEXT,
    status   TEXT NOT NULL,
    crc      INTEGER NOT NULL,
    -- How many records the journal has, and the exclusive or of their sums: a row that vanished shows.
    records  INTEGER NOT NULL DEFAULT 0,
    sums     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX run_due      ON run (due, number, id) WHERE due IS NOT NULL;
CREATE INDEX run_created  ON run (created);
CREATE INDEX run_state    ON run (state, created);
CREATE INDEX run_playbook ON run (playbook, created);
CREATE INDEX run_parent   ON run (parent, state, id) WHERE parent IS NOT NULL;
CREATE INDEX run_slot     ON run (slot, state, number, id) WHERE slot IS NOT NULL AND state <> 'ended';
CREATE INDEX run_ended    ON run (ended) WHERE ended IS NOT NULL;

-- What each run is a run of. Apart from its row, which is written again and again.
CREATE TABLE orders (
    run     INTEGER PRIMARY KEY,
    content TEXT NOT NULL,
    crc     INTEGER NOT NULL
) STRICT;

-- The records of all runs, those of a run side by side.
CREATE TABLE journal (
    run     BLOB NOT NULL,
    seq     INTEGER NOT NULL,
    content TEXT NOT NULL,
    crc     INTEGER NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

-- Bytes by SHA-256, and since when they are here, in milliseconds.
CREATE TABLE blob (
    number INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    since  INTEGER NOT NULL,
    bytes  BLOB NOT NULL
) STRICT;

-- Which run needs which bytes.
CREATE TABLE need (
    run    BLOB NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (run, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX need_digest ON need (digest);

-- The inbox: no fate yet, or `taken` or `refused`, why, and since when.
CREATE TABLE wish (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    run     BLOB NOT NULL,
    content TEXT NOT NULL,
    crc     INTEGER NOT NULL,
    fate    TEXT,
    why     TEXT,
    settled INTEGER
) STRICT;
CREATE INDEX wish_waiting ON wish (number) WHERE fate IS NULL;
CREATE INDEX wish_settled ON wish (settled) WHERE settled IS NOT NULL;
CREATE INDEX wish_run     ON wish (run);

-- The latest moment that anything here speaks of.
CREATE TABLE latest (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    moment INTEGER NOT NULL,
    crc    INTEGER NOT NULL
) STRICT;
