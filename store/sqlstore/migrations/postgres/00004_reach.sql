-- +goose Up

-- When Meantime could be told of alerts, and by whom: what lies between two lives is an outage.
CREATE TABLE lives (
  from_at BIGINT NOT NULL PRIMARY KEY,
  to_at BIGINT NOT NULL
);
CREATE TABLE senders (
  key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  url TEXT NOT NULL,
  route TEXT NOT NULL,
  first_at BIGINT NOT NULL
);

-- Mutes that were told lately, by alert: the start that one belongs to may not have been told yet.
CREATE TABLE mutes (
  fingerprint TEXT COLLATE "C" NOT NULL,
  silence TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  received BIGINT NOT NULL,
  placed INTEGER NOT NULL,
  PRIMARY KEY (fingerprint, silence, at)
);
CREATE INDEX mutes_received ON mutes (received);

-- What was stored before tells of no outage. It was listened to from a quarter of an hour before the first word that is
-- kept, which was prompt then, until the last.
CREATE TEMPORARY TABLE old_words ON COMMIT DROP AS
SELECT CASE json_typeof(b -> 'first') WHEN 'number' THEN (b ->> 'first')::BIGINT END AS first,
  CASE json_typeof(b -> 'notified') WHEN 'number' THEN (b ->> 'notified')::BIGINT END AS notified,
  CASE json_typeof(b -> 'last') WHEN 'number' THEN (b ->> 'last')::BIGINT END AS last,
  CASE json_typeof(b -> 'resolved') WHEN 'number' THEN (b ->> 'resolved')::BIGINT END AS resolved,
  b -> 'from' AS senders
FROM (SELECT body::JSON AS b FROM sightings) s;
INSERT INTO lives (from_at, to_at)
SELECT MIN(first) - 900000000000, MAX(last) FROM (
  SELECT COALESCE(first, resolved, notified) AS first, GREATEST(last, resolved) AS last FROM old_words
  UNION ALL SELECT at, at FROM beats
) w WHERE first IS NOT NULL HAVING COUNT(*) > 0;
INSERT INTO senders (key, url, route, first_at)
SELECT address, address, '', MIN(first) FROM (
  SELECT a.value AS address, COALESCE(w.first, w.resolved) AS first
  FROM old_words w, json_array_elements_text(CASE json_typeof(w.senders) WHEN 'array' THEN w.senders ELSE '[]' END) a
) s WHERE first IS NOT NULL AND length(address) BETWEEN 1 AND 512 GROUP BY address ORDER BY MIN(first) LIMIT 2000;

-- What is derived is derived again.
UPDATE progress SET rules = '';
