package throughput_test

import (
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/throughput"
)

func TestWorkingTime(t *testing.T) {
	t.Parallel()
	c := throughput.Calendar{Zone: chicago, Work: throughput.Weekdays()}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, chicago) }
	for _, test := range []struct {
		a, b time.Time
		want time.Duration
	}{
		{at(4, 9, 0), at(4, 10, 30), 90 * time.Minute},
		{at(4, 9, 0), at(5, 9, 0), 24 * time.Hour},
		{at(6, 20, 0), at(9, 8, 0), 12 * time.Hour}, // from Friday to Monday, over the change of clocks
		{at(7, 1, 0), at(8, 23, 0), 0},
		{at(5, 9, 0), at(4, 9, 0), 0},
	} {
		if got := c.Between(test.a, test.b); got != test.want {
			t.Errorf("from %v to %v: %v, want %v", test.a, test.b, got, test.want)
		}
		if test.want > 0 {
			if back := c.Before(test.b, test.want); !back.Equal(test.a) {
				t.Errorf("%v before %v is %v, want %v", test.want, test.b, back, test.a)
			}
		}
	}
	// A day on which clocks change has 23 hours.
	all := throughput.Calendar{Zone: chicago, Work: [7]bool{true, true, true, true, true, true, true}}
	if got := all.Between(at(8, 0, 0), at(9, 0, 0)); got != 23*time.Hour {
		t.Errorf("the day of the change has %v", got)
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	steps := throughput.Steps()
	known := map[time.Duration]bool{}
	for i, s := range steps {
		known[s] = true
		if throughput.StepOf(s) != i || throughput.StepOf(s-time.Microsecond) != i {
			t.Errorf("%v is in step %d, its lower neighbour in %d, want %d", s, throughput.StepOf(s), throughput.StepOf(s-time.Microsecond), i)
		}
		if i > 0 && steps[i-1] >= 2*time.Minute && float64(s-steps[i-1])/float64(s) > 0.1 {
			t.Errorf("the step from %v to %v is of more than a tenth", steps[i-1], s)
		}
	}
	for h := 1; h <= 72; h++ {
		if !known[time.Duration(h)*time.Hour] {
			t.Errorf("%d h is no step", h)
		}
	}
	for d := 1; d <= 400; d++ {
		if !known[time.Duration(d)*24*time.Hour] {
			t.Errorf("%d days is no step", d)
		}
	}
}

