package intake

// The reasons for which a body can never become a note. They are public: they
// are the Chartcode-Reason of dead letters and begin the error of `suggest`.
const (
	InvalidJSON     = "invalid_json"     // not one JSON object, or a known field given twice
	InvalidUTF8     = "invalid_utf8"     // bytes that are not UTF-8
	LoneSurrogate   = "lone_surrogate"   // half of a \u pair
	NULCharacter    = "nul_character"    // U+0000
	BodyTooLarge    = "body_too_large"   // over MaxBodyBytes
	MissingNoteID   = "missing_note_id"  // none, null or empty
	InvalidNoteID   = "invalid_note_id"  // no string, too long, control characters
	EmptyText       = "empty_text"       // none, null or empty
	TextTooLong     = "text_too_long"    // over coding.MaxTextBytes
	InvalidDate     = "invalid_date"     // a date that is none
	InvalidSource   = "invalid_source"   // not [A-Za-z0-9_-]{1,64}
	SourceMismatch  = "source_mismatch"  // subject and body name different sources
	InvalidSetting  = "invalid_setting"  // not one of the four
	InvalidPriority = "invalid_priority" // not a whole number from 1 to 9
	InvalidField    = "invalid_field"    // another field of the wrong type or too long
)

// Error says why a body can never become a note. Neither part holds anything
// from the note.
type Error struct {
	Code    string // one of the reasons above
	Message string // one plain sentence that says what must change
}

// Error is the reason, a colon and the sentence.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Reason is the reason's code: it marks the error as permanent.
func (e *Error) Reason() string { return e.Code }

// Stage names this stage.
func (e *Error) Stage() string { return "intake" }

func fail(code, message string) *Error { return &Error{Code: code, Message: message} }
