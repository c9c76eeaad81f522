package coding

import "time"

// QueryStatus is where a query stands.
type QueryStatus string

// The statuses.
const (
	QueryOpen      QueryStatus = "open"
	QueryAnswered  QueryStatus = "answered"
	QueryWithdrawn QueryStatus = "withdrawn"
)

// QueryTo says whom a query asks.
type QueryTo string

// Who can be asked.
const (
	ToAttending QueryTo = "attending"
	ToAuthor    QueryTo = "author"
)

// Query is a question of a coder to who wrote a note or was responsible for the
// patient. An item with an open query is in state queried. Texts may concern the
// patient: they are shown with the item and nowhere else.
type Query struct {
	Number   int         `json:"number"` // from 1 within the item
	To       QueryTo     `json:"to"`
	Person   Person      `json:"person"`             // as the note named them when it was asked
	NoteID   string      `json:"note_id,omitempty"`  // the note that it is about; empty: the encounter
	Template string      `json:"template,omitempty"` // id of the QueryTemplate that it was made from
	Text     string      `json:"text"`
	AskedBy  string      `json:"asked_by"` // login
	AskedAt  time.Time   `json:"asked_at"`
	Status   QueryStatus `json:"status"`
	Answer   string      `json:"answer,omitempty"` // or why it was withdrawn
	ClosedBy string      `json:"closed_by,omitempty"`
	ClosedAt time.Time   `json:"closed_at,omitzero"`
}

// QueryTemplate is a question to start from. Square brackets mark what the coder
// fills in. In keeping with the practice brief of AHIMA and ACDIS on compliant
// queries (2022, paraphrased) no template leads to an answer: each offers to say
// something else, or that it cannot be told, and none speaks of payment.
type QueryTemplate struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// QueryTemplates gives the templates in the order in which they are offered.
func QueryTemplates() []QueryTemplate {
	return []QueryTemplate{
		{"specificity", "More detail on a diagnosis",
			"The note names [diagnosis]. If known, please state its type, cause, severity and stage. If this cannot be told, please say so."},
		{"laterality", "Side",
			"The note names [condition or procedure] without a side. Please state right, left or both sides, or that it cannot be told."},
		{"clinical_significance", "Meaning of a finding",
			"The note records [finding, with date and value]. Please state the diagnosis that it stands for, if any, or that it has no clinical significance."},
		{"conflict", "Conflicting statements",
			"The documents state both [first statement, where] and [second statement, where]. Please state which holds, or explain how both do."},
		{"cause", "Relation between conditions",
			"The note names [condition] and [condition]. Please state whether they are related and how, that they are not related, or that it cannot be told."},
		{"present_on_admission", "Present on admission",
			"The note names [diagnosis]. Please state whether it was present when the patient was admitted, was not, or that it cannot be told clinically."},
		{"status", "Current or past",
			"The note names [condition]. Please state whether it is current, was treated in this encounter, has resolved, or was ruled out."},
		{"procedure", "Detail of a procedure",
			"The note describes [procedure]. Please state approach, body part, device and extent as far as they apply."},
		{"other", "Another question", ""},
	}
}
