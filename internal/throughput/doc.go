// Package throughput has the figures for managers: what they mean and how they
// follow from what happened.
//
// A figure is counted in two steps. FactsOf turns all that happened to one item
// into facts: its rounds (from receipt or reopening to finishing) and its suggestion
// sets. CellsOf says which sums a fact belongs to; the database keeps facts and
// sums (see migration 080). Refresh counts the items that changed, by taking their
// old facts out of the sums and putting the new ones in, so it does not matter in which
// order events come, and Rebuild, which counts everything anew, gives the same.
// Report reads sums and never events.
//
// Durations are counted in steps of at most a tenth (Steps), so that medians of a
// million encounters come out of sums; a figure that is a step says so in its
// definition. Days and hours are the site's, see Calendar.
//
// The package knows no SQL and no HTTP. What it shows holds logins and counts, and
// nothing of a note or patient.
package throughput
