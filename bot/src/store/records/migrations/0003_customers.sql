-- A customer is a person; an identity is what they are known by: a channel and their place on it, or a contact they gave.
-- Two customers may give the same contact, so only a person's decision makes them one.
CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    first_at_ms BIGINT NOT NULL
);
CREATE TABLE identities (
    customer TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    conversation TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (customer, kind, value)
);
CREATE INDEX identities_by_value ON identities (kind, value);
ALTER TABLE conversations ADD COLUMN customer TEXT NOT NULL DEFAULT '';
UPDATE conversations SET customer = id;
INSERT INTO customers (id, first_at_ms) SELECT id, first_at_ms FROM conversations;
INSERT INTO identities (customer, kind, value, conversation, at_ms)
    SELECT id, 'web', substr(id, 5), id, first_at_ms FROM conversations WHERE id LIKE 'web:%';
CREATE INDEX conversations_by_customer ON conversations (customer);
CREATE INDEX conversations_by_time ON conversations (last_at_ms);
-- Every change of a lead's grade, beside the newest in `leads`.
CREATE TABLE grades (
    conversation TEXT NOT NULL,
    rev BIGINT NOT NULL,
    grade TEXT NOT NULL,
    score BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (conversation, rev)
);
CREATE INDEX grades_by_time ON grades (at_ms);
CREATE INDEX leads_by_grade ON leads (grade, at_ms);
CREATE INDEX audit_by_time ON audit (at_ms);
-- Conversations that left the live state, each as one document.
CREATE TABLE put_away (
    conversation TEXT PRIMARY KEY,
    age BIGINT NOT NULL,
    body TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
