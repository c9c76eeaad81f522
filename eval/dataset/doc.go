// Package dataset holds gold datasets: notes with the codes that people gave
// them. It reads them from JSON lines and CSV, checks them, and keeps those that
// were added under a name, as files in a folder of the data directory:
//
//	datasets/NAME/notes.jsonl   the notes, as they were imported
//	datasets/NAME/about.json    hash, licence, how gold was made, edition
//
// Files rather than tables: a dataset is never changed, is looked up by one key,
// its hash, and has to be at hand a year later beside the runs on it, whatever
// became of the database. Who runs several machines keeps the folder on a shared
// disk or measures on one of them.
//
// The package knows no stage of the pipeline and no database, so that pages and
// reports can read datasets without the models. Its errors and problems name
// lines, ids and codes, never what a note says.
package dataset
