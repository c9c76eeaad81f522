// Package learned holds what was learned from coded notes: frequencies and
// phrases (Memory), and the trained models that order candidates and rank
// suggestions (Models), kept as one versioned file in the repository with the
// record of how it was made.
//
// It does no input or output besides its embedded file, and imports coding,
// gbdt and lexicon only.
package learned
