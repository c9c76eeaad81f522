package coding

// Signal says that an item changed, for pages that are open: its number and how,
// nothing of its content.
type Signal struct {
	Item int64      `json:"item"` // 0 with SignalAll
	Kind SignalKind `json:"kind"`
}

// SignalKind is what changed.
type SignalKind string

// The kinds.
const (
	SignalNew     SignalKind = "new"     // the item came
	SignalNotes   SignalKind = "notes"   // notes or suggestions
	SignalState   SignalKind = "state"   // state, holder, or for whom it waits
	SignalChanged SignalKind = "changed" // decisions, or anything else
	SignalAll     SignalKind = "all"     // signals may have been missed: look at everything anew
)
