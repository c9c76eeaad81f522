package codeset

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// Releases are all that is loaded, in any order.
type Releases []coding.Release

// Pick gives the code table that holds for a system on a date of service, with
// the notices that the choice calls for. A release holds until its successor
// starts. Without a date the newest is taken (notice no_service_date); after
// the normal end of the newest, it is taken as still valid (release_assumed);
// before the first, that one is used to name codes and no validity is claimed
// (no_release). ok is false when no table of the system is loaded. The starter
// set counts only where there is no full table.
func (rs Releases) Pick(system coding.System, date coding.Date) (rel coding.Release, notices []coding.Notice, ok bool) {
	tables := rs.tables(system)
	if len(tables) == 0 {
		return coding.Release{}, nil, false
	}
	first, newest := tables[0], tables[0]
	var held coding.Release
	for _, r := range tables {
		if r.EffectiveFrom.Before(first.EffectiveFrom) {
			first = r
		}
		if newest.EffectiveFrom.Before(r.EffectiveFrom) {
			newest = r
		}
		if !date.IsZero() && !date.Before(r.EffectiveFrom) && (held.ID == "" || held.EffectiveFrom.Before(r.EffectiveFrom)) {
			held = r
		}
	}
	notice := func(code, format string, args ...any) []coding.Notice {
		return []coding.Notice{{Code: code, Message: fmt.Sprintf(format, args...)}}
	}
	switch {
	case date.IsZero():
		return newest, notice(coding.NoticeNoServiceDate,
			"The note has no date of service; codes are those of %s %s, the newest release loaded.", system, newest.Version), true
	case held.ID == "":
		return first, notice(coding.NoticeNoRelease,
			"The date of service lies before the first %s release loaded (%s); the codes' validity on that day was not checked.", system, first.Version), true
	case held.ID == newest.ID && NormalEnd(held).Before(date):
		return held, notice(coding.NoticeReleaseAssumed,
			"The date of service lies after the end of %s %s, and no later release is loaded; its codes were taken as still valid.", system, held.Version), true
	}
	return held, nil, true
}

// Edition names what Pick gives on a date of service for every system: ids,
// content and notices. It is the same for two dates, or two moments, exactly
// when codes looked up then are looked up in the same tables with the same
// notices. It needs the releases' hashes; without any table it is empty.
func (rs Releases) Edition(date coding.Date) string {
	var parts []string
	for _, system := range coding.Systems() {
		rel, notices, ok := rs.Pick(system, date)
		if !ok {
			continue
		}
		part := rel.ID + "@" + rel.SHA256[:min(editionHash, len(rel.SHA256))]
		for _, n := range notices {
			part += "!" + n.Code
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

// editionHash is how much of a hash Edition has: two contents of one release are
// never alike in 16 hex digits by chance.
const editionHash = 16

// Period is a stretch of days on which the same releases hold.
type Period struct {
	From, To coding.Date // both included; zero: without a beginning, without an end
	Edition  string      // what Releases.Edition gives on each of the days
}

// Periods cuts all days into the stretches on which the same releases hold, in
// order and without gaps.
func (rs Releases) Periods() []Period {
	var starts []coding.Date
	for _, system := range coding.Systems() {
		for _, r := range rs.tables(system) {
			starts = append(starts, r.EffectiveFrom, NormalEnd(r).AddDays(1))
		}
	}
	slices.SortFunc(starts, func(a, b coding.Date) int { return a.Time().Compare(b.Time()) })
	starts = slices.Compact(starts)
	var periods []Period
	for i := range len(starts) + 1 {
		p := Period{}
		if i > 0 {
			p.From = starts[i-1]
		}
		if i < len(starts) {
			p.To = starts[i].AddDays(-1)
		}
		day := p.From
		if day.IsZero() {
			day = p.To
		}
		if p.Edition = rs.Edition(day); len(periods) > 0 && periods[len(periods)-1].Edition == p.Edition {
			periods[len(periods)-1].To = p.To
			continue
		}
		periods = append(periods, p)
	}
	return periods
}

// tables are the releases of a system that hold codes.
func (rs Releases) tables(system coding.System) []coding.Release {
	var full, starter []coding.Release
	for _, r := range rs {
		switch {
		case r.System != system || !HoldsCodes(r.Kind):
		case r.Kind == KindStarter:
			starter = append(starter, r)
		default:
			full = append(full, r)
		}
	}
	if len(full) > 0 {
		return full
	}
	return starter
}

// HoldsCodes reports whether a kind of file is a table of codes.
func HoldsCodes(kind string) bool {
	switch kind {
	case KindOrder, KindHCPCS, KindTable, KindStarter:
		return true
	}
	return false
}

// NormalEnd is the last day for which a release is made: 30 September for
// ICD-10, the quarter's end for HCPCS, the year's for CPT.
func NormalEnd(r coding.Release) coding.Date {
	from := r.EffectiveFrom.Time()
	switch r.System {
	case coding.ICD10CM, coding.ICD10PCS:
		year := from.Year()
		if from.Month() >= time.October {
			year++
		}
		return coding.NewDate(year, time.September, 30)
	case coding.HCPCS:
		quarter := (int(from.Month())-1)/3*3 + 1
		return coding.NewDate(from.Year(), time.Month(quarter+3), 0)
	}
	return coding.NewDate(from.Year(), time.December, 31)
}