func TestServiceLevels(t *testing.T) {
	t.Parallel()
	l, err := coding.ParseServiceLevels("36, */emergency=4, north/*=12, north/emergency=2, south/inpatient=96")
	if err != nil {
		t.Fatal(err)
	}
	for place, want := range map[[2]string]int{
		{"x", "outpatient"}: 36, {"x", "emergency"}: 4, {"north", "outpatient"}: 12, {"north", "emergency"}: 2, {"south", "inpatient"}: 96, {"south", "emergency"}: 4,
	} {
		if got := l.Of(place[0], coding.Setting(place[1])); got != time.Duration(want)*time.Hour {
			t.Errorf("%v is %v, want %d h", place, got, want)
		}
	}
	if got := (coding.ServiceLevels{}).Of("", ""); got != 24*time.Hour {
		t.Errorf("nothing said is %v", got)
	}
	for _, bad := range []string{"x", "0", "-1", "north=4", "north/nowhere=4", "/emergency=3", "73", "24,*/emergency", "1.5"} {
		if _, err := coding.ParseServiceLevels(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// minute is so long after the receipt of an item.
func minute(n float64) time.Time {
	return time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC).Add(time.Duration(n * float64(time.Minute)))
}

func did(who, what string, at float64) coding.HistoryAct {
	return coding.HistoryAct{At: minute(at), Actor: who, Action: what}
}

// Active time: pauses count up to five minutes, and not after somebody put the item
// out of hand; each person's own.
func TestActiveTime(t *testing.T) {
	t.Parallel()
	c := throughput.Calendar{Zone: chicago, Work: throughput.Weekdays()}
	h := coding.ItemHistory{
		ID: 1, NoteCount: 1, ReceivedAt: minute(0), State: coding.ItemFinished, Notes: []coding.HistoryNote{{AddedAt: minute(0.1), Bytes: 10}},
		Acts: []coding.HistoryAct{
			did("manager", "looked", 1), did("a", "claimed", 10), did("a", "looked", 10.1), did("manager", "looked", 11),
			did("a", "decision.accept", 12), did("a", "decision.accept", 40), did("a", "held", 41),
			did("b", "looked", 41.5), did("b", "exported", 42), did("b", "looked", 43.5), did("a", "resumed", 100), did("a", "decision.finish", 102),
			did("a", "looked", 103), did("pipeline", "x", 104), did("b", "claimed", 200), did("b", "decision.finish", 201),
		},
		Decisions: []coding.Decision{
			{Seq: 1, Kind: coding.Accept, Coder: "a", At: minute(12), DecisionDetail: coding.DecisionDetail{System: coding.ICD10CM, Code: "I10"}},
			{Seq: 2, Kind: coding.Accept, Coder: "a", At: minute(40), DecisionDetail: coding.DecisionDetail{System: coding.ICD10CM, Code: "E78.5"}},
			{Seq: 3, Kind: coding.Finish, Coder: "a", At: minute(102)},
			{Seq: 4, Kind: coding.Reopen, Coder: coding.ByPipeline, At: minute(150)},
			{Seq: 5, Kind: coding.Finish, Coder: "b", At: minute(201), DecisionDetail: coding.DecisionDetail{Disposition: coding.DispositionReturned}},
		},
	}
	rounds := c.FactsOf(h).Rounds
	if len(rounds) != 2 {
		t.Fatalf("%d rounds", len(rounds))
	}
	one, two := rounds[0], rounds[1]
	// a: 0.1 + 1.9 + 5 of 28 + 1, nothing while it was held, 2. b: 2; the manager: 5 of 10.
	if want := 10 * time.Minute; one.Active != want {
		t.Errorf("active for %v, want %v", one.Active, want)
	}
	if want := 7 * time.Minute; one.Others != want {
		t.Errorf("others for %v, want %v", one.Others, want)
	}
	if !one.LookedAt.Equal(minute(1)) || one.Notes != 1 || one.Accepted != 2 || one.Returned {
		t.Errorf("the first round is %+v", one)
	}
	if two.Active != time.Minute || two.Others != 0 || two.Notes != 0 || two.Accepted != 0 || !two.Returned || !two.LookedAt.Equal(minute(200)) {
		t.Errorf("the second round is %+v", two)
	}
}

// The first look is the first act for which somebody had the item before them: what
// is done to it from elsewhere is none.
func TestFirstLook(t *testing.T) {
	t.Parallel()
	c := throughput.Calendar{Zone: chicago, Work: throughput.Weekdays()}
	for action, looks := range map[string]bool{
		"looked": true, "claimed": true, "taken_over": true, "resumed": true, "decision.accept": true, "decision.reject": true, "decision.add": true,
		"answered": false, "withdrew": false, "sent": false, "unsent": false, "released": false, "skipped": false, "held": false, "queried": false, "exported": false,
	} {
		h := coding.ItemHistory{
			ID: 1, NoteCount: 1, ReceivedAt: minute(0), State: coding.ItemFinished, Notes: []coding.HistoryNote{{AddedAt: minute(0.1), Bytes: 10}},
			Acts:      []coding.HistoryAct{did("a", action, 1), did("b", "looked", 7), did("b", "decision.finish", 8)},
			Decisions: []coding.Decision{{Seq: 1, Kind: coding.Finish, Coder: "b", At: minute(8)}},
		}
		want := minute(7)
		if looks {
			want = minute(1)
		}
		if got := c.FactsOf(h).Rounds[0].LookedAt; !got.Equal(want) {
			t.Errorf("after %s the first look is at %v, want %v", action, got, want)
		}
	}
}
