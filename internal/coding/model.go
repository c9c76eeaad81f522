package coding

import (
	"encoding/json"
	"time"
)

// RankerModel is an edition of the local ranker's models that was learned here.
type RankerModel struct {
	Version    int // the N of local@N
	Styles     []Style
	SHA256     string // hex, of the model file
	Record     json.RawMessage
	Items      []int64 // whose reviews taught it
	MadeAt     time.Time
	MadeBy     string
	ActiveFrom time.Time // zero unless it is the one used now
}
