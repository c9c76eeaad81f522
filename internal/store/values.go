package store

import (
	"time"

	"chartcode/internal/coding"
)

// No date, time or text is NULL in the database and the zero value here. Times
// leave the store in UTC, whatever the connection's time zone.

func dateArg(d coding.Date) *time.Time { return timeArg(d.Time()) }

func timeArg(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func dateFrom(t *time.Time) coding.Date {
	if t == nil {
		return coding.Date{}
	}
	return coding.DateOf(*t)
}

func timeFrom(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
