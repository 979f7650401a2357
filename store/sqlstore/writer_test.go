package sqlstore

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// busy holds the writer's goroutine until the function it returns is called.
func busy(t *testing.T, s *Store) (release func()) {
	begun, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.alone(context.Background(), 1, func(*session) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	return func() {
		close(end)
		require.NoError(t, <-done)
	}
}

// waiting returns when n writes wait.
func waiting(s *Store, n int) {
	for {
		s.writer.mu.Lock()
		now := len(s.writer.queue)
		s.writer.mu.Unlock()
		if now == n {
			return
		}
		runtime.Gosched()
	}
}

func TestWaitingWritesShareATransaction(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "store.db"), Options{Registerer: reg})
	require.NoError(t, err)
	defer s.Close()
	release := busy(t, s)
	var wg sync.WaitGroup
	for n := range int64(50) {
		wg.Go(func() {
			if _, err := s.Put(context.Background(), numbered(n), time.Now()); err != nil {
				t.Errorf("put: %v", err)
			}
		})
	}
	waiting(s, 50)
	release()
	wg.Wait()
	// One transaction for what held the writer, one for all that waited.
	require.Equal(t, 1, testutil.CollectAndCount(s.metrics.writes))
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "meantime_store_transaction_writes" {
			require.EqualValues(t, 2, f.GetMetric()[0].GetHistogram().GetSampleCount())
			require.EqualValues(t, 51, f.GetMetric()[0].GetHistogram().GetSampleSum())
		}
	}
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "store.db"))
	release := busy(t, s)
	// One large write waits, so one more fact is too many; but a write is never too large by itself.
	large := make(chan error, 1)
	go func() {
		large <- s.writer.put(context.Background(), &write{facts: &facts{}, weight: maxWaitingFacts + 5})
	}()
	waiting(s, 1)
	_, err := s.Put(context.Background(), numbered(1), time.Now())
	require.EqualError(t, err, "1 writes are waiting for the store already")
	require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err))
	release()
	require.NoError(t, <-large)

	release = busy(t, s)
	var wg sync.WaitGroup
	for range maxWaiting {
		wg.Go(func() {
			if err := s.writer.put(context.Background(), &write{facts: &facts{}}); err != nil {
				t.Errorf("put: %v", err)
			}
		})
	}
	waiting(s, maxWaiting)
	_, err = s.Put(context.Background(), numbered(1), time.Now())
	require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err))
	release()
	wg.Wait()
	_, err = s.Put(context.Background(), numbered(1), time.Now())
	require.NoError(t, err)
}

func TestContextEndsWhileWaiting(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "store.db"))
	release := busy(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := s.Put(ctx, numbered(1), time.Now())
		done <- err
	}()
	waiting(s, 1)
	cancel()
	err := <-done
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err))
	release()
	_, err = s.Put(context.Background(), numbered(2), time.Now())
	require.NoError(t, err)
	l, err := s.Sightings(t.Context(), time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Len(t, l, 1, "what was given up is not stored")
}

// TestOneFailsAlone lets writes share a transaction of which one meets a row that cannot be read.
func TestOneFailsAlone(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, filepath.Join(t.TempDir(), "store.db"))
	_, err := s.Put(ctx, numbered(3), time.Now())
	require.NoError(t, err)
	require.NoError(t, s.alone(ctx, 1, func(x *session) error {
		_, err := x.exec("UPDATE sightings SET body = '{' WHERE fingerprint = 'f3'")
		return err
	}))
	release := busy(t, s)
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for n := range errs {
		wg.Go(func() {
			r, err := s.Put(ctx, numbered(int64(n)), time.Now())
			if err == nil && (len(r.Sightings) != 1 || r.Sightings[0] != incident.MergeNew || !r.Records[0]) {
				err = errors.New("a wrong receipt")
			}
			errs[n] = err
		})
	}
	waiting(s, 6)
	release()
	wg.Wait()
	for n, err := range errs {
		if n == 3 {
			require.ErrorContains(t, err, "sighting f3@")
			require.Equal(t, incident.CodeInternal, incident.CodeOf(err))
		} else {
			require.NoError(t, err)
		}
	}
	st, err := s.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 6, st.Sightings)
	require.EqualValues(t, 6, st.Records)
}

func TestCloseFinishesWhatWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := openTest(t, path)
	release := busy(t, s)
	var wg sync.WaitGroup
	for n := range int64(20) {
		wg.Go(func() {
			if _, err := s.Put(context.Background(), numbered(n), time.Now()); err != nil {
				t.Errorf("put: %v", err)
			}
		})
	}
	waiting(s, 20)
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	release()
	wg.Wait()
	require.NoError(t, <-closed)
	again := openTest(t, path)
	st, err := again.Stats(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 20, st.Sightings)
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "store.db"), Options{Registerer: reg})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Put(t.Context(), numbered(1), time.Now())
	require.NoError(t, err)
	_, err = s.Put(t.Context(), incident.Facts{Beats: []incident.Beat{{}}}, time.Now())
	require.Error(t, err)
	_, err = s.Incident(t.Context(), "none")
	require.Error(t, err)
	for _, err := range s.Ledger(t.Context()) {
		require.NoError(t, err)
	}
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
	for labels, want := range map[[2]string]float64{{"put", "ok"}: 1, {"put", "invalid"}: 1, {"incident", "not_found"}: 1, {"ledger", "ok"}: 1} {
		require.Equal(t, want, testutil.ToFloat64(s.metrics.operations.WithLabelValues(labels[0], labels[1])), labels)
	}
}
