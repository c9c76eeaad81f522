package bus

import (
	"strings"

	"chartcode/internal/coding"
)

// The streams.
const (
	StreamNotes       = "NOTES"
	StreamSuggestions = "SUGGESTIONS"
	StreamReviews     = "REVIEWS"
	StreamDeadLetter  = "DEADLETTER"
)

// The durable consumers of NOTES.
const (
	ConsumerOrdinary = "workers"
	ConsumerUrgent   = "workers-urgent"
)

// The headers of a dead letter. HeaderSubject holds the subject that the note
// came by, where that was a proper one.
const (
	HeaderReason   = "Chartcode-Reason"
	HeaderStage    = "Chartcode-Stage"
	HeaderAttempts = "Chartcode-Attempts"
	HeaderReceived = "Chartcode-Received"
	HeaderSubject  = "Chartcode-Subject"
)

const (
	prefixSubmitted   = "notes.submitted."
	prefixUrgent      = "notes.urgent."
	prefixDead        = "notes.dead."
	prefixSuggestions = "suggestions.ready."
	prefixReviews     = "reviews.completed."
)

const (
	// MaxPayload is what a server must accept in one message, headers included.
	MaxPayload = 8 << 20
	// MaxBody is the largest note body. The rest of MaxPayload is kept for
	// headers, so that whatever is accepted can be dead-lettered.
	MaxBody = MaxPayload - headerRoom

	headerRoom = 4 << 10
)

// SubjectOf is the subject for a note of this source and priority.
func SubjectOf(source string, priority int) string {
	if priority >= coding.PriorityUrgent {
		return prefixUrgent + source
	}
	return prefixSubmitted + source
}

// SuggestionsSubject is where suggestion sets of a source are announced.
func SuggestionsSubject(source string) string { return prefixSuggestions + source }

// ReviewsSubject is where reviews of a source are announced.
func ReviewsSubject(source string) string { return prefixReviews + source }

// sourceOf gives the source token of a note's subject; ok is false when what
// follows the prefix is not one valid source.
func sourceOf(subject string) (source string, urgent, ok bool) {
	source, urgent = strings.CutPrefix(subject, prefixUrgent)
	if !urgent {
		source = strings.TrimPrefix(subject, prefixSubmitted)
	}
	return source, urgent, validSource(source)
}

// validSource reports whether s is [A-Za-z0-9_-]{1,64}.
func validSource(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
