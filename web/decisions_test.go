package web

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// A withdrawn decision is struck through; one whose withdrawal was itself withdrawn counts again and is shown so.
func TestDecisionsThatHold(t *testing.T) {
	i := &incident.Incident{ID: "r1"}
	reviews := []incident.Review{
		{ID: "x1", At: before(30), Action: incident.ReviewMark, Incident: "r1", Mark: "drill"},
		{ID: "x2", At: before(20), Action: incident.ReviewWithdraw, Other: "x1"},
	}
	require.True(t, decisions(i, reviews, zone{})[0].Withdrawn)
	reviews = append(reviews, incident.Review{ID: "x3", At: before(10), Action: incident.ReviewWithdraw, Other: "x2"})
	require.Len(t, decisions(i, reviews, zone{}), 1)
	require.False(t, decisions(i, reviews, zone{})[0].Withdrawn)
}
