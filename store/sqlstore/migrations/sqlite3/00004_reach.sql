-- +goose Up

-- When Meantime could be told of alerts, and by whom: what lies between two lives is an outage.
CREATE TABLE lives (
  from_at BIGINT NOT NULL PRIMARY KEY,
  to_at BIGINT NOT NULL
);
CREATE TABLE senders (
  key TEXT NOT NULL PRIMARY KEY,
  url TEXT NOT NULL,
  route TEXT NOT NULL,
  first_at BIGINT NOT NULL
);

-- Mutes that were told lately, by alert: the start that one belongs to may not have been told yet.
CREATE TABLE mutes (
  fingerprint TEXT NOT NULL,
  silence TEXT NOT NULL,
  at BIGINT NOT NULL,
  received BIGINT NOT NULL,
  placed INTEGER NOT NULL,
  PRIMARY KEY (fingerprint, silence, at)
);
CREATE INDEX mutes_received ON mutes (received);

-- What was stored before tells of no outage. It was listened to from a quarter of an hour before the first word that is
-- kept, which was prompt then, until the last.
INSERT INTO lives (from_at, to_at)
SELECT MIN(first) - 900000000000, MAX(last) FROM (
  SELECT COALESCE(json_extract(body, '$.first'), json_extract(body, '$.resolved'), json_extract(body, '$.notified')) AS first,
    MAX(COALESCE(json_extract(body, '$.last'), 0), COALESCE(json_extract(body, '$.resolved'), 0)) AS last
  FROM sightings
  UNION ALL SELECT at, at FROM beats
) WHERE first IS NOT NULL HAVING COUNT(*) > 0;
INSERT INTO senders (key, url, route, first_at)
SELECT address, address, '', MIN(first) FROM (
  SELECT j.value AS address, COALESCE(json_extract(s.body, '$.first'), json_extract(s.body, '$.resolved')) AS first
  FROM sightings s, json_each(s.body, '$.from') j
) WHERE first IS NOT NULL AND length(address) BETWEEN 1 AND 512 GROUP BY address ORDER BY MIN(first) LIMIT 2000;

-- What is derived is derived again.
UPDATE progress SET rules = '';
