package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Duration is a length of time as it is written in Prometheus's files: whole numbers with units from the largest to the
// smallest, such as 30s, 1h30m, 28d or 15y (a week has 7 days, a year 365). A number without a unit is a mistake, because
// one reader would take it for seconds and the next for nanoseconds.
type Duration struct {
	value time.Duration
	text  string
}

// Value is its length; 0 where nothing was given.
func (d Duration) Value() time.Duration { return d.value }

// String is the duration as it was written.
func (d Duration) String() string { return d.text }

// Given says whether it was given at all.
func (d Duration) Given() bool { return d.text != "" }

// MarshalText writes it as it was written.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.text), nil }

// UnmarshalText reads it.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// ParseDuration reads a duration. The error says what would be right.
func ParseDuration(s string) (Duration, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Duration{}, errors.New("empty; write a duration such as 5m")
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		if n, err := strconv.ParseUint(s, 10, 32); err == nil {
			return Duration{}, fmt.Errorf("a duration needs a unit: %q; write %dm or %ds", s, n, n)
		}
		return Duration{}, fmt.Errorf("a duration needs a unit and a whole number: %q; write it like 90s, 30m or 28d", quotable(s))
	}
	d, err := model.ParseDuration(s)
	if err != nil {
		if strings.Contains(err.Error(), "out of range") {
			return Duration{}, fmt.Errorf("a duration longer than 292 years: %q", quotable(s))
		}
		return Duration{}, fmt.Errorf("not a duration: %q; write it like 30s, 5m, 1h30m, 28d or 15y", quotable(s))
	}
	return Duration{time.Duration(d), s}, nil
}

// quotable shortens what is quoted in a message.
func quotable(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
