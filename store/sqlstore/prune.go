package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"meantime/incident"
)

// Prune implements store.Store.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (n int, err error) {
	defer s.done("prune", s.now(), &err)
	limit = atMost(limit)
	err = s.alone(ctx, 1, func(x *session) (err error) {
		n, err = prune(x, before, limit)
		return err
	})
	return n, err
}

func prune(s *session, before time.Time, limit int) (n int, err error) {
	// What waits to be correlated may yet make an incident of what it touches.
	var earliest sql.NullInt64
	if _, err := s.get("SELECT MIN(earliest) FROM feed WHERE seq > (SELECT cursor FROM progress WHERE one = 1)", nil, &earliest); err != nil {
		return 0, err
	}
	end := nanos(before)
	if earliest.Valid {
		end = min(end, earliest.Int64)
	}
	if err := keepBegan(s); err != nil {
		return 0, err
	}
	sightings := int64(0)
	for _, outcome := range []incident.Outcome{incident.OutcomeNone, incident.OutcomeWatchdog} {
		over, err := endedEpisodes(s, outcome, end, limit-n)
		if err != nil {
			return 0, err
		}
		for i := range over {
			if n >= limit {
				break
			}
			gone, err := removeEpisode(s, &over[i].Episode, over[i].last)
			if err != nil {
				return 0, err
			}
			sightings += gone
			n += max(1, int(gone))
		}
	}
	if _, err := s.exec("UPDATE progress SET sightings = sightings - $1 WHERE one = 1", sightings); err != nil {
		return 0, err
	}
	if n >= limit {
		return n, nil
	}
	beats, err := s.exec("DELETE FROM beats WHERE (watchdog, at) IN (SELECT watchdog, at FROM beats WHERE at < $1 ORDER BY at LIMIT $2)", end, limit-n)
	return n + int(beats), err
}

// judged is a verdict with the start of its episode's last sighting.
type judged struct {
	incident.Verdict
	last time.Time
}

// endedEpisodes are those with an outcome that ended before end, the oldest first.
func endedEpisodes(s *session, outcome incident.Outcome, end int64, limit int) (over []judged, err error) {
	names := make(map[string]map[string]string)
	err = s.query("SELECT body FROM verdicts WHERE outcome = $1 AND starts_at < $2 AND ends_at < $2 ORDER BY starts_at, fingerprint LIMIT $3",
		[]any{string(outcome), end, limit}, func(r *sql.Rows) error {
			v, err := scanJudged(r, names)
			over = append(over, v)
			return err
		})
	return over, err
}

// removeEpisode deletes the sightings of an episode, whose last one starts at last, and its verdict.
func removeEpisode(s *session, e *incident.Episode, last time.Time) (sightings int64, err error) {
	keys, err := episodeKeys(s, e, last)
	if err != nil {
		return 0, err
	}
	for _, k := range keys {
		n, err := s.exec("DELETE FROM sightings WHERE fingerprint = $1 AND starts_at = $2", e.Fingerprint, k)
		if err != nil {
			return 0, err
		}
		sightings += n
	}
	_, err = s.exec("DELETE FROM verdicts WHERE starts_at = $1 AND fingerprint = $2", nanos(e.StartsAt), e.Fingerprint)
	return sightings, err
}

// episodeKeys are the starts of an episode's sightings as their rows have them.
func episodeKeys(s *session, e *incident.Episode, last time.Time) (keys []int64, err error) {
	err = s.query(sightingsOfEpisode, []any{e.Fingerprint, nanos(e.StartsAt), nanos(last)}, func(r *sql.Rows) error {
		x, err := scanSighting(r, nil)
		if err == nil && within(x, e.StartsAt, last) {
			keys = append(keys, nanos(x.StartsAt))
		}
		return err
	})
	return keys, err
}
