-- Texts that are read in order are compared byte by byte, as SQLite does, whatever the database's language.
ALTER TABLE conversations ALTER COLUMN id TYPE TEXT COLLATE "C";
ALTER TABLE handoffs ALTER COLUMN reason TYPE TEXT COLLATE "C";
