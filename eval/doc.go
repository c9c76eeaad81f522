// Package eval measures how well codes are found: it reads gold datasets,
// scores what the pipeline proposes against them, and trains the models of the
// local ranker with the same code that measures them.
//
// Notes of one article always stand on the same side of a split, and whatever
// is learned from notes (frequencies, phrases, trees, thresholds) is learned
// from other notes than those it is scored on. The list of folds is in
// folds.txt, so that figures of different days compare.
//
// The package may read files that it is told to; it writes only the model files
// it is asked to make. It prints counts and codes, never a note's text.
package eval
