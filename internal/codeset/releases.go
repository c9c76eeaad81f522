package codeset

import (
	"fmt"
	"time"

	"chartcode/internal/coding"
)

// Releases are all that is loaded, in any order.
type Releases []coding.Release

// Pick gives the code table that holds for a system on a date of service, with
// the notices that the choice calls for. A release holds until its successor
// starts. Without a date the newest is taken (notice no_service_date); after
// the normal end of the newest, release_assumed; before the first, the first is
// used to name codes but no validity is claimed (no_release). ok is false when
// no table of the system is loaded.
func (rs Releases) Pick(system coding.System, date coding.Date) (rel coding.Release, notices []coding.Notice, ok bool) {
	var first, newest, held coding.Release
	for _, r := range rs {
		if r.System != system || !hasCodes(r.Kind) {
			continue
		}
		if !ok || r.EffectiveFrom.Before(first.EffectiveFrom) {
			first = r
		}
		if !ok || newest.EffectiveFrom.Before(r.EffectiveFrom) {
			newest = r
		}
		ok = true
		if !date.IsZero() && !date.Before(r.EffectiveFrom) && (held.ID == "" || held.EffectiveFrom.Before(r.EffectiveFrom)) {
			held = r
		}
	}
	if !ok {
		return coding.Release{}, nil, false
	}
	switch {
	case date.IsZero():
		return newest, []coding.Notice{{Code: coding.NoticeNoServiceDate,
			Message: fmt.Sprintf("The note has no date of service; codes are those of %s %s, the newest release loaded.", system, newest.Version)}}, true
	case held.ID == "":
		return first, []coding.Notice{{Code: coding.NoticeNoRelease,
			Message: fmt.Sprintf("The date of service lies before the first %s release loaded (%s); the codes' validity on that day was not checked.", system, first.Version)}}, true
	case normalEnd(held).Before(date):
		return held, []coding.Notice{{Code: coding.NoticeReleaseAssumed,
			Message: fmt.Sprintf("The date of service lies after the end of %s %s, and no later release is loaded; its codes were taken as still valid.", system, held.Version)}}, true
	}
	return held, nil, true
}

func hasCodes(kind string) bool { return kind == KindOrder || kind == KindStarter }

// normalEnd is the last day for which a release is made: 30 September for
// ICD-10, the quarter's end for HCPCS, the year's for CPT.
func normalEnd(r coding.Release) coding.Date {
	from := r.EffectiveFrom.Time()
	switch r.System {
	case coding.ICD10CM, coding.ICD10PCS:
		year := from.Year()
		if from.Month() >= time.October {
			year++
		}
		return coding.NewDate(year, time.September, 30)
	case coding.HCPCS:
		return coding.DateOf(from.AddDate(0, 3, -1))
	}
	return coding.NewDate(from.Year(), time.December, 31)
}
