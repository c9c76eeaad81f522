// Package runs keeps evaluation runs: what a dataset's notes were given by one
// version of everything. A run is a folder of the data directory:
//
//	runs/ID/run.json           what was run: dataset hash, note ids, everything
//	                           configured, models, code releases, commit; and when
//	runs/ID/predictions.jsonl  what was suggested, one note a line, in the order
//	                           of run.json; the same bytes for the same run
//	runs/ID/took.jsonl         what that took, one note a line: time, tokens, cost
//	runs/ID/codes.json         titles of the codes that occur
//	runs/ID/scores.json        the figures, made again when they are missing
//
// Files rather than tables: a run is written once, line by line, is read as a
// whole, and has to be repeatable and readable a year later, on another machine,
// in a commit or as an artefact of continuous integration. The index of runs is
// the list of their run.json. Nothing of a note's text is in a run but the
// places of evidence; the text stays in the dataset.
//
// A line is written and synced before the next, so that a run that was killed
// goes on where it was; an incomplete last line is cut off. A lock in the folder
// keeps two processes from working on one run.
//
// The package knows no stage of the pipeline and no database.
package runs
