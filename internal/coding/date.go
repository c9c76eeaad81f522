package coding

import (
	"encoding/json"
	"errors"
	"time"
)

// ErrDate is returned for a text that is not a calendar date YYYY-MM-DD.
var ErrDate = errors.New("not a calendar date of the form YYYY-MM-DD")

// Date is a calendar day without a time zone. The zero value means no date;
// in JSON it is null.
type Date struct{ t time.Time }

// NewDate gives the date of year, month and day, normalised as time.Date does.
func NewDate(year int, month time.Month, day int) Date {
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// DateOf gives the calendar day of t in t's own zone; the zero time gives no date.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	return NewDate(t.Year(), t.Month(), t.Day())
}

// ParseDate reads YYYY-MM-DD; the empty text gives no date.
func ParseDate(s string) (Date, error) {
	if s == "" {
		return Date{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, ErrDate
	}
	return Date{t}, nil
}

// IsZero reports whether there is no date.
func (d Date) IsZero() bool { return d.t.IsZero() }

// Time is midnight UTC of the day.
func (d Date) Time() time.Time { return d.t }

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool { return d.t.Before(e.t) }

// AddDays gives the day n days later.
func (d Date) AddDays(n int) Date { return Date{d.t.AddDate(0, 0, n)} }

// String is YYYY-MM-DD, or empty.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.t.Format(time.DateOnly)
}

// MarshalJSON writes the date as a string, or null.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(d.String())
}

// UnmarshalJSON reads a string or null.
func (d *Date) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*d = Date{}
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return ErrDate
	}
	v, err := ParseDate(s)
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// AgeAt is the age in whole years on the day at; ok is false when either date
// is missing or birth lies after at.
func AgeAt(birth, at Date) (years int, ok bool) {
	if birth.IsZero() || at.IsZero() || at.Before(birth) {
		return 0, false
	}
	years = at.t.Year() - birth.t.Year()
	if at.t.Month() < birth.t.Month() || (at.t.Month() == birth.t.Month() && at.t.Day() < birth.t.Day()) {
		years--
	}
	return years, true
}
