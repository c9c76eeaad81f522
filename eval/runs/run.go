package runs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// DatasetRef names the dataset of a run.
type DatasetRef struct {
	Name    string `json:"name"`
	SHA256  string `json:"sha256"`
	Licence string `json:"licence,omitempty"`
	Gold    string `json:"gold,omitempty"`    // how the codes were made
	Edition string `json:"edition,omitempty"` // of the codes
	Chosen  string `json:"chosen,omitempty"`  // how the notes were chosen
}

// Release is a code release that was loaded.
type Release struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
}

// Build says which program ran.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"` // empty: not known
	Dirty   bool   `json:"dirty"`  // built from files that differ from the commit
	Go      string `json:"go"`
}

// ThisBuild reads what the linker recorded. version is what git describe said.
func ThisBuild(version string) Build {
	b := Build{Version: version}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Go = info.GoVersion
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.modified":
				b.Dirty = s.Value == "true"
			}
		}
	}
	if b.Commit == "" { // of a linked working tree the linker records nothing; git describe does
		name, dirty := strings.CutSuffix(version, "-dirty")
		if i := strings.LastIndex(name, "-g"); i >= 0 {
			name = name[i+len("-g"):]
		}
		if _, err := hex.DecodeString(name + strings.Repeat("0", len(name)%2)); err == nil && len(name) >= 7 {
			b.Commit, b.Dirty = name, dirty
		}
	}
	return b
}

// Config is all that decides a run's predictions.
type Config struct {
	Dataset DatasetRef `json:"dataset"`
	NoteIDs []string   `json:"note_ids"`
	Limit   int        `json:"limit"` // notes drawn; 0: all
	Seed    uint64     `json:"seed"`

	Ranker      string       `json:"ranker"` // local or llm
	CodingStyle coding.Style `json:"coding_style"`
	Systems     []string     `json:"systems"`
	Candidates  int          `json:"candidates"` // given to the ranker
	Judged      int          `json:"judged"`     // of these looked at by it
	Prompt      string       `json:"prompt,omitempty"`
	Model       string       `json:"model,omitempty"`    // LLM
	Settings    string       `json:"settings,omitempty"` // its parameters and the hash of its prompts
	LocalModels string       `json:"local_models"`       // local@N
	Tables      string       `json:"tables"`             // identifies the files behind retrieval
	Embedder    string       `json:"embedder"`
	TrainedOn   bool         `json:"trained_on"` // the local models were trained on this very dataset
	Releases    []Release    `json:"releases"`
	Build       Build        `json:"build"`
}

// Identity is a hash of the configuration: runs with the same one are the same.
func (c *Config) Identity() (string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("hash a run's configuration: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Run is run.json.
type Run struct {
	Schema   int       `json:"schema"` // 1
	ID       string    `json:"id"`
	Identity string    `json:"identity"`
	Config   Config    `json:"config"`
	Path     string    `json:"path"` // where the dataset's notes were
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished,omitzero"`
	Resumed  int       `json:"resumed"` // times
}

// Done reports whether the run came to its end.
func (r *Run) Done() bool { return !r.Finished.IsZero() }

// Suggested is one suggestion of a prediction. Evidence is places alone.
type Suggested struct {
	Code       string        `json:"code"`
	Confidence float64       `json:"confidence"`
	Role       coding.Role   `json:"role"`
	Evidence   []coding.Span `json:"evidence"`
	Invalid    bool          `json:"invalid,omitempty"` // not billable on the date of service
	Findings   []string      `json:"findings,omitempty"`
}

// Prediction is what one note was given.
type Prediction struct {
	NoteID      string         `json:"note_id"`
	NoteSHA256  string         `json:"note_sha256"`
	Setting     coding.Setting `json:"setting"`
	Ranker      string         `json:"ranker"`
	Pipeline    string         `json:"pipeline"`
	Model       string         `json:"model,omitempty"`
	Prompt      string         `json:"prompt_sha256,omitempty"`
	Degraded    string         `json:"degraded,omitempty"` // reason
	Suggestions []Suggested    `json:"suggestions"`
	Candidates  []string       `json:"candidates"` // in retrieval's order
	Removed     []string       `json:"removed"`    // by a coding rule
}

// Took is what one note took.
type Took struct {
	NoteID  string         `json:"note_id"`
	Millis  float64        `json:"ms"`
	Timings coding.Timings `json:"timings_ms"`
	Usage   coding.Usage   `json:"usage"`
}

// Title is what a code is called.
type Title struct {
	Title    string `json:"title"`
	Billable bool   `json:"billable"`
}
