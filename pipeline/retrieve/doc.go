// Package retrieve finds, for a segmented note, the codes that it may name:
// billable codes valid in the table given, in the order of how likely they are.
//
// It looks for the words of terms (titles, inclusion terms, index entries,
// everyday names) in the note's sentences, searches the note's mentions among
// the terms' vectors, adds what phrases of coded notes lead to, opens headers to
// the billable code that the note supports by side, encounter and words, and lets a trained model order what
// was found.
//
// The stage knows no SQL: vectors are searched through Searcher, once a note.
// It logs nothing and writes nothing; its answer depends on its Config, the
// note and the table alone.
package retrieve
