-- +goose Up

-- What a source keeps of itself between two runs, such as how far it has read.
CREATE TABLE marks (
  source TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (source, name)
);
