package throughput

import "fmt"

// definition is what a figure or table means, in a sentence or two.
func definition(id string) string {
	text, ok := meanings[id]
	if !ok {
		panic(fmt.Sprintf("throughput: %s has no definition", id))
	}
	return text
}

const (
	stepNote  = " Times are counted in steps: of a second up to two minutes, then of at most a tenth; the end of the step is shown."
	roundNote = " It runs from the receipt of the first note, or from reopening, until an encounter is finished."
	ruleNote  = " Active time is the time between two acts of the same person at an encounter (opening, claiming, deciding). A pause counts for at most 5 minutes: what goes beyond is idle. Nothing counts after they finished it or gave it away. Who works at two encounters at once is counted for both."
)

var meanings = map[string]string{
	"backlog":           "Encounters that are not finished now, whatever the period above: open, claimed, held and queried.",
	"backlog_notes":     "Notes of waiting encounters that were not finished with them before.",
	"backlog_late":      "Waiting encounters that are older than the service level of their source and setting. Only hours of working days count.",
	"backlog_oldest":    "The time since the receipt, or the reopening, of the encounter that has waited longest.",
	"clears":            "The day on which nothing waits any more if each working day from now on finishes as many encounters as the last 24 full hours of working days did, and each day brings as many, received or reopened, as days of its kind (working or not) did on average over the last 7 days. What is left of today counts for its part. It looks a year ahead.",
	"queries":           "Questions to an author or attending that are not answered now. Of one coder: those that they asked.",
	"queries_oldest":    "The time since the oldest of them was asked.",
	"dead":              "Notes that could not be worked on and wait for a person; see chartcode deadletter.",
	"dead_oldest":       "The time since the oldest of them was put away.",
	"ages":              "Waiting encounters by the time since their receipt or reopening, nights and weekends included.",
	"items_in":          "Encounters whose first note was received in the period.",
	"notes_in":          "Notes whose first body was received in the period; later bodies of the same note do not count.",
	"reopened":          "Times that a finished encounter was reopened, by a person or because a note came or changed.",
	"items_out":         "Times that an encounter was finished, returned ones included. One that is reopened and finished again counts twice.",
	"notes_out":         "Notes that were finished for the first time: each note counts once.",
	"returned":          "Encounters finished as returned: they could not be coded and went back.",
	"days":              "What happened on each day of the site. In time, the median and what was accepted are of encounters finished that day; degraded and cost are of suggestions made that day.",
	"hours":             "The whole period, by the hour of the day in the site's time zone.",
	"in_time":           "Share of finished encounters that took no longer than the service level of their source and setting." + roundNote + " Only hours of working days count.",
	"to_finish":         "Half of the encounters finished in the period took no longer." + roundNote + stepNote,
	"to_finish_p90":     "Nine of ten encounters finished in the period took no longer." + roundNote + stepNote,
	"to_look":           "Of encounters finished in the period: half were opened, taken or decided on by somebody within this time from receipt or reopening." + stepNote,
	"to_look_p90":       "Of encounters finished in the period: nine of ten were opened, taken or decided on by somebody within this time from receipt or reopening." + stepNote,
	"to_suggestion":     "Half of the suggestions made in the period were there within this time from the receipt of the note's body." + stepNote,
	"to_suggestion_p90": "Nine of ten suggestions made in the period were there within this time from the receipt of the note's body." + stepNote,
	"turnaround":        "How many took longer than the row before says and no longer than this one: encounters finished in the period to first look and to finish, suggestions made in the period to suggestion.",
	"service":           "Service levels by source and setting (CHARTCODE_SERVICE_LEVEL; 24 hours of working days unless set), and how many encounters finished in the period kept them.",
	"active_each":       "Active time of those who finished encounters, divided by the notes finished with them." + ruleNote,
	"active_median":     "Half of the finished encounters took no more active time for each of their notes." + ruleNote + stepNote,
	"active_p90":        "Nine of ten finished encounters took no more active time for each of their notes." + ruleNote + stepNote,
	"per_hour":          "Notes finished, divided by the active hours of those who finished them." + ruleNote,
	"others":            "Active time that others spent at encounters before somebody else finished them." + ruleNote,
	"coders":            "Encounters count for who finished them, with what became of suggestions. Times are active time. Few notes make rates and shares uncertain: see the number of notes. Worth a look is who, of at least 100 suggestions decided, accepted 98 % or more, and who, with at least 20 notes, needed half as long as the team for each, or less, or half as long again, or more.",
	"specialties":       "Encounters count under the specialty of their latest note that names one.",
	"lengths":           "Encounters finished in the period by the length of all their notes together.",
	"accepted":          "Of the suggestions that were decided on when an encounter was finished, the share that was accepted. Decisions that were undone do not count; those left undecided neither.",
	"modified":          "Of the suggestions that were decided on when an encounter was finished, the share in whose place another code was put.",
	"rejected":          "Of the suggestions that were decided on when an encounter was finished, the share that was rejected.",
	"added":             "Codes that coders added of their own, divided by the encounters finished.",
	"outcomes":          "Suggestions of encounters finished that day, by what became of them, and codes added.",
	"reasons":           "Reasons given for rejecting suggestions, in encounters finished in the period.",
	"suggested":         "Suggestion sets made in the period: one for each body of a note.",
	"degraded":          "Share of suggestion sets made by the local ranker because the LLM failed, was too slow or had no budget left.",
	"cost_each":         "Cost of the LLM calls for suggestion sets made in the period, divided by those sets.",
	"cost":              "Cost of the LLM calls for suggestion sets made in the period, by the table of prices.",
	"spent":             "Everything spent on LLMs in the period by all processes, whatever the filters: also evaluations, and calls that led to nothing.",
	"models":            "Suggestion sets by the model that made them; without an LLM, or where it failed, by the local ranker.",
	"costs":             "Cost of suggestion sets made that day. Whole site is all LLM spending of the day, whatever the filters.",
}
