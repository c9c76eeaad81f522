package eval

import "chartcode/eval/dataset"

// The gold datasets live in a package of their own, which knows no stage, so
// that reports and pages can read them without the models.
type (
	GoldCode = dataset.Code
	GoldNote = dataset.Note
	Dataset  = dataset.Dataset
)

// The tiers of gold codes.
const (
	TierRequired   = dataset.TierRequired
	TierAcceptable = dataset.TierAcceptable
)

// ErrDataset is returned for a file that is no dataset.
var ErrDataset = dataset.ErrDataset

// ReadDataset is dataset.Read.
func ReadDataset(path string, notes ...string) (*Dataset, error) { return dataset.Read(path, notes...) }
