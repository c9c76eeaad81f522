// Package gbdt is a small gradient-boosted decision tree learner for yes-or-no
// questions: logistic loss, histogram splits, trees grown leaf by leaf. It
// trains the models that order and rank codes.
//
// A model is a list of trees over named features, so a person can read what it
// rests on, and Explain says for one row which features spoke for and against.
// Scoring only compares and adds, and so gives the same bits on every machine.
//
// The package does no input or output and imports nothing of ours.
package gbdt
