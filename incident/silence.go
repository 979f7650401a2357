package incident

import "time"

// Silence is one of Alertmanager's, as last heard of: somebody muted alerts, which tells that somebody knew.
type Silence struct {
	ID        string           `json:"id"`
	Matchers  []SilenceMatcher `json:"matchers"`
	StartsAt  time.Time        `json:"starts_at"`
	EndsAt    time.Time        `json:"ends_at"`
	CreatedAt time.Time        `json:"created_at"` // when it was first made, as far as is known
	UpdatedAt time.Time        `json:"updated_at"`
	CreatedBy string           `json:"created_by"`
	Comment   string           `json:"comment"`
}

// SilenceMatcher is one matcher of a silence; all must match.
type SilenceMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"is_regex"`
	IsEqual bool   `json:"is_equal"`
}
