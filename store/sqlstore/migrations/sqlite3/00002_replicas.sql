-- +goose Up

-- One row: who may save passes. The token grows with every change of hands; expires is in milliseconds of the database's clock.
CREATE TABLE lease (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  holder TEXT NOT NULL,
  token BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
INSERT INTO lease (one, holder, token, expires) VALUES (1, '', 0, 0);

-- What the newest passes touched, for those who follow.
CREATE TABLE passes (
  number BIGINT NOT NULL PRIMARY KEY,
  body TEXT NOT NULL
);

ALTER TABLE progress ADD COLUMN passes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE progress ADD COLUMN blind TEXT NOT NULL DEFAULT '';
