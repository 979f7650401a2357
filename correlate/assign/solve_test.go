package assign

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A share is told as the part of links like it that was right, and a probability of the configuration is asked of shares.
func TestCalibrated(t *testing.T) {
	for _, c := range []struct{ share, probability float64 }{
		{0.2, 0.2}, {0.4, 0.4}, {0.6, 0.6}, {0.82, 0.76}, {0.87, 0.805}, {0.92, 0.85}, {0.97, 0.92}, {1, 0.99},
	} {
		require.InDelta(t, c.probability, calibrated(c.share), 1e-9)
		require.InDelta(t, c.share, uncalibrated(c.probability), 1e-9)
	}
	for x := 0.0; x < 1; x += 1.0 / 64 {
		require.Less(t, calibrated(x), calibrated(x+1.0/64), "more is more")
	}
	for _, p := range []float64{0.99, 0.995, 1} {
		require.InDelta(t, 1, uncalibrated(p), 1e-9, "no score is higher than 0.99: what asks for more asks for that")
	}
}
