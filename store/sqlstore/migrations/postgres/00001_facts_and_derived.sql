-- +goose Up

-- Text that is a key compares by its bytes, as in SQLite, whatever the database's language.

-- Spans are filed by length (span_class: under an hour, a day, 30 days, longer), so that what touches a stretch of time
-- is found by ranges of span_from alone.

CREATE TABLE sightings (
  fingerprint TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  span_class SMALLINT NOT NULL,
  span_from BIGINT NOT NULL,
  span_to BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (fingerprint, starts_at)
);
CREATE INDEX sightings_span ON sightings (span_class, span_from);

CREATE TABLE records (
  source TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  withdrawn SMALLINT NOT NULL,
  span_class SMALLINT NOT NULL,
  span_from BIGINT NOT NULL,
  span_to BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (source, id)
);
CREATE INDEX records_span ON records (span_class, span_from);

-- The versions of a record that no longer count, or never did.
CREATE TABLE record_history (
  source TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  updated_at BIGINT NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (source, id, updated_at, digest)
);

CREATE TABLE reviews (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  body TEXT NOT NULL
);

CREATE TABLE silences (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX silences_ends_at ON silences (ends_at);

CREATE TABLE beats (
  watchdog TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (watchdog, at)
);
CREATE INDEX beats_at ON beats (at);

-- A row holds up to some hundreds of changes; the last of them has the number seq.
CREATE TABLE feed (
  seq BIGINT NOT NULL PRIMARY KEY,
  entries INTEGER NOT NULL,
  earliest BIGINT NOT NULL,
  body TEXT NOT NULL
);

-- One row: how far the feed and its reader are, and what is counted here because counting rows is slow.
CREATE TABLE progress (
  one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
  last_seq BIGINT NOT NULL,
  cursor BIGINT NOT NULL,
  rules TEXT NOT NULL,
  sightings BIGINT NOT NULL,
  records BIGINT NOT NULL,
  incidents BIGINT NOT NULL
);
INSERT INTO progress (one, last_seq, cursor, rules, sightings, records, incidents) VALUES (1, 0, 0, '', 0, 0, 0);

CREATE TABLE incidents (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  severity TEXT COLLATE "C" NOT NULL,
  span_class SMALLINT NOT NULL,
  span_from BIGINT NOT NULL,
  span_to BIGINT NOT NULL,
  digest TEXT NOT NULL,
  head TEXT NOT NULL
);
CREATE INDEX incidents_at ON incidents (at, id);
CREATE INDEX incidents_state ON incidents (state, at, id);
CREATE INDEX incidents_span ON incidents (span_class, span_from);

-- What only a page about an incident shows. Of its own, so that reading all heads reads nothing else.
CREATE TABLE incident_rests (
  incident TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  rest TEXT NOT NULL
);

CREATE TABLE incident_services (
  service TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  incident TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (service, at, incident)
);
CREATE INDEX incident_services_incident ON incident_services (incident);

CREATE TABLE incident_aliases (
  alias TEXT COLLATE "C" NOT NULL,
  incident TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (alias, incident)
);
CREATE INDEX incident_aliases_incident ON incident_aliases (incident);

CREATE TABLE verdicts (
  starts_at BIGINT NOT NULL,
  fingerprint TEXT COLLATE "C" NOT NULL,
  ends_at BIGINT NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (starts_at, fingerprint)
);
CREATE INDEX verdicts_outcome ON verdicts (outcome, starts_at, fingerprint);

CREATE TABLE observed (
  incident TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  body TEXT NOT NULL
);
