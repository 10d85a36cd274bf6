CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    rev BIGINT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    mode TEXT NOT NULL
);
CREATE TABLE events (
    conversation TEXT NOT NULL,
    rev BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (conversation, rev)
);
CREATE TABLE leads (
    conversation TEXT PRIMARY KEY,
    grade TEXT NOT NULL,
    score BIGINT NOT NULL,
    reasons TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE TABLE handoffs (
    conversation TEXT NOT NULL,
    rev BIGINT NOT NULL,
    reason TEXT NOT NULL,
    brief TEXT NOT NULL,
    rep TEXT,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (conversation, rev, reason)
);
CREATE INDEX handoffs_by_time ON handoffs (at_ms);
CREATE TABLE versions (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE TABLE audit (
    at_ms BIGINT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    target TEXT NOT NULL
);
CREATE TABLE position (
    id BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL
);
