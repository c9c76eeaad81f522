// Package measure computes what an evaluation says: scores of suggestions
// against gold codes, their intervals, paired comparisons of two runs, the gate,
// agreement between coders, and drift. It is pure functions over values: it
// reads no file, knows no stage of the pipeline and no clock, and the same input
// with the same seed gives the same figures. Pages, reports and commands may use
// it alike.
//
// # Tiers
//
// Recall is counted over required gold codes. Precision counts acceptable gold
// codes as right. A suggestion under a gold code that is a header or absent in
// the edition scored against counts neither way.
//
// # Intervals
//
// Everything that a figure needs of a note is kept as a few sums, its sufficient
// statistics, and the notes of one patient are one unit: the bootstrap draws
// units, not codes. Samples are drawn from generators of their own (seed, number
// of the sample), so that the result does not depend on how many processors
// share the work.
package measure
