//! Every statement of the records, in the SQL that SQLite and PostgreSQL share.

/// Rows that the statements for several write at once, which saves the way to the server.
pub const SEVERAL: usize = 8;

macro_rules! add_events {
    ($($row:literal)+) => {
        concat!(
            "INSERT INTO events (conversation, rev, at_ms, events) VALUES ",
            $($row),+,
            " ON CONFLICT (conversation, rev) DO UPDATE SET at_ms = excluded.at_ms, events = excluded.events"
        )
    };
}

macro_rules! touch_conversations {
    ($($row:literal)+) => {
        concat!(
            "INSERT INTO conversations (id, rev, first_at_ms, last_at_ms, mode, customer) VALUES ",
            $($row),+,
            " ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, last_at_ms = excluded.last_at_ms"
        )
    };
}

pub const POSITION: &str = "SELECT seq FROM position WHERE id = $1";
/// The row is there and is held by this transaction afterwards; on SQLite the whole file is.
pub const LOCK_POSITION: &str = "INSERT INTO position (id, seq) VALUES ($1, 0) ON CONFLICT (id) DO UPDATE SET seq = position.seq RETURNING seq";
pub const SET_POSITION: &str = "INSERT INTO position (id, seq) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq";
pub const ADD_EVENTS: &str = add_events!("($1, $2, $3, $4)");
pub const ADD_SEVERAL_EVENTS: &str = add_events!(
    "($1, $2, $3, $4), "
    "($5, $6, $7, $8), "
    "($9, $10, $11, $12), "
    "($13, $14, $15, $16), "
    "($17, $18, $19, $20), "
    "($21, $22, $23, $24), "
    "($25, $26, $27, $28), "
    "($29, $30, $31, $32)"
);
pub const TOUCH_CONVERSATION: &str = touch_conversations!("($1, $2, $3, $4, 'bot', $1)");
pub const TOUCH_SEVERAL_CONVERSATIONS: &str = touch_conversations!(
    "($1, $2, $3, $4, 'bot', $1), "
    "($5, $6, $7, $8, 'bot', $5), "
    "($9, $10, $11, $12, 'bot', $9), "
    "($13, $14, $15, $16, 'bot', $13), "
    "($17, $18, $19, $20, 'bot', $17), "
    "($21, $22, $23, $24, 'bot', $21), "
    "($25, $26, $27, $28, 'bot', $25), "
    "($29, $30, $31, $32, 'bot', $29)"
);
pub const SET_MODE: &str = "UPDATE conversations SET mode = $2 WHERE id = $1";
pub const SET_LEAD: &str = "INSERT INTO leads (conversation, grade, score, reasons, at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (conversation) DO UPDATE SET grade = excluded.grade, score = excluded.score, reasons = excluded.reasons, at_ms = excluded.at_ms";
pub const ADD_HANDOFF: &str = "INSERT INTO handoffs (conversation, rev, reason, brief, rep, at_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (conversation, rev, reason) DO NOTHING";
pub const ADD_GRADE: &str = "INSERT INTO grades (conversation, rev, grade, score, at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (conversation, rev) DO UPDATE SET grade = excluded.grade, score = excluded.score";
pub const ADD_CUSTOMER: &str =
    "INSERT INTO customers (id, first_at_ms) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
/// Of the customer whose conversation it is.
pub const ADD_IDENTITY: &str = "INSERT INTO identities (customer, kind, value, conversation, at_ms) SELECT customer, $1, $2, id, $3 FROM conversations WHERE id = $4 ON CONFLICT (customer, kind, value) DO NOTHING";
pub const GRADES: &str =
    "SELECT rev, grade, score, at_ms FROM grades WHERE conversation = $1 ORDER BY rev";
pub const CUSTOMER_OF: &str = "SELECT customer FROM conversations WHERE id = $1";
pub const IDENTITIES: &str = "SELECT kind, value, conversation, at_ms FROM identities WHERE customer = $1 ORDER BY at_ms, kind, value";
pub const CONVERSATIONS_OF: &str = "SELECT id, rev, first_at_ms, last_at_ms, mode FROM conversations WHERE customer = $1 ORDER BY first_at_ms, id";
pub const AUDIT: &str = "SELECT at_ms, who, what, target FROM audit WHERE at_ms >= $1 ORDER BY at_ms, who, what, target LIMIT $2";
pub const EVENTS: &str =
    "SELECT rev, events FROM events WHERE conversation = $1 AND rev > $2 ORDER BY rev LIMIT $3";
pub const CONVERSATIONS: &str = "SELECT id, rev, first_at_ms, last_at_ms, mode FROM conversations WHERE id > $1 ORDER BY id LIMIT $2";
pub const LEAD: &str = "SELECT grade, score, reasons, at_ms FROM leads WHERE conversation = $1";
pub const HANDOFFS: &str =
    "SELECT reason, brief, rep, at_ms FROM handoffs WHERE conversation = $1 ORDER BY rev, reason";
pub const KEEP_VERSION: &str = "INSERT INTO versions (kind, id, body, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (kind, id) DO NOTHING";
pub const VERSION: &str = "SELECT body FROM versions WHERE kind = $1 AND id = $2";
pub const ADD_AUDIT: &str = "INSERT INTO audit (at_ms, who, what, target) VALUES ($1, $2, $3, $4)";

pub const PUT_AWAY: &str = "INSERT INTO put_away (conversation, age, body, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (conversation) DO UPDATE SET age = excluded.age, body = excluded.body, at_ms = excluded.at_ms WHERE put_away.age <= excluded.age RETURNING age";
pub const PUT_AWAY_OF: &str = "SELECT age, body FROM put_away WHERE conversation = $1";

/// All of them, for the test that prepares each.
pub const ALL: [&str; 27] = [
    POSITION,
    LOCK_POSITION,
    SET_POSITION,
    ADD_EVENTS,
    ADD_SEVERAL_EVENTS,
    TOUCH_CONVERSATION,
    TOUCH_SEVERAL_CONVERSATIONS,
    SET_MODE,
    SET_LEAD,
    ADD_HANDOFF,
    EVENTS,
    CONVERSATIONS,
    LEAD,
    HANDOFFS,
    KEEP_VERSION,
    VERSION,
    ADD_AUDIT,
    PUT_AWAY,
    PUT_AWAY_OF,
    ADD_GRADE,
    ADD_CUSTOMER,
    ADD_IDENTITY,
    GRADES,
    CUSTOMER_OF,
    IDENTITIES,
    CONVERSATIONS_OF,
    AUDIT,
];

/// What only a server is asked, by the doctor.
pub const SERVER_VERSION: &str = "SELECT current_setting('server_version') AS told";
pub const SERVER_COMMIT: &str = "SELECT current_setting('synchronous_commit') AS told";
pub const SERVER_TLS: &str =
    "SELECT CAST(ssl AS TEXT) AS told FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

pub const SERVER_ALL: [&str; 3] = [SERVER_VERSION, SERVER_COMMIT, SERVER_TLS];
