package incident

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNearest(t *testing.T) {
	keys := []string{"id", "title", "url", "kind", "state", "services", "severity", "milestones", "created_at", "updated_at", "dsn"}
	for _, c := range []struct{ in, want string }{
		{"milestone", "milestones"}, {"Milestones", "milestones"}, {"mile-stones", "milestones"}, {"milstone", "milestones"},
		{"service", "services"}, {"serverity", "severity"}, {"createdAt", "created_at"}, {"created", "created_at"},
		{"dns", "dsn"}, {"tilte", "title"}, {"titel", "title"}, {"stat", "state"}, {"kinds", "kind"}, {"urls", "url"},

		{"start", ""}, {"end", ""}, {"date", ""}, {"status", ""}, {"king", "kind"}, {"find", "kind"}, {"bind", "kind"}, {"ID", "id"}, {"ip", ""},
		{"foobar", ""}, {"", ""}, {"duration_minutes", ""}, {"notes", ""},
	} {
		require.Equal(t, c.want, Nearest(c.in, keys), c.in)
	}
	require.Empty(t, Nearest("state_", nil))
	require.Empty(t, Nearest("cat", []string{"bat", "hat"}), "nobody can tell which")
	require.Equal(t, "hat", Nearest("hat", []string{"bat", "hat"}))
}
